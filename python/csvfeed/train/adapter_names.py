"""What Keras asks an adapter for, by name; a dataset knows it before Keras is imported."""

from __future__ import annotations

ASKED = frozenset(
    {
        "get_jax_iterator",
        "get_numpy_iterator",
        "get_tf_dataset",
        "get_torch_dataloader",
        "has_partial_batch",
        "num_batches",
        "on_epoch_begin",
        "on_epoch_end",
        "partial_batch_size",
    }
)
"""All but ``batch_size``, which a dataset has itself."""
