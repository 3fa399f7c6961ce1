"""The package as it is installed."""

import doctest
import importlib
import os
import subprocess
import sys
from importlib.metadata import metadata, requires, version
from importlib.resources import files

import numpy as np
import pytest

import csvfeed


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_import_loads_numpy_so_that_no_batch_has_to():
    # What goes wrong in that import, a Ctrl-C included, is then an exception like any other.
    code = "import sys, csvfeed; print('numpy' in sys.modules)"
    assert run("-W", "ignore", "-c", code).stdout == "True\n"
    done = run("-W", "ignore", "-c", "import sys; sys.modules['numpy'] = None; import csvfeed")
    assert "ModuleNotFoundError" in done.stderr
    assert "numpy" in done.stderr


def test_import_loads_nothing_but_numpy():
    code = (
        "import sys; before = set(sys.modules); import csvfeed;"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )
    done = run("-W", "ignore", "-c", code)
    assert done.stderr == ""
    # The last is Python's, though it does not list it.
    assert set(eval(done.stdout)) <= {"csvfeed", "numpy", "_xxsubinterpreters"}


def test_import_leaves_what_is_slow_for_when_it_is_needed():
    slow = {"asyncio", "email", "importlib.metadata", "logging", "socket", "ssl", "subprocess"}
    slow |= {"tempfile", "unittest", "zipfile"}
    # Some versions of numpy need one of them; that is no matter of csvfeed's.
    code = (
        "import sys, numpy; before = set(sys.modules); import csvfeed;"
        "print(set(sys.modules) - before)"
    )
    assert not slow & eval(run("-W", "ignore", "-c", code).stdout)


def test_reading_loads_neither_tensorflow_nor_keras():
    code = (
        "import sys, csvfeed; ds = csvfeed.CsvDataset(b'1,2\\n'); len(ds); list(ds);"
        "print({'tensorflow', 'keras', 'torch', 'pandas'} & set(sys.modules))"
    )
    assert run("-W", "ignore", "-c", code).stdout == "set()\n"


def test_import_warns_of_a_debug_build_and_of_nothing_else():
    done = run("-W", "error", "-c", "import csvfeed")
    if csvfeed._core.DEBUG:
        assert done.returncode == 1
        assert "RuntimeWarning: this csvfeed is a debug build" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_the_instruction_set_may_be_chosen():
    code = "import csvfeed; csvfeed.CsvDataset(b'1,2\\n'); print(csvfeed.simd())"
    for name in ("portable", csvfeed.simd()):
        done = run("-W", "ignore", "-c", code, CSVFEED_SIMD=name)
        assert (done.stdout, done.stderr) == (f"{name}\n", "")


def test_an_instruction_set_that_is_not_there_is_named_with_those_that_are():
    for work in ("csvfeed.simd()", "list(csvfeed.CsvDataset(b'1,2\\n'))"):
        done = run("-W", "ignore", "-c", f"import csvfeed; {work}", CSVFEED_SIMD="sse9")
        assert done.returncode == 1
        assert "panicked" not in done.stderr
        for part in ("CsvError", "CSVFEED_SIMD", "sse9", "portable"):
            assert part in done.stderr


def test_numpy_is_the_only_requirement():
    needed = [line for line in requires("csvfeed") if "extra ==" not in line]
    assert [line.split(">")[0].strip() for line in needed] == ["numpy"]
    assert {"tensorflow", "bench", "dev"} <= set(metadata("csvfeed").get_all("Provides-Extra"))


def test_the_version_is_that_of_the_package():
    assert csvfeed.__version__ == version("csvfeed")
    assert csvfeed.__version__[0].isdigit()


def test_the_package_is_typed():
    for name in ("py.typed", "_core.pyi"):
        assert (files("csvfeed") / name).is_file()


def test_the_stubs_name_what_the_extension_has():
    stubs = (files("csvfeed") / "_core.pyi").read_text()
    for name in vars(csvfeed._core):
        if not name.startswith("_"):
            assert any(f"{form}{name}" in stubs for form in ("class ", "def ", "\n")), name
    for cls in ("Reader", "Plan", "Batches", "Progress"):
        for name in vars(getattr(csvfeed._core, cls)):
            if not name.startswith("__"):
                assert f"def {name}(" in stubs, name


def test_all_public_names_are_there_and_documented():
    namespace = {}
    exec("from csvfeed import *", namespace)
    for name in csvfeed.__all__:
        assert name in namespace
        assert name == "MISSING" or getattr(csvfeed, name).__doc__
    assert sorted(csvfeed.__all__) == sorted(
        [
            "ABSENT",
            "MISSING",
            "PRESENT",
            "ColumnStats",
            "CsvDataset",
            "CsvError",
            "Date",
            "Dialect",
            "DialectError",
            "Duration",
            "EncodingError",
            "Head",
            "List",
            "MultiHot",
            "Mix",
            "NumberError",
            "QuoteError",
            "Rejects",
            "RowLengthError",
            "SourceChangedError",
            "generate_arrays_from_file",
            "mix",
            "simd",
        ]
    )


EXAMPLES = [
    path.stem
    for path in files("csvfeed").iterdir()
    if path.suffix == ".py" and ">>>" in path.read_text()
]


@pytest.mark.parametrize("module", EXAMPLES)
def test_the_examples_in_the_docstrings_are_true(module):
    found = doctest.testmod(importlib.import_module(f"csvfeed.{module}"))
    assert found.failed == 0
    assert found.attempted > 0


def test_an_array_is_plain_numpy():
    ((X, y),) = csvfeed.CsvDataset(b"1,2,3\n4,5,6\n")
    assert np.asarray(X) is X
    np.testing.assert_array_equal(X @ X.T, [[5, 14], [14, 41]])
    assert (X.sum(), y.mean()) == (12, 4.5)
    assert np.concatenate([X, y[:, None]], axis=1).tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("module", "call", "install"),
    [
        ("keras", "ds.to_keras()", "csvfeed[tensorflow]"),
        ("keras", "ds.normalization()", "csvfeed[tensorflow]"),
        ("keras", "__import__('csvfeed.keras')", "csvfeed[tensorflow]"),
        ("tensorflow", "ds.to_tf()", "csvfeed[tensorflow]"),
        ("torch", "ds.to_torch()", "csvfeed[torch]"),
        ("ray", "ds.to_ray()", "csvfeed[ray]"),
        ("ray", "__import__('csvfeed.ray')", "csvfeed[ray]"),
    ],
)
def test_what_is_not_installed_is_named_with_what_brings_it(module, call, install):
    code = (
        f"import sys; sys.modules[{module!r}] = None; import csvfeed;"
        f"ds = csvfeed.CsvDataset(b'a,y\\n1,2\\n'); {call}"
    )
    done = run("-W", "ignore", "-c", code)
    assert done.stderr.count(f"pip install '{install}'") == 1
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError")
