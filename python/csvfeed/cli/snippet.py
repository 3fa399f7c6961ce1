"""A suggested dataset as Python code."""

from __future__ import annotations

import textwrap
from typing import Any

import csvfeed
from csvfeed.cli.files import STDIN
from csvfeed.cli.suggestion import Suggestion
from csvfeed.typeset import takes

_WIDTH = 79


def snippet(files: list[str], suggestion: Suggestion) -> str:
    """Return the code of a suggestion, or comments that say why there is no suggestion."""
    if suggestion.problem:
        return _comment(f"no code reads this table as it is: {suggestion.problem}", "")
    lines = ["import csvfeed", "", "ds = csvfeed.CsvDataset("]
    if STDIN in files:
        lines.insert(0, "import sys\n")
    sources = ["sys.stdin.buffer" if file == STDIN else literal(file) for file in files]
    lines.append(f"    {sources[0] if len(sources) == 1 else _listed(sources, 4)},")
    for name, value in suggestion.options.items():
        code = f"    {name}={_argument(name, value)},"
        notes = suggestion.notes.get(name, [])
        if len(notes) == 1 and "\n" not in code and len(f"{code}  # {notes[0]}") <= _WIDTH:
            lines.append(f"{code}  # {_plain(notes[0])}")
        else:
            lines += [_comment(note, "    ") for note in notes]
            lines.append(code)
    lines.append(")")
    lines += [_comment(remark, "") for remark in suggestion.remarks]
    return "\n".join(lines)


def literal(value: Any) -> str:
    """Return a value as Python code, in characters that the output can show."""
    if isinstance(value, str):
        is_plain = value.isprintable() and not {'"', "\\"} & set(value)
        if not takes(value):
            return ascii(value)
        return f'"{value}"' if is_plain else repr(value)
    if isinstance(value, csvfeed.Date):
        parts = ", ".join(map(literal, value.parts))
        return f"csvfeed.Date({parts}, format={literal(value.format)})"
    if isinstance(value, csvfeed.Duration):
        return f"csvfeed.Duration({literal(value.unit)})"
    if isinstance(value, csvfeed.List):
        separated = "" if value.separator == " " else f", separator={literal(value.separator)}"
        return f"csvfeed.List({value.length}{separated})"
    if isinstance(value, csvfeed.MultiHot):
        return f"csvfeed.MultiHot({literal(value.categories)}, {literal(value.separator)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def _argument(name: str, value: Any) -> str:
    room = 5 + len(name)
    if name == "missing":
        tokens = [literal(token) for token in value if token not in csvfeed.MISSING]
        return _listed(["*csvfeed.MISSING", *tokens], room)
    if isinstance(value, list):
        return _listed([literal(one) for one in value], room)
    if isinstance(value, dict):
        return _listed([f"{literal(k)}: {literal(v)}" for k, v in value.items()], room, "{}")
    return literal(value)


def _listed(items: list[str], room: int, around: str = "[]") -> str:
    """Return a list as code after ``room`` characters, on several lines if it is long."""
    one = f"{around[0]}{', '.join(items)}{around[1]}"
    if room + len(one) < _WIDTH:
        return one
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > _WIDTH - 10:
            lines.append("")
        lines[-1] += f"{item}, "
    inner = "\n".join(f"        {line.rstrip()}" for line in lines)
    return f"{around[0]}\n{inner}\n    {around[1]}"


def _comment(text: str, indent: str) -> str:
    start = f"{indent}# "
    return "\n".join(
        textwrap.wrap(
            _plain(text),
            _WIDTH,
            initial_indent=start,
            subsequent_indent=f"{start}  ",
            break_long_words=True,
            break_on_hyphens=False,
        )
    )


def _plain(text: str) -> str:
    """Return a text on one line, so that all of it stays a comment."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
