"""The pages of what an epoch's order and a cache do, in Markdown."""

from __future__ import annotations

from statistics import median

from tables import figure, table, where


def shuffle_page(results: dict) -> str:
    """Return how random the orders are and what they cost as Markdown."""
    parts = ["# Shuffle: how random it is, and what it costs", where(results)]
    if "orders" in results:
        parts += [orders_text(results), orders_table(results)]
    if "memories" in results:
        parts += [MEMORIES_TEXT, memories_table(results)]
    if "speeds" in results:
        parts += [speeds_text(results), speeds_table(results)]
    return "\n\n".join(parts) + "\n"


def orders_text(results: dict) -> str:
    return f"""## Beside a full permutation and the buffers of others

A file of {results["rows"]:,} rows and {results["columns"]} columns, sorted by its label, half of \
which is 1. Its float32 values take {results["times_memory"]} times the memory that each shuffle \
has: {results["memory"] / 1e6:.1f} MB. csvfeed keeps to it with all its buffers; the buffers of \
tf.data and of Hugging Face datasets are given as many rows as would fill it with their values \
alone, though each takes more than that for a row. One CSV file is one shard of a Hugging Face \
dataset, so that there is no order of shards to shuffle. All figures are for batches of \
{results["batch_size"]} rows.

- correlation: of the position of a row in the file and in the epoch.
- neighbours: the share of rows i and i + 1 of the file that come within one batch of each other.
- reach: how far over the file the rows of a batch are spread (the mean of their standard \
deviations), where rows drawn from the whole file have 1.
- label: how much the share of label 1 varies from batch to batch (standard deviation).
- loss: binary cross-entropy over all rows after {results["epochs"]} epochs of the same Keras \
model (10-32-16-1, Adam), the median of {results["seeds"]} draws of its first weights; and how \
much more that is than with the full permutation."""


def orders_table(results: dict) -> str:
    base = median(results["orders"][0]["losses"])
    rows = []
    for entry in results["orders"]:
        loss = median(entry["losses"])
        rows.append(
            [
                entry["label"],
                f"{entry['correlation']:.3f}",
                f"{100 * entry['neighbours']:.2f} %",
                f"{entry['reach']:.3f}",
                f"{entry['label_spread']:.3f}",
                f"{loss:.4f}",
                f"{min(entry['losses']):.4f} to {max(entry['losses']):.4f}",
                "-" if entry["order"] == "full" else f"{100 * (loss / base - 1):+.1f} %",
            ]
        )
    columns = ["order", "correlation", "neighbours", "reach", "label", "loss", "min to max", "more"]
    return table(columns, rows, "lrrrrrrr")


MEMORIES_TEXT = """## With more memory, and with less

The same file and csvfeed's shuffle, the memory being that part of its float32 values. The \
label's spread is 0.032 in a full permutation."""


def memories_table(results: dict) -> str:
    rows = [
        [
            f"1/{entry['times_memory']}",
            f"{entry['memory'] / 1e6:.1f} MB",
            f"{100 * entry['neighbours']:.2f} %",
            f"{entry['reach']:.3f}",
            f"{entry['label_spread']:.3f}",
        ]
        for entry in results["memories"]
    ]
    return table(["part", "memory", "neighbours", "reach", "label"], rows, "lrrrr")


def speeds_text(results: dict) -> str:
    return f"""## What it costs

Epochs of a HIGGS-shaped file ({results["megabytes"]:,.0f} MB of text, \
{results["float_megabytes"]:,.0f} MB of float32) from the page cache, in batches of \
{results["batch_size"]} rows, once the rows have been counted: medians of {results["rounds"]} \
rounds in which the ways took turns. The first epoch is given by itself: where all rows fit into \
memory it alone reads the file, and where they do not, part of each epoch is prepared while the \
one before it ends."""


def speeds_table(results: dict) -> str:
    rows = []
    for entry in results["speeds"]:
        seconds = median(entry["seconds"])
        times = entry["seconds"]
        rows.append(
            [
                entry["way"],
                f"{entry['threads']}",
                f"{entry['first']:.3f} s",
                f"{seconds:.3f} s",
                f"{min(times):.3f} to {max(times):.3f}",
                f"{results['megabytes'] / 1000 / seconds:.2f}",
                f"{results['float_megabytes'] / 1000 / seconds:.2f}",
            ]
        )
    columns = ["order", "threads", "first epoch", "later", "min to max", "text, GB/s"]
    return table([*columns, "float32, GB/s"], rows, "lrrrrrr")


def cache_page(results: dict) -> str:
    """Return how fast cached epochs are as Markdown."""
    rows = []
    for entry in results["entries"]:
        seconds = median(entry["cached"])
        speeds = [results["float_megabytes"] / 1000 / time for time in entry["cached"]]
        rows.append(
            [
                f"{entry['threads']}",
                f"{entry['batch_size']:,}",
                f"{median(entry['plain']):.3f} s",
                f"{median(entry['written']):.3f} s",
                f"{seconds:.4f} s",
                figure(median(speeds)),
                f"{figure(min(speeds))} to {figure(max(speeds))}",
                figure(median(entry["floor"])),
            ]
        )
    columns = ["threads", "batch", "without", "first", "later", "GB/s", "min to max", "floor"]
    parts = [
        "# Cache: epochs from parsed rows",
        where(results),
        f"""A HIGGS-shaped file, {results["megabytes"]:,.0f} MB of text and \
{results["float_megabytes"]:,.0f} MB of float32, file and cache in the page cache; medians of \
{results["rounds"]} rounds. "Without" is an epoch without a cache, "first" one that also writes \
it, "later" one that reads it, whose sums are checked. GB/s are thousands of millions of bytes of \
float32 a second in the later epochs; the floor is to read the cache's file with `readinto`, on \
one thread, 256 KiB at a time into the same buffer.""",
        table(columns, rows, "r" * len(columns)),
    ]
    return "\n\n".join(parts) + "\n"
