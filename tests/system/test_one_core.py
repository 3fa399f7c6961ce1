"""A process that may use a single core reads on the thread that asks for batches."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from processes import python

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores"
)

ROWS = "".join(f"{row},{row % 7},{-row}.5\n" for row in range(20_000))
ON_ONE_CORE = """
    import os, sys
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import csvfeed
    ds = csvfeed.CsvDataset(sys.argv[1], header=["a", "b", "y"], batch_size=int(sys.argv[2]))
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.parametrize("batch_size", [1_000, 15_000])
def test_one_core_reads_the_same_rows_without_a_thread_of_its_own(path, batch_size):
    code = f"""{ON_ONE_CORE}
    before = len(os.listdir("/proc/self/task"))
    rows = 0
    for X, y in ds:
        assert len(os.listdir("/proc/self/task")) == before
        for (a, b), value in zip(X.tolist(), y.tolist()):
            assert (a, b, value) == (rows, rows % 7, -(rows + 0.5) if rows else 0.5)
            rows += 1
    print(rows)
    """
    assert python(code, path, batch_size) == "20000\n"


def test_ctrl_c_ends_a_batch_that_one_core_reads(path):
    with path.open("a") as file:
        for _ in range(100):
            file.write(ROWS)
    code = textwrap.dedent(f"""{ON_ONE_CORE}
    print("ready", flush=True)
    while True:
        next(iter(ds))
    """)
    command = [sys.executable, "-W", "ignore", "-c", code, str(path), "1000000000"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, errors
    assert "panicked" not in errors
