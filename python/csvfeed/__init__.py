"""Train models from CSV files that do not fit in memory."""

# First, so that Ctrl-C ends the command quietly while all else is imported.
import csvfeed.command

# isort: split
# Before NumPy, which says less in a sub-interpreter.
import csvfeed.interpreter  # noqa: F401

# isort: split
from csvfeed.columns import Date, Duration, List, MultiHot
from csvfeed.conditions import ABSENT, PRESENT
from csvfeed.dataset import MISSING, CsvDataset
from csvfeed.dialect import Dialect
from csvfeed.engine import simd, warn_of_debug_build
from csvfeed.errors import (
    CsvError,
    DialectError,
    EncodingError,
    NumberError,
    QuoteError,
    RowLengthError,
    SourceChangedError,
)
from csvfeed.generator import generate_arrays_from_file
from csvfeed.head import Head
from csvfeed.mixed import Mix, mix
from csvfeed.other_names import no_attribute
from csvfeed.rejects import Rejects
from csvfeed.stats import ColumnStats

# fmt: off
__all__ = [
    "ABSENT", "MISSING", "PRESENT", "ColumnStats", "CsvDataset", "CsvError", "Date", "Dialect",
    "DialectError", "Duration", "EncodingError", "Head", "List", "Mix", "MultiHot", "NumberError",
    "QuoteError", "Rejects", "RowLengthError", "SourceChangedError", "generate_arrays_from_file",
    "mix", "simd",
]
# fmt: on

__version__: str


def __getattr__(name: str) -> object:
    if name != "__version__":
        return no_attribute(name)
    # What reads it takes a fifth of the time of the whole import, and few ask.
    from importlib.metadata import version

    found = globals()[name] = version("csvfeed")
    return found


warn_of_debug_build()
