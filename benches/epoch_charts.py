"""The chart that shows how random an order is."""

from __future__ import annotations

from statistics import median

from charts import INK, OTHERS, OURS, tidy
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def shuffle_chart(results: dict) -> Figure:
    """Draw, for each order, how far the rows of a batch reach and the loss that training ends with.

    Results without the orders give an empty figure.
    """
    figure = Figure(figsize=(10.5, 3.2), layout="constrained")
    if "orders" not in results:
        return figure
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    left, right = figure.subplots(1, 2)
    entries = results["orders"]
    labels = [entry["label"] for entry in entries]
    reach = [entry["reach"] for entry in entries]
    bars(left, reach, [f"{value:.2f}" for value in reach], "how far the rows of a batch reach")
    left.set_yticks(range(len(labels)), labels)
    losses = [median(entry["losses"]) for entry in entries]
    texts = [f"{value:.3f}" for value in losses]
    bars(right, losses, texts, f"loss over all rows after {results['epochs']} epochs")
    right.set_yticks(range(len(labels)), [""] * len(labels))
    figure.suptitle(
        f"A file sorted by its label, {results['times_memory']} times as large as the memory",
        color=INK,
        fontsize=13,
        fontweight="bold",
    )
    return figure


def bars(axes: Axes, values: list[float], texts: list[str], title: str) -> None:
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        ours = place == 1
        axes.barh(place, value, height=0.66, color=OURS if ours else OTHERS, zorder=2)
        axes.annotate(
            text,
            (value, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
            color=OURS if ours else INK,
            fontweight="bold" if ours else "normal",
        )
    axes.set_xlim(0, max(values) * 1.2)
    axes.set_ylim(len(values) - 0.45, -0.55)
    axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold")
    tidy(axes)
