"""Ray Data on one CSV file: the tasks of csvfeed and their memory, and Ray's own reader beside it.

Run it with an environment that has the extra ``ray``, on a file of a gigabyte:

    python benches/ray_data.py numbers.csv y
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import threading
import time
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray

import csvfeed
import csvfeed.train.ray
from csvfeed.ray import CsvDatasource

MIB = 1 << 20


class Peaks:
    """The most memory of each process that reads, looked at every few milliseconds."""

    def __init__(self) -> None:
        self.private: dict[int, int] = {}
        self.all: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peaks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    if not (status.parent / "cmdline").read_bytes().startswith(b"ray::Read"):
                        continue
                    kib = dict(re.findall(r"^(\w+):\s+(\d+) kB", status.read_text(), re.M))
                except OSError:
                    continue
                pid = int(status.parent.name)
                private, whole = int(kib["RssAnon"]), int(kib["VmRSS"])
                self.private[pid] = max(self.private.get(pid, 0), private)
                self.all[pid] = max(self.all.get(pid, 0), whole)


def consume(rows: ray.data.Dataset) -> int:
    """Take every block of a dataset, and return the number of rows."""
    return sum(
        len(batch["y"]) for batch in rows.iter_batches(batch_size=None, batch_format="numpy")
    )


def idle() -> tuple[int, int]:
    """Return the private and the whole memory of a worker that has imported everything, in KiB."""
    import csvfeed.ray  # noqa: F401

    kib = dict(re.findall(r"^(\w+):\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M))
    return int(kib["RssAnon"]), int(kib["VmRSS"])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("target")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--cpus", type=int, default=2)
    given = parser.parse_args()
    ray.init(
        num_cpus=given.cpus,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False

    began = time.perf_counter()
    ds = csvfeed.CsvDataset(given.path, target=given.target)
    source = CsvDatasource(ds)
    counted = time.perf_counter() - began
    tasks = source.get_read_tasks(-1)
    portions = ds.epochs.portions(csvfeed.train.ray.TASK_BYTES)
    text = max(portion.text_bytes for portion in portions)
    carried = [len(ray.cloudpickle.dumps(task)) for task in tasks]
    size = os.path.getsize(given.path) / 1e9
    print(f"{size:.2f} GB, {ds.num_rows} rows, counted in {counted:.2f} s")
    print(f"{len(tasks)} tasks of up to {text / MIB:.0f} MiB, pickled {max(carried)} bytes at most")

    private, whole = ray.get(ray.remote(max_calls=1)(idle).remote())
    with Peaks() as peaks:
        # Each task in a process of its own, which nothing has filled before.
        rows = ray.data.read_datasource(source, max_calls=1)
        consume(rows)
    most, most_whole = max(peaks.private.values()), max(peaks.all.values())
    limit = 3 * text / MIB
    print(
        f"memory of a task: private at most {most / 1024:.0f} MiB, {(most - private) / 1024:.0f} "
        f"more than an idle worker; with shared pages {most_whole / 1024:.0f} MiB, "
        f"{(most_whole - whole) / 1024:.0f} more; 3 x its text is {limit:.0f} MiB"
    )

    ways = {
        "csvfeed": lambda: csvfeed.CsvDataset(given.path, target=given.target).to_ray(),
        "ray.data.read_csv": lambda: ray.data.read_csv(given.path),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(given.times):
        for way, read in ways.items():
            began = time.perf_counter()
            assert consume(read()) == ds.num_rows
            seconds[way].append(time.perf_counter() - began)
            print(f"{way:18} {seconds[way][-1]:6.2f} s")
    for way, found in seconds.items() if given.times else ():
        print(f"{way:18} median {statistics.median(found):.2f} s")


if __name__ == "__main__":
    main()
