"""Print what csvfeed and one of its extras require, but not csvfeed: pip need not wait for it."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def required(extra: str) -> Iterator[str]:
    for requirement in PROJECT["optional-dependencies"][extra]:
        if own := re.fullmatch(r"csvfeed\[(.+)\]", requirement):
            for other in own[1].split(","):
                yield from required(other)
        else:
            yield requirement


print(*PROJECT["dependencies"], *required(sys.argv[1]), sep="\n")
