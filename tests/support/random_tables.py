"""Tables at random, written in a random dialect over several files, and what is to be read of them.

Nothing here is shared with csvfeed: what a table holds is known before it is written.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timezone

import numpy as np
from codecs_of import CODECS

import csvfeed

WORDS = ["UA", "AA", "a long category", "x;y", "a,b", "tab\tor pipe|", 'say "hi"', "it's", "#no"]
WORDS += [
    "back\\slash",
    "two\nlines",
    "6'2\"",
    "é",
    "ß",
    "€",
    "日本",
    "0",
    "True",
    "cr\r\nlf",
    "end\\",
]
COMPRESSIONS = {None: bytes, **CODECS}
TOKENS = ["NA", "null", "-", "-999", "\\N"]
LENGTH = 3
"""Values in each list."""
TAGS = ["rock", "new wave", "R&B", "é", "日本", "1", "a genre with a long name", "x"]
BOOLEANS = {"true": 1, "No": 0, "ON": 1, "off": 0, "1": 1, "0": 0, "y": 1, "F": 0}
FORMS = {
    # How a number is written in each form, given its sign and its digits.
    "percent": ["{}{}%", "{}{} %"],
    "currency": ["{}${}", "{}{} EUR", "${}{}", "USD {}{}"],
    "fortran": ["{}{}D0", "{}{}d+00"],
}
WRONG = {
    "number": ["oops", "1x", "--1", "\0"],
    "form": ["oops", "%", "$", "1x"],
    "duration": ["soon", "12:61:00", "5", "12:30"],
    "boolean": ["maybe", "2", "tru"],
    "date": ["soon", "2013-02-30", "31.02.2013", "2013"],
    "category": ["unheard of"],
    "list": ["oops", "1", "[]", "[1{0}2{0}3{0}4]", "1{0}oops{0}3", "1{0}--2{0}3"],
}


@dataclass
class Style:
    """How a table is written."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    comment: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    skip_rows: int = 0
    has_header: bool = True
    skip_rows_after_header: int = 0
    skip_footer: int = 0
    skip_initial_space: bool = False
    skip_final_space: bool = False
    short_rows: str = "raise"

    @classmethod
    def at_random(cls, rnd):
        decimal = rnd.choice([".", ".", ","])
        thousands = [None, None, ".", ",", "'", "_"]
        quote = rnd.choice(['"', '"', '"', "'", None])
        thousands = rnd.choice([one for one in thousands if one not in (decimal, quote)] + [None])
        has_header = rnd.random() < 0.8
        return cls(
            delimiter=rnd.choice([",", ",", ";", "\t", "|", " "]),
            quote=quote,
            escape=rnd.choice([None, None, "\\"]),
            comment=rnd.choice([None, None, "#"]),
            decimal=decimal,
            thousands=thousands,
            encoding=rnd.choice(["utf-8", "utf-8", "latin-1", "cp1252", "utf-16", "utf-16-le"]),
            skip_rows=rnd.choice([0, 0, 0, 2]),
            has_header=has_header,
            skip_rows_after_header=rnd.choice([0, 0, 0, 1]) if has_header else 0,
            skip_footer=rnd.choice([0, 0, 0, 1, 3]),
            skip_initial_space=quote is not None and rnd.random() < 0.3,
            skip_final_space=quote is not None and rnd.random() < 0.3,
            short_rows=rnd.choice(["raise", "fill"]),
        )

    @property
    def is_wide(self):
        return self.encoding.startswith("utf-16")

    def can_encode(self, text):
        try:
            text.encode(self.encoding)
        except UnicodeError:
            return False
        return True

    def field(self, rnd, text):
        """Return a text as a field, or None if it cannot be one."""
        specials = {self.delimiter, self.escape, "\n", "\r"} - {None}
        needs = any(byte in specials for byte in text) or (self.delimiter == " " and text == "")
        needs = needs or (self.quote and text.startswith(self.quote))
        needs = needs or (self.comment and text.startswith(self.comment))
        ways = [] if needs else ["plain", "plain"]
        ways += ["quoted"] if self.quote else []
        ways += ["escaped"] if self.escape and text else []
        if not ways:
            return None
        way = rnd.choice(ways)
        pad = rnd.choice(["", "", "", " "]) if self.delimiter != " " or way == "quoted" else ""
        if way == "quoted":
            if self.escape:
                text = text.replace(self.escape, self.escape * 2)
            doubled = rnd.choice([self.quote, self.escape or self.quote]) + self.quote
            return self.quote + pad + text.replace(self.quote, doubled) + pad + self.quote
        if way == "escaped":
            specials |= {self.quote, self.comment} - {None}
            text = "".join(self.escape + byte if byte in specials else byte for byte in text)
        # A space before what looks like a quote or a comment would make it none.
        return text + pad

    def spaces(self, rnd, shown):
        """Return what may stand before and after a field."""
        if self.delimiter == " " or not self.quote or not shown.startswith(self.quote):
            return "", ""
        some = [" ", "  "] + (["\t", " \t"] if self.delimiter != "\t" else [])
        some = ["", "", *some]
        before = rnd.choice(some) if self.skip_initial_space else ""
        return before, rnd.choice(some) if self.skip_final_space else ""

    def list_separator(self, rnd):
        """Return what may stand between the values of a list."""
        taken = {self.decimal, self.thousands, self.quote, self.escape}
        return rnd.choice([one for one in " ,;|_" if one not in taken])

    def number(self, rnd, quarters):
        """Return a number of quarters as it is written."""
        sign, whole, rest = "-" if quarters < 0 else "", str(abs(quarters) // 4), abs(quarters) % 4
        if self.thousands and rnd.random() < 0.7:
            whole = f"{int(whole):,}".replace(",", self.thousands)
        part = ["", self.decimal + "25", self.decimal + "5", self.decimal + "75"][rest]
        return sign + whole + part


@dataclass
class Cell:
    """A field and what it says."""

    text: str
    value: object = None
    is_missing: bool = False
    is_wrong: bool = False


@dataclass
class Reject:
    """A row that is wrong, as an error tells of it."""

    kind: str
    path: str
    line: int
    offset: int
    column: int | None
    text: str
    row: str
    number: int


@dataclass
class Row:
    """A row: its cells by column, and what is wrong with it as a whole."""

    cells: dict
    damage: str | None = None
    number: int = 0
    path: str = ""
    text: str = ""
    written: dict = field(default_factory=dict)
    whole: tuple = ()


@dataclass
class Column:
    """A column: what it holds, and how it is read."""

    name: str
    kind: str
    words: list = ()
    parts: tuple = ()
    format: str | None = None
    form: str | None = None
    separator: str | None = None
    tags: list = ()
    """The categories of lists that become values, once they are known."""

    @property
    def value_names(self):
        """Name each value that the column becomes."""
        if self.kind == "tags":
            return [f"{self.name}.{tag}" for tag in self.tags]
        if self.kind == "list":
            return [f"{self.name}[{at}]" for at in range(LENGTH)]
        return [f"{self.name}.{part}" for part in self.parts] or [self.name]

    def cell(self, rnd, style, number, table):
        if self.name == "id":
            return Cell(style.number(rnd, 4 * number), float(number))
        if rnd.random() < 0.12:
            text = rnd.choice(["", "", *table.tokens])
            return Cell(text, is_missing=True)
        if self.kind in table.wrong and rnd.random() < 0.06:
            text = rnd.choice(WRONG[self.kind])
            return Cell(text.format(self.separator), is_wrong=True)
        match self.kind:
            case "list":
                quarters = [rnd.randint(-20_000_000, 20_000_000) // 1000 for _ in range(LENGTH)]
                texts = [style.number(rnd, one) for one in quarters]
                texts = [rnd.choice(table.tokens) if rnd.random() < 0.05 else one for one in texts]
                values = [
                    None if text in table.tokens else one / 4
                    for text, one in zip(texts, quarters, strict=True)
                ]
                form = rnd.choice(["{}", "{}", "[{}]", "( {} )"])
                joined = rnd.choice([self.separator, f"{self.separator} "]).join(texts)
                return Cell(form.format(joined), values)
            case "tags":
                items = [rnd.choice([*self.words, "NA"]) for _ in range(rnd.randint(0, 4))]
                form = rnd.choice(["{}", "{}", "[{}]", "( {} )"])
                shown = items
                if form[0] in "[(" and rnd.random() < 0.5:
                    mark = rnd.choice("'\"")
                    shown = [f"{mark}{item}{mark}" for item in items]
                joined = rnd.choice([self.separator, f"{self.separator} "]).join(shown)
                text = form.format(joined)
                return Cell(text, items, is_missing=text in ("", *table.tokens))
            case "number":
                quarters = rnd.randint(-20_000_000, 20_000_000) // rnd.choice([1, 1000, 1000])
                text = style.number(rnd, quarters)
                return Cell(text, quarters / 4, is_missing=text in table.tokens)
            case "form":
                quarters = rnd.randint(-20_000_000, 20_000_000) // rnd.choice([1, 1000, 1000])
                digits = style.number(rnd, abs(quarters))
                text = rnd.choice(FORMS[self.form]).format("-" * (quarters < 0), digits)
                value = np.float32(quarters / (400 if self.form == "percent" else 4))
                return Cell(text, float(value), is_missing=text in table.tokens)
            case "duration":
                seconds = rnd.randint(1, 10**7)
                clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
                is_negative = rnd.random() < 0.3
                return Cell("-" * is_negative + clock, float(-seconds if is_negative else seconds))
            case "boolean":
                text = rnd.choice([*BOOLEANS])
                return Cell(text, float(BOOLEANS[text]))
            case "date":
                date = datetime.fromtimestamp(rnd.randint(0, 2_000_000_000), timezone.utc)
                date = date.replace(tzinfo=None, second=0)
                return Cell(date.strftime(self.format or "%Y-%m-%d %H:%M"), date)
            case _:
                text = rnd.choice(self.words)
                return Cell(text, text)


@dataclass
class Table:
    """What is in some files, and how they are written."""

    style: Style
    columns: list
    tokens: list
    wrong: set
    rows: list
    parts: list  # (name, text, content, compression)
    # How parts differ: not at all, in their columns ("union"), or in the names of directories.
    mode: str | None = None
    lacking: set = field(default_factory=set)  # Columns that some rows lack for that.

    @classmethod
    def at_random(cls, rnd, most_rows=40):
        style = Style.at_random(rnd)
        words = [word for word in WORDS if style.can_encode(word) and style.field(rnd, word)]
        words = rnd.sample(words, rnd.randint(2, min(7, len(words))))
        date = rnd.choice([(("hour", "weekday"), None), (("month",), "%d.%m.%Y %H:%M")])
        columns = [
            Column("id", "number"),
            Column("n", "number"),
            Column("c", "category", words),
            Column("b", "boolean"),
            Column("d", "date", (), *date),
            Column("f", "form", form=rnd.choice([*FORMS])),
            Column("t", "duration"),
            Column("l", "list", separator=style.list_separator(rnd)),
            Column("g", "tags", *cls._tags_at_random(rnd, style)),
            Column("x", "text", words),
            Column("y", "number"),
        ]
        columns = [columns[0], *rnd.sample(columns[1:], rnd.randint(3, 9))]
        rnd.shuffle(columns)
        tokens = [token for token in TOKENS if style.thousands != token]
        kinds = ["number", "boolean", "date", "category", "row", "form", "duration", "list"]
        wrong = set(rnd.sample(kinds, rnd.choice([0, 0, 1, 3, 5])))
        table = cls(style, columns, tokens, wrong, [], [])
        table.mode = rnd.choice([None, None, None, "keys", *(["union"] * style.has_header)])
        for number in range(rnd.choice([0, 3, most_rows, most_rows])):
            row = Row({one.name: one.cell(rnd, style, number, table) for one in columns})
            row.number = number
            if "row" in wrong and rnd.random() < 0.08:
                row.damage = rnd.choice(["few", "many"] + (["quote"] if style.quote else []))
            table.rows.append(row)
        if table.mode == "keys":
            columns.append(Column("k", "number"))
        table._write(rnd)
        return table

    @staticmethod
    def _tags_at_random(rnd, style):
        """Return the categories of lists, and what else says how they are written."""
        separator = style.list_separator(rnd)
        tags = [tag for tag in TAGS if style.can_encode(tag) and separator not in tag]
        return rnd.sample(tags, rnd.randint(1, len(tags))), (), None, None, separator

    def _write(self, rnd):
        count = rnd.randint(1, 4)
        cuts = sorted(rnd.randint(0, len(self.rows)) for _ in range(count - 1))
        for at, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(self.rows)], strict=True)):
            order = [one for one in self.columns if one.name != "k"]
            name = f"part-{at}.csv"
            if at and self.style.has_header:
                rnd.shuffle(order)
            if at and self.mode == "union":
                order = self._without_some(rnd, order, self.rows[start:end])
            if self.mode == "keys":
                name = f"{self._key(rnd, self.rows[start:end])}/{name}"
            text = self._text(rnd, order, self.rows[start:end], name)
            if not self.style.has_header and start == end and rnd.random() < 0.5:
                continue
            content = text.encode(self.style.encoding)
            if self.style.encoding == "utf-8" and rnd.random() < 0.2:
                # In bytes, it counts.
                content = b"\xef\xbb\xbf" + content
                for row in self.rows[start:end]:
                    row.written = {k: (a, b + 3, c) for k, (a, b, c) in row.written.items()}
                    if row.whole:
                        row.whole = row.whole[0], row.whole[1] + 3, row.whole[2]
            self.parts.append((name, content, rnd.choice([None, None, *CODECS])))

    def _without_some(self, rnd, order, rows):
        """Return the columns that a part has: three at least, and the number of the row."""
        dropped = [one for one in order if one.name != "id"]
        dropped = rnd.sample(dropped, rnd.randint(0, len(order) - 3))
        for row in rows:
            for one in dropped:
                row.cells[one.name] = Cell("", is_missing=True)
                self.lacking.add(one.name)
        return [one for one in order if one not in dropped]

    def _key(self, rnd, rows):
        """Return what the directory of a part is called, which gives its rows a value."""
        value = rnd.choice([None, 2020.0, 1.5, -7.0])
        text = "" if value is None else f"{value:g}"
        for row in rows:
            row.cells["k"] = Cell(text, value, is_missing=value is None)
            if value is None:
                self.lacking.add("k")
        return "k=" + (text or "__HIVE_DEFAULT_PARTITION__")

    def _text(self, rnd, order, rows, path):
        style = self.style
        newline = rnd.choice(["\n", "\n", "\r\n"])
        # A file of CR alone is read as one of LF alone.
        has_returns = any("\r" in word for one in order for word in one.words)
        is_alone = newline == "\n" and not has_returns and rnd.random() < 0.3
        text = ""
        for _ in range(style.skip_rows):
            text += rnd.choice(["", "A report", 'of "2026', "1,2,3,4"]) + newline
        if style.comment and rnd.random() < 0.3:
            text += "#, a comment" + newline
        if style.has_header:
            names = [style.field(rnd, one.name) for one in order]
            names = [name.join(style.spaces(rnd, name)) for name in names]
            text += style.delimiter.join(names) + newline
        for _ in range(style.skip_rows_after_header):
            text += rnd.choice(["", "m,s", 'the "unit', "1"]) + newline
        encoding = "utf-8" if style.is_wide else style.encoding

        def between(number):
            # Of spaces a run is one, and those at the ends of a line are none.
            if style.delimiter != " ":
                return style.delimiter if number else ""
            return " " * rnd.choice([1, 1, 2, 5] if number else [0, 0, 0, 1, 3])

        def place(text):
            return 1 + text.count("\n"), len(text.encode(encoding))

        for row in rows:
            row.path = path
            if rnd.random() < 0.05:
                text += newline
            if style.comment and rnd.random() < 0.1:
                text += '# a comment, "that\\ ends here' + newline
            start = len(text)
            written = order
            if row.damage == "few":
                written = order[: rnd.randint(2, len(order) - 1)]
                if style.short_rows == "fill":
                    # Each row keeps what it is known by.
                    has_id = [one.name for one in order].index("id") + 1
                    written = order[: max(len(written), has_id)]
                    row.damage = None
            quoted = rnd.choice(order).name if row.damage == "quote" else None
            for number, one in enumerate(written):
                cell = row.cells[one.name]
                text += between(number)
                if one.name == quoted:
                    shown = f"{style.quote}a{style.quote}b"
                elif cell.is_missing and style.delimiter == " " and not cell.text:
                    shown = style.quote * 2 if style.quote else "NA"
                elif cell.is_missing and cell.text == "\\N" and style.escape:
                    # In quotes it would be an N.
                    shown = cell.text
                else:
                    shown = style.field(rnd, cell.text)
                if shown is None:
                    # What cannot be written is left to chance no more.
                    row.cells[one.name] = Cell("NA", is_missing=True)
                    shown = "NA"
                before, after = style.spaces(rnd, shown)
                text += before
                row.written[one.name] = (*place(text), shown)
                if one.name == quoted:
                    row.whole = row.written[one.name]
                text += shown
                end = place(text)
                text += after if one.name != quoted else ""
            for one in order[len(written) :] if row.damage is None else []:
                row.cells[one.name] = Cell("", is_missing=True)
                row.written[one.name] = (*end, "")
            if row.damage == "many":
                text += between(1) + rnd.choice(["1", "x"])
            text += between(0)
            row.text = text[start:]
            if row.damage in ("few", "many"):
                row.whole = (*place(text[:start]), row.text)
            text += newline
        is_padding = ("\0", "\x1a")
        if rows and not style.skip_footer and rnd.random() < 0.3:
            shorter = text[: -len(newline)]
            text = text if shorter.endswith(is_padding) else shorter
        for left in reversed(range(style.skip_footer)):
            text += rnd.choice(["Total,1", 'the "end', "3"] + ([""] if left else [])) + newline
        if style.skip_footer and rnd.random() < 0.5:
            text = text[: -len(newline)]
        if rnd.random() < 0.2:
            text += rnd.choice(is_padding) * rnd.choice([1, 1, 300])
        return text.replace("\n", "\r") if is_alone else text

    def save(self, directory, compressions=None):
        """Write the files, as they are or otherwise compressed, and return their paths."""
        directory.mkdir(exist_ok=True)
        paths = []
        for at, (name, content, compression) in enumerate(self.parts):
            how = compression if compressions is None else compressions[at % len(compressions)]
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(COMPRESSIONS[how](content))
            paths.append(str(path))
        return paths

    def column(self, name):
        return next(one for one in self.columns if one.name == name)

    def place(self, name):
        return [one.name for one in self.columns].index(name)


@dataclass
class Use:
    """What is read of a table, as the arguments of a dataset say it."""

    features: list
    targets: list
    weight: str | None
    categories: dict
    missing_target: str
    fill: object
    on_error: str
    ids: dict
    outputs: dict | None
    weighed: list
    one_hot: bool
    tags: str | list  # What is said of the categories of lists.

    @classmethod
    def at_random(cls, rnd, table):
        readable = [one.name for one in table.columns if one.kind != "text"]
        others = [name for name in readable if name != "id"]
        missing_target = rnd.choice(["raise", "skip", "keep"])
        # What a whole part lacks is refused before anything is read.
        refused = table.lacking if missing_target == "raise" else set()
        usable = [name for name in others if name not in refused]
        targets = rnd.sample(usable, min(len(usable), rnd.choice([0, 1, 1, 2])))
        targets = [name for name in targets if len(table.column(name).parts) < 2]
        rest = [name for name in others if name not in targets]
        has_weight = targets and "y" in rest and "y" not in refused
        weight = rnd.choice([None, None, "y"]) if has_weight else None
        rest = [name for name in rest if name != weight]
        features = ["id", *rnd.sample(rest, rnd.randint(0, len(rest)))]
        if targets and rnd.random() < 0.2:
            features.append(targets[0])
        rnd.shuffle(features)
        categories = {}
        if "c" in features + targets:
            listed = rnd.sample(
                table.column("c").words, rnd.randint(1, len(table.column("c").words))
            )
            categories["c"] = rnd.choice(["auto", "auto", listed, 5])
        fill = rnd.choice([None, None, 7.5, "mean", {"id": 3}])
        if fill == {"id": 3} and "c" in features:
            fill = {"c": 2}
        if fill == {"id": 3} and "g" in features:
            fill = {"g": 1}
        return cls(
            features,
            targets,
            weight,
            categories,
            missing_target,
            fill,
            rnd.choice(["skip", "skip", "skip", "raise"]),
            cls._ids_at_random(rnd, table, [*targets, weight]),
            *cls._outputs_at_random(rnd, targets, categories),
            cls._tags_at_random(rnd, table),
        )

    @staticmethod
    def _tags_at_random(rnd, table):
        known = next((one.words for one in table.columns if one.kind == "tags"), [])
        return rnd.choice(["auto", rnd.sample(known, rnd.randint(min(1, len(known)), len(known)))])

    @staticmethod
    def _ids_at_random(rnd, table, others):
        """Return the columns that identify a row. A number is one as it is written, too."""
        names = [one.name for one in table.columns if one.name not in others]
        names = rnd.sample(names, rnd.randint(0, min(3, len(names))))
        return {name: rnd.choice([str, int]) if name == "id" else str for name in names}

    @staticmethod
    def _outputs_at_random(rnd, targets, categories):
        """Return the targets by output, the outputs with a weight, and whether classes are rows."""
        has_classes = "c" in targets and "c" in categories
        if not targets or rnd.random() < 0.5:
            return None, [], has_classes and len(targets) == 1 and rnd.random() < 0.5
        outputs = {f"of {name}": rnd.choice([name, [name]]) for name in targets}
        if len(targets) > 1 and rnd.random() < 0.3:
            outputs = {"all": [*targets]}
        # Whatever else an output holds, another one may hold it, too.
        one_hot = has_classes and "all" not in outputs and rnd.random() < 0.5
        if rnd.random() < 0.3:
            outputs["again"] = targets[0]
        return outputs, [name for name in outputs if rnd.random() < 0.6], one_hot

    @property
    def read(self):
        return self.features + self.targets + ([self.weight] if self.weight else [])

    def options(self, table):
        style = table.style
        read = self.read
        # Nothing is counted from the last column where that is not the one of the files.
        whole = table.mode is None
        columns = {name: table.column(name) for name in read}
        return {
            "target": self.outputs or self.targets or None,
            "one_hot": self.one_hot,
            # By name, and by place.
            "features": [
                one if at % 3 else table.place(one) - (at % 2 * len(table.columns) if whole else 0)
                for at, one in enumerate(self.features)
            ],
            "columns": "union" if table.mode == "union" else "same",
            "partitions": True if table.mode == "keys" else None,
            "weight": dict.fromkeys(self.weighed, self.weight)
            if self.weight and self.weighed
            else self.weight,
            "allow_target_as_feature": bool({*self.features} & {*self.targets}),
            "categories": self.categories or None,
            "booleans": [name for name, one in columns.items() if one.kind == "boolean"],
            "dates": {
                name: csvfeed.Date(*one.parts, format=one.format)
                if one.kind == "date"
                else csvfeed.Duration()
                for name, one in columns.items()
                if one.kind in ("date", "duration")
            },
            "numbers": {name: one.form for name, one in columns.items() if one.form},
            "lists": {
                name: csvfeed.List(LENGTH, one.separator)
                if one.kind == "list"
                else csvfeed.MultiHot(self.tags, one.separator)
                for name, one in columns.items()
                if one.kind in ("list", "tags")
            },
            "header": True
            if style.has_header
            else [one.name for one in table.columns if one.name != "k"],
            "delimiter": style.delimiter,
            "quote": style.quote,
            "escape": style.escape,
            "comment": style.comment,
            "skip_rows": style.skip_rows,
            "skip_rows_after_header": style.skip_rows_after_header,
            "skip_footer": style.skip_footer,
            "skip_initial_space": style.skip_initial_space,
            "skip_final_space": style.skip_final_space,
            "short_rows": style.short_rows,
            "decimal": style.decimal,
            "thousands": style.thousands,
            "encoding": style.encoding,
            "missing": table.tokens,
            "fill": self.fill,
            "missing_target": self.missing_target,
            "on_error": self.on_error,
            "ids": self.ids,
        }


class Reading:
    """What a naive reader makes of a table."""

    def __init__(self, table, use, bucket=None):
        self.table, self.use = table, use
        self.rejects = []
        self.words, tags = set(), set()
        self.kept = []  # Rows.
        required = [*use.targets, *([use.weight] if use.weight else [])]
        for row in table.rows:
            reject = self._reject(row, required)
            if reject:
                self.rejects.append(reject)
                continue
            cell = row.cells.get("c")
            if cell and not cell.is_missing:
                self.words.add(cell.value)
            cell = row.cells.get("g")
            if cell and not cell.is_missing:
                tags |= {*cell.value} - {*table.tokens}
            lacks = any(self._lacks(row.cells[name], name, required) for name in required)
            if not (lacks and use.missing_target == "skip"):
                self.kept.append(row)
        self.bucket = bucket
        given = use.categories.get("c")
        self.vocabulary = sorted(self.words) if given == "auto" else given
        self.tags = sorted(tags) if use.tags == "auto" else use.tags
        for column in table.columns:
            if column.kind == "tags":
                column.tags = self.tags
        self.raw = np.array([self._values(row) for row in self.kept], np.float32)
        self.raw = self.raw.reshape(len(self.kept), len(self.names))

    def _reject(self, row, required):
        if row.damage:
            kind = "QuoteError" if row.damage == "quote" else "RowLengthError"
            line, offset, text = row.whole
            return Reject(kind, row.path, line, offset, None, text, row.text, row.number)
        for name, (line, offset, text) in row.written.items():
            if name not in self.use.read:
                continue
            cell = row.cells[name]
            wrong = cell.is_wrong
            if self.table.column(name).kind == "category":
                wrong = False
                cell.value = cell.text
            if self._lacks(cell, name, required) and self.use.missing_target == "raise":
                wrong = True
            if wrong:
                at = self.table.place(name)
                return Reject("NumberError", row.path, line, offset, at, text, row.text, row.number)
        return None

    def _lacks(self, cell, name, required):
        """Whether a row lacks a target or weight: it is missing, or an unknown class."""
        if name not in required:
            return False
        kind = self.table.column(name).kind
        if kind == "list" and not cell.is_wrong and not cell.is_missing:
            return None in cell.value
        if kind == "tags" and not cell.is_missing and isinstance(self.use.tags, list):
            return not {*cell.value} <= {*self.use.tags, *self.table.tokens}
        known = self.use.categories.get("c") if kind == "category" else None
        return cell.is_missing or (isinstance(known, list) and cell.text not in known)

    @property
    def names(self):
        """Name each value of a row."""
        found = []
        for name in self.use.read:
            found += self.table.column(name).value_names
        return found

    def _values(self, row):
        """Return what is read of a row, NaN or 0 for what is missing."""
        values = []
        for place, name in enumerate(self.use.read):
            cell, column = row.cells[name], self.table.column(name)
            if column.kind == "date":
                for part in column.parts:
                    value = getattr(cell.value, part, math.nan)
                    values.append(value() if callable(value) else value)
            elif column.kind == "category" and place < len(self.use.features):
                values.append(0 if cell.is_missing else self._code(cell.value))
            elif column.kind == "tags" and place < len(self.use.features):
                values += [float(not cell.is_missing and tag in cell.value) for tag in self.tags]
            elif cell.is_missing or (column.kind == "tags" and self._lacks(cell, name, [name])):
                values += [math.nan for _ in column.value_names]
            elif column.kind == "tags":
                values += [float(tag in cell.value) for tag in self.tags]
            elif column.kind == "list":
                values += [math.nan if one is None else one for one in cell.value]
            elif column.kind == "category":
                # A class counts from 0, and there is none for what is unknown.
                values.append(self._code(cell.value) - 1 if self._code(cell.value) else math.nan)
            else:
                values.append(cell.value)
        return values

    def id_of(self, row, name):
        """Return a field of a row as an id."""
        return row.number if self.use.ids[name] is int else self.key_of(row, name)

    def key_of(self, row, name):
        """Return the text of a field of a row, as it identifies what it belongs to."""
        text = row.cells[name].text
        if text == "\\N" and self.table.style.escape:
            # No value as it is written, and another text once it is unescaped.
            return ""
        if not text and self.table.style.delimiter == " " and name in row.written:
            # How an empty field is written there.
            return row.written[name][2].strip("\"'")
        return text

    def _code(self, word):
        if isinstance(self.vocabulary, int):
            return self.bucket(word, self.vocabulary)
        return self.vocabulary.index(word) + 1 if word in self.vocabulary else 0

    def is_missing(self):
        """Return for each value whether it is missing."""
        wide = [
            (name, at, self.use.read if place >= len(self.use.features) else [])
            for place, name in enumerate(self.use.read)
            for at in range(len(self.table.column(name).value_names))
        ]

        def is_missing(cell, name, at, required):
            if self.table.column(name).kind == "list" and not cell.is_missing:
                return cell.value[at] is None
            return cell.is_missing or self._lacks(cell, name, required)

        return np.array(
            [
                [is_missing(row.cells[name], name, at, needs) for name, at, needs in wide]
                for row in self.kept
            ],
            bool,
        ).reshape(self.raw.shape)

    def filled(self):
        """Return the values with missing features filled."""
        values, missing = self.raw.copy(), self.is_missing()
        at = -1
        for name in self.use.features:
            column = self.table.column(name)
            for _ in column.value_names:
                at += 1
                fill = self.use.fill
                if isinstance(fill, dict):
                    fill = fill.get(name)
                elif column.kind in ("category", "tags"):
                    fill = None
                if fill is None:
                    continue
                if fill == "mean":
                    known = values[~missing[:, at], at]
                    if not len(known) and missing[:, at].any():
                        raise ValueError("no mean")
                    fill = np.mean(known, dtype=np.float64) if len(known) else 0
                values[missing[:, at], at] = fill
        return values
