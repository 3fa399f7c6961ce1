"""The charts that show the results."""

from __future__ import annotations

from statistics import median

import tables
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import StrMethodFormatter

OURS = "#d1495b"
OTHERS = "#9fb3c8"
INK = "#243b53"
FAINT = "#829ab1"


def readers_chart(results: dict) -> Figure:
    """Draw the readers' speeds: a panel a file, bars for one core, rings for all cores."""
    readers = [entry for entry in results["entries"] if entry["reader"] != "floor"]
    results = results | {"entries": readers}
    files = results["files"]
    columns = min(3, len(files) + 1)
    rows = -(-(len(files) + 1) // columns)
    figure = Figure(figsize=(4.4 * columns, 3.5 * rows + 0.7), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    panels = list(grid.flat)
    for index, (file, axes) in enumerate(zip(files, panels, strict=False)):
        readers_panel(axes, results, file, labelled=index % columns == 0)
    for axes in panels[len(files) :]:
        axes.axis("off")
    speeds = [s for entry in timed(results) for s in tables.speeds(entry)] or [1.0]
    panels[0].set_xlim(min(1.0, min(speeds) / 1.5), max(speeds) * 4.5)
    legend(panels[len(files)], results)
    figure.suptitle(
        "CSV text to float32 batches, MB/s (log scale; medians of interleaved runs)",
        color=INK,
        fontsize=14,
        fontweight="bold",
    )
    return figure


def readers_panel(axes: Axes, results: dict, file: dict, *, labelled: bool) -> None:
    labels = list(dict.fromkeys(entry["label"] for entry in results["entries"]))
    bars = [entry for entry in timed(results, file["name"]) if entry["cores"] == "one"]
    rings = [entry for entry in timed(results, file["name"]) if entry["cores"] == "all"]
    axes.set_xscale("log")
    # A panel without one-core runs shows the others as bars.
    for entry in bars or rings:
        place, speed = labels.index(entry["label"]), median(tables.speeds(entry))
        ours = entry["reader"] == "csvfeed"
        axes.barh(place, speed, height=0.72, color=OURS if ours else OTHERS, zorder=2)
        beyond = [median(tables.speeds(ring)) for ring in rings if ring["label"] == entry["label"]]
        axes.annotate(
            tables.figure(speed),
            (max([speed, *beyond]), place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=OURS if ours else INK,
            fontweight="bold" if ours else "normal",
        )
    for entry in rings if bars else []:
        place, speed = labels.index(entry["label"]), median(tables.speeds(entry))
        edge = OURS if entry["reader"] == "csvfeed" else INK
        axes.plot(speed, place, "o", ms=5.5, mfc="white", mec=edge, mew=1.3, zorder=3)
    drawn = {entry["label"] for entry in bars or rings}
    for place, label in enumerate(labels):
        if label not in drawn:
            axes.annotate(
                "left out",
                (0.02, place),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=8.5,
                color=FAINT,
                style="italic",
            )
    axes.set_title(file["name"], loc="left", color=INK, fontsize=12, fontweight="bold")
    axes.set_title(file["about"], loc="right", color=FAINT, fontsize=8.5)
    axes.set_yticks(range(len(labels)), labels if labelled else [""] * len(labels))
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.tick_params(labelbottom=True)
    tidy(axes)


def legend(axes: Axes, results: dict) -> None:
    cores = results["machine"]["cores"]
    marks = [
        Patch(color=OURS, label="csvfeed on one core"),
        Patch(color=OTHERS, label="other readers on one core"),
        Line2D(
            [],
            [],
            marker="o",
            ls="",
            ms=6,
            mfc="white",
            mec=INK,
            label=f"all {cores} cores (the numbers are for one)",
        ),
    ]
    shown = {entry["cores"] for entry in timed(results)}
    axes.legend(
        handles=marks if "all" in shown else marks[:2],
        loc="upper left",
        frameon=False,
        fontsize=10.5,
        labelcolor=INK,
    )
    versions = results["versions"]
    lines = [f"{results['machine']['processor']}, {cores} cores", results["date"], ""]
    lines += [f"{name} {version}" for name, version in versions.items()]
    axes.text(
        0.03,
        0.62,
        "\n".join(lines),
        va="top",
        fontsize=9,
        color=FAINT,
        linespacing=1.4,
        transform=axes.transAxes,
    )


def fit_chart(results: dict) -> Figure:
    """Draw the time of a training step for each way of feeding the model."""
    settings = tables.fit_settings(results)
    figure = Figure(figsize=(4.6 * len(settings), 3.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    grid = figure.subplots(1, len(settings), squeeze=False)
    for index, ((backend, count), axes) in enumerate(zip(settings, grid.flat, strict=True)):
        entries = tables.entries(results, backend=backend, steps_per_execution=count)
        slowest = max(median(entry["microseconds"]) for entry in entries)
        for place, entry in enumerate(entries):
            time = median(entry["microseconds"])
            ours = entry["route"] in ("drop-in", "to_keras")
            axes.barh(place, time, height=0.66, color=OURS if ours else OTHERS, zorder=2)
            ratio = tables.ratio_to_arrays(results, entry)
            text = f"{time:,.0f} µs" + ("" if entry["route"] == "arrays" else f"   {ratio:.2f}x")
            axes.annotate(
                text,
                (time, place),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9.5,
                color=OURS if ours else INK,
                fontweight="bold" if ours else "normal",
            )
        labels = [entry["label"] for entry in entries]
        axes.set_yticks(range(len(labels)), labels if index == 0 else [""] * len(labels))
        axes.set_ylim(len(labels) - 0.45, -0.55)
        axes.set_xlim(0, slowest * 1.5)
        title = tables.fit_title(backend, count)
        axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        tidy(axes)
    figure.suptitle(
        f"model.fit: µs a step of {results['batch_size']} rows, and times arrays in memory",
        color=INK,
        fontsize=13,
        fontweight="bold",
    )
    return figure


def soak_chart(results: dict) -> Figure:
    """Draw resident memory over each long run, one line a course."""
    backends = list(dict.fromkeys(entry["backend"] for entry in results["entries"]))
    figure = Figure(figsize=(5.2 * len(backends), 3.6), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    grid = figure.subplots(1, len(backends), squeeze=False)
    for backend, axes in zip(backends, grid.flat, strict=True):
        for entry in tables.entries(results, backend=backend):
            done, sizes = zip(*entry["curve"], strict=True)
            shares = [100 * count / done[-1] for count in done]
            axes.plot(shares, [size / tables.MEBIBYTE for size in sizes], label=entry["label"])
        axes.set_ylim(0, axes.get_ylim()[1] * 1.1)
        axes.set_title(
            tables.BACKENDS[backend], loc="left", color=INK, fontsize=11, fontweight="bold"
        )
        axes.set_xlabel("per cent of the course", color=INK)
        tidy(axes)
    grid.flat[0].legend(loc="lower left", fontsize=7.5, frameon=False)
    figure.suptitle("Resident memory in long runs, MiB", color=INK, fontsize=13, fontweight="bold")
    return figure


CHARTS = {"readers": readers_chart, "fit": fit_chart, "soak": soak_chart}


def timed(results: dict, file: str | None = None) -> list[dict]:
    """Return the entries that have times, of one file or of all."""
    return [
        entry
        for entry in results["entries"]
        if entry["reason"] is None and file in (None, entry["file"])
    ]


def tidy(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=10)
    axes.tick_params(axis="x", which="both", color=FAINT, labelcolor=FAINT, labelsize=8.5)
    axes.grid(axis="x", color="#e4e9ef", zorder=0)
    axes.set_axisbelow(True)
