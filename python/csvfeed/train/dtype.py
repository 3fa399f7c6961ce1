"""The dtype of the features that a trainer gets: float32, or half of it for mixed precision."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Dtype: TypeAlias = Literal["float32", "float16", "bfloat16"]
DTYPES: tuple[str, ...] = get_args(Dtype)


def name_of(dtype: Any) -> str:
    """Return the name of a dtype that features may have.

    Parameters
    ----------
    dtype : str or dtype of NumPy, TensorFlow, PyTorch or JAX
        What the user gave.

    Raises
    ------
    ValueError
        If features cannot have it.
    """
    name = dtype
    if not isinstance(dtype, str):
        # PyTorch has no names but torch.float16.
        name = getattr(dtype, "name", getattr(dtype, "__name__", str(dtype).rpartition(".")[2]))
    if name in DTYPES:
        return str(name)
    why = ""
    if name == "float64":
        why = (
            ": csvfeed rounds each number of the file once, to the nearest float32, and float64 "
            'would only widen it. X.astype("float64") does that'
        )
    raise ValueError(f"dtype is one of {', '.join(map(repr, DTYPES))}, not {dtype!r}{why}")


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return the dtype of this name in NumPy.

    Raises
    ------
    ImportError
        If it is bfloat16, and ``ml_dtypes`` is not installed.
    """
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'dtype="bfloat16" needs ml_dtypes, which TensorFlow, JAX and Keras bring: pip install '
            "ml_dtypes",
            name=error.name,
        ) from None
    found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return found


def cast(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array in another dtype, rounded to nearest, ties to even. Overflow is infinite."""
    with np.errstate(over="ignore"):
        return array.astype(dtype, copy=False)
