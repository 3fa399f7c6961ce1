"""Sub-interpreters, which csvfeed refuses."""

import importlib
import sys

import pytest
from processes import python

NAME = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
interpreters = pytest.importorskip(NAME)

ASK = f"""
    import {NAME} as interpreters

    def told(interpreter):
        # Before Python 3.13, an error is raised here.
        try:
            return str(interpreters.run_string(interpreter, "import csvfeed"))
        except interpreters.RunFailedError as error:
            return str(error)
        finally:
            interpreters.destroy(interpreter)

    def is_refused(interpreter):
        words = told(interpreter)
        parts = "ImportError", "sub-interpreter", "threads or processes", "ThreadPoolExecutor"
        return all(part in words for part in parts)
"""


@pytest.mark.parametrize("first", ["", "import csvfeed"])
def test_a_sub_interpreter_is_told_what_to_use_instead(first):
    code = f"""
    {first}
    {ASK}
    assert is_refused(interpreters.create())
    assert is_refused(interpreters.create())
    import csvfeed
    print([(X.tolist(), y.tolist()) for X, y in csvfeed.CsvDataset(b"1,2\\n")])
    """
    assert python(code) == "[([[1.0]], [2.0])]\n"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="it has the GIL of the process")
@pytest.mark.parametrize("kind", ["isolated", "legacy"])
def test_so_is_one_with_a_gil_of_its_own_and_one_without(kind):
    code = f"""
    {ASK}
    assert is_refused(interpreters.create({kind!r}))
    print("refused")
    """
    assert python(code) == "refused\n"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="Python 3.14 is the first to have it")
def test_so_is_a_pool_of_interpreters():
    from concurrent.futures import InterpreterPoolExecutor

    with InterpreterPoolExecutor(1) as pool:
        asked = pool.submit(importlib.import_module, "csvfeed")
        with pytest.raises(ImportError, match="ThreadPoolExecutor"):
            asked.result(timeout=60)
