"""The pages that tell the results in Markdown."""

from __future__ import annotations

from statistics import median

MEBIBYTE = 1 << 20
CORES = {"one": "One core", "all": "All cores"}


def readers_page(results: dict) -> str:
    """Return the comparison of readers as Markdown."""
    parts = [
        "# Readers: CSV text to float32 batches",
        where(results),
        f"""Each reader is asked for the same batches of {results["batch_size"]:,} rows: `X` \
float32 (rows, features) and `y` float32 (rows,), both contiguous, a missing value being NaN, \
column types given beforehand. Each run is one pass over a file in the page cache, in a fresh \
process; imports, a warm-up on 0.1 MB and a short pause come before the clock starts. The readers \
took turns for {results["rounds"]} rounds. "One core" means a process bound to one core and a \
library told to use one thread; "all cores" leaves each library its own choice.""",
        """MB/s is millions of bytes of text a second, the median of the rounds; "csvfeed is \
faster by" is the median of each round's ratio. "Memory" is the peak of resident memory above what \
it was after importing, the highest of the rounds; pages of a memory-mapped file count. "Floats" \
says what a comparison of the file's first 4 MB with the correctly rounded values gave; a reader \
that is off by more than a neighbouring float32 gets no time. Slow readers are timed on the \
beginning of a file, as much as "read" says. "The bytes alone" is no reader: it reads the file in \
pieces that stay in the cache and looks at each byte once.""",
    ]
    if results["files"]:
        parts += [summary(results, cores) for cores in CORES if entries(results, cores=cores)]
        parts += [large_batches(results, cores) for cores in CORES if results.get("large")]
    for file in results["files"]:
        head = f"## {file['name']}: {file['about']}"
        parts.append(f"{head}\n\n{file['rows']:,} rows, {file['megabytes']:,.0f} MB.")
        parts += [
            details(results, file["name"], cores)
            for cores in CORES
            if entries(results, file=file["name"], cores=cores)
        ]
    if results["halfway"]:
        rows = [[label, verdict] for label, verdict in results["halfway"].items()]
        parts.append(
            "## Hard roundings\n\nNumbers a hair above the middle of two float32s, where rounding "
            "first to float64 and then to float32 goes the wrong way half of the time. Such "
            "numbers are rare: of long random decimals, about one in a thousand million.\n\n"
            + table(["reader", "floats"], rows, "ll")
        )
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(results: dict, cores: str, title: str = "") -> str:
    files = [file["name"] for file in results["files"]]
    labels = list(dict.fromkeys(entry["label"] for entry in results["entries"]))
    rows = []
    for label in labels:
        row = [label]
        for file in files:
            found = entries(results, cores=cores, label=label, file=file)
            timed = [entry for entry in found if entry["reason"] is None]
            row.append(figure(median(speeds(timed[0]))) if timed else "-" if found else "")
        rows.append(row)
    row = ["csvfeed, of the bytes alone"]
    for file in files:
        ratio = floor_share(results, file, cores)
        row.append("" if ratio is None else f"{ratio:.0%}")
    rows += [row] if any(row[1:]) else []
    columns = ["reader", *files]
    return f"## {title or CORES[cores]}, MB/s\n\n" + table(columns, rows, "l" + "r" * len(files))


def large_batches(results: dict, cores: str) -> str:
    """Return the table of the readers that were also asked for large batches."""
    title = f"{CORES[cores]}, batches of {results['large_batch_size']:,} rows"
    large = results | {"entries": results["large"]}
    return summary(large, cores, title) if entries(large, cores=cores) else ""


def details(results: dict, file: str, cores: str) -> str:
    rows, left_out = [], []
    for entry in entries(results, cores=cores, file=file):
        if entry["reason"] is not None:
            left_out.append(f"{entry['label']}: {entry['reason']}.")
            continue
        speed = speeds(entry)
        ratio = ratio_to_csvfeed(results, entry)
        rows.append(
            [
                entry["label"],
                figure(median(speed)),
                f"{figure(min(speed))} to {figure(max(speed))}",
                "-" if ratio is None else f"{ratio:.1f}x",
                f"{max(entry['peak']) / MEBIBYTE:,.0f} MiB",
                entry["floats"],
                f"{entry['megabytes']:,.0f} MB",
            ]
        )
    if not rows and not left_out:
        return ""
    columns = ["reader", "MB/s", "min to max", "csvfeed is faster by", "memory", "floats", "read"]
    text = f"### {file}, {CORES[cores].lower()}\n\n" + table(columns, rows, "lrrrrlr")
    return text + "".join(f"\n\nLeft out: {reason}" for reason in left_out)


def floor_share(results: dict, file: str, cores: str) -> float | None:
    """Return the speed of csvfeed as a share of that of the bytes alone."""
    floor = entries(results, cores=cores, file=file, reader="floor")
    return ratio_to_csvfeed(results, floor[0]) if floor else None


def ratio_to_csvfeed(results: dict, entry: dict) -> float | None:
    """Return how many times as fast csvfeed was: the median over the rounds."""
    ours = entries(results, cores=entry["cores"], file=entry["file"], reader="csvfeed")
    if not ours or ours[0]["reason"] is not None:
        return None
    pairs = zip(speeds(ours[0]), speeds(entry), strict=True)
    return median(our / their for our, their in pairs)


def speeds(entry: dict) -> list[float]:
    """Return the MB/s of each round."""
    return [entry["megabytes"] / seconds for seconds in entry["seconds"]]


def entries(results: dict, **wanted: str) -> list[dict]:
    """Return the entries whose values are those wanted."""
    return [
        entry
        for entry in results["entries"]
        if all(entry[key] == value for key, value in wanted.items())
    ]


BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX"}


def fit_settings(results: dict) -> list[tuple[str, int]]:
    """Return what was measured: each backend, with each number of steps per execution."""
    pairs = ((entry["backend"], entry["steps_per_execution"]) for entry in results["entries"])
    return list(dict.fromkeys(pairs))


def fit_title(backend: str, count: int) -> str:
    return f"{BACKENDS[backend]}, steps_per_execution={count}"


def fit_page(results: dict) -> str:
    """Return the comparison of ways to feed ``model.fit`` as Markdown."""
    parts = [
        "# Feeding model.fit: microseconds a step",
        where(results),
        f"""One `fit` call of one epoch, {results["steps"]:,} steps of {results["batch_size"]} \
rows, timed whole and divided by its steps. The model has three dense layers (16 relu, 8 relu, \
1), mean absolute error, Adam and mean squared error as metric; the file has two columns. Rows \
come in the file's order (`shuffle=False`), but for "shuffled": that is \
`ds.shuffle()`, a new order each epoch. On each backend all routes took turns in one process for \
{results["rounds"]} rounds, after one epoch each to warm up. The figures are medians; \
"to arrays" is the median of each round's ratio to arrays in memory.""",
    ]
    for backend, count in fit_settings(results):
        found = entries(results, backend=backend, steps_per_execution=count)
        rows = [[entry["label"], *fit_cells(results, entry)] for entry in found]
        columns = ["fed from", "microseconds", "min to max", "to arrays"]
        parts.append(f"## {fit_title(backend, count)}\n\n" + table(columns, rows, "lrrr"))
    return "\n\n".join(parts) + "\n"


def fit_cells(results: dict, entry: dict) -> list[str]:
    times = entry["microseconds"]
    spread = f"{min(times):,.0f} to {max(times):,.0f}"
    return [f"{median(times):,.0f}", spread, f"{ratio_to_arrays(results, entry):.2f}x"]


def ratio_to_arrays(results: dict, entry: dict) -> float:
    """Return the median over the rounds of a route's time over that of arrays in memory."""
    where_measured = {name: entry[name] for name in ("backend", "steps_per_execution")}
    (arrays,) = entries(results, **where_measured, route="arrays")
    pairs = zip(entry["microseconds"], arrays["microseconds"], strict=True)
    return median(time / base for time, base in pairs)


STAGES = {
    "floor": "read and count lines",
    "index": "index",
    "number": "number",
    "block": "block",
    "pipeline-1": "pipeline, 1 thread",
    "pipeline-2": "pipeline, 2 threads",
}


def stages_page(results: dict) -> str:
    """Return the times of the stages as Markdown."""
    sets = list(dict.fromkeys(e["simd"] for e in results["entries"] if e["simd"]))
    parts = [
        "# Stages: where the time goes",
        where(results),
        """Medians of 20 samples, measured by Criterion. "index" finds the fields of a text of \
256 KiB; "number" converts them, their places at hand, and leaves aside what the fast paths \
decline; "block" does both, reads with care what was declined and lays the rows out. All three \
find their text in the cache. "pipeline" reads a file from the page cache into batches of 4,096 \
rows, and the floor is to read that file and count its lines with memchr.""",
        busy(results),
        "GB/s is thousands of millions of bytes of text a second, and ns nanoseconds a field.",
    ]
    for simd in sets:
        rows = [
            [text, *(stage_speed(results, text, stage, simd) for stage in STAGES)]
            for text in results["texts"]
        ]
        parts.append(f"## {simd}, GB/s\n\n" + table(["text", *STAGES.values()], rows, "lrrrrrr"))
    for text, about in results["texts"].items():
        columns = ["stage", *(cell for simd in sets for cell in (f"{simd}, ns", "min to max"))]
        rows = [
            [label, *(cell for simd in sets for cell in stage_times(results, text, stage, simd))]
            for stage, label in STAGES.items()
        ]
        parts.append(f"## {text}: {about}\n\n" + table(columns, rows, "l" + "rr" * len(sets)))
    return "\n\n".join(part for part in parts if part) + "\n"


def busy(results: dict) -> str:
    """Return a warning if other processes were running when the measuring began."""
    if results["load"] < 0.5:
        return ""
    return (
        f"The machine was busy, with a load of {results['load']:.1f}: the fastest of the samples "
        "say more than the medians."
    )


def stage_entry(results: dict, text: str, stage: str, simd: str) -> dict | None:
    """Return the entry of a stage; the floor is the same for every instruction set."""
    found = entries(results, text=text, stage=stage)
    return next((entry for entry in found if entry["simd"] in (simd, None)), None)


def stage_speed(results: dict, text: str, stage: str, simd: str) -> str:
    entry = stage_entry(results, text, stage, simd)
    return f"{entry['bytes'] / entry['nanoseconds']['median']:.2f}" if entry else "-"


def stage_times(results: dict, text: str, stage: str, simd: str) -> list[str]:
    entry = stage_entry(results, text, stage, simd)
    if entry is None:
        return ["-", "-"]
    times = {name: time / entry["fields"] for name, time in entry["nanoseconds"].items()}
    return [f"{times['median']:.2f}", f"{times['min']:.2f} to {times['max']:.2f}"]


def soak_page(results: dict) -> str:
    """Return what memory did in long runs as Markdown."""
    rows = []
    for entry in results["entries"]:
        sizes = [size / MEBIBYTE for _, size in entry["curve"]]
        tenth = max(1, len(sizes) // 10)
        early, late = median(sizes[tenth : 2 * tenth]), median(sizes[-tenth:])
        rows.append(
            [
                BACKENDS[entry["backend"]],
                entry["label"],
                f"{early:,.1f}",
                f"{late:,.1f}",
                f"{late - early:+,.1f}",
                f"{max(sizes):,.1f}",
                f"{entry['seconds']:,.0f}",
            ]
        )
    columns = ["backend", "course", "early", "late", "growth", "most", "seconds"]
    parts = [
        "# Long runs: MiB of resident memory",
        where(results),
        """Each course runs in a process of its own; its resident memory, that of Keras and its \
backend included, is noted at equal distances. "Early" is the median of the second tenth of the \
course, when everything has been made once, and "late" that of the last tenth. 3,600,000 batches \
are an hour of a model that takes a millisecond a step; they are read as Keras reads them, without \
a model. Arrays in memory show what Keras itself does.""",
        table(columns, rows, "llrrrrr"),
    ]
    return "\n\n".join(parts) + "\n"


PAGES = {"readers": readers_page, "fit": fit_page, "soak": soak_page, "stages": stages_page}


def where(results: dict) -> str:
    """Return a paragraph with the date, the machine and the versions."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    simd = f"csvfeed uses {machine['instructions']}" if machine["instructions"] else ""
    facts = [
        f"{machine['processor']}, {machine['cores']} cores",
        f"{machine['memory'] / 2**30:,.0f} GiB of memory",
        machine["system"],
        simd,
    ]
    return f"{results['date']}. {', '.join(fact for fact in facts if fact)}. {versions}."


def table(columns: list[str], rows: list[list[str]], alignment: str) -> str:
    """Return a Markdown table; ``alignment`` has an l or an r for each column."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = (
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(cells, widths, alignment, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if side == "l" else "-" * (width - 1) + ":"
        for width, side in zip(widths, alignment, strict=True)
    ]
    return "\n".join([line(columns), line(rule), *map(line, rows)])


def figure(number: float) -> str:
    """Return a number with as many decimals as are worth reading."""
    return f"{number:,.1f}" if number < 10 else f"{number:,.0f}"
