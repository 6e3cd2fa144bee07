"""How a table, a row, a text and a value are printed: one rule for every command.

In a terminal no word is broken. A table has the columns that fit (`fit_columns`), the others are
named on standard error. A text column may wrap between words, down to `NARROWEST_TEXT`. For a query
that does not fit, columns with the same value in every row are printed once, above the table. Where
no column fits, each row is printed with a line per column. A pipe or a file gets all columns, a
line per row, without colours. The width is that of the terminal, or `COLUMNS` if it is exported.
"""

from __future__ import annotations

import itertools
import math
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from dagster_project.errors import WIDTH
from dagster_project.safe_text import printable
from dagster_project.serving.dictionary import name_columns

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WORD = re.compile("[^ ]+(?: %[^ ]*)? *")
"""A word with the blanks after it; `71.3 %,` is one."""

GAP = "  "
INDENT = 4
NARROWEST_TEXT = 16
"""Least width of a text column: two or three words a line."""

MOST_LINES = 3
"""Lines of a text in a table; `--vertical` prints all of them."""

SECOND_NAMES = "_name_ja"
ORIGINS = ("snapshot_ids", "snapshot_id", "_url")
"""Endings of the columns that are left out first: sources, then names in a second language."""

LONGEST_COMMON_VALUE = 40
"""Characters of a value that is printed once, above the table, instead of in every row."""

SIGNIFICANT_DIGITS = 4
"""Digits of a number that is not whole; digits before the point are all printed."""

PROGRESS_INTERVAL_S = 5.0
"""Shortest time between two lines of progress of a step."""

_LEAST_EXPONENT, _MOST_EXPONENT = -4, 15
"""Powers of ten between which a number is written out. Above, a float is not exact anyway."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, a text per row, and whether they are numbers."""

    name: str
    cells: Sequence[str]
    is_number: bool = False

    @property
    def full_width(self) -> int:
        """The width at which nothing wraps."""
        return max(map(_width, (self.name, *self.cells)))

    @property
    def least_width(self) -> int:
        """The width below which a word, a number or a heading would be broken."""
        if self.is_number:
            return max(_longest_word(self.name), *map(_width, self.cells), 0)
        words = max(map(_longest_word, (self.name, *self.cells)))
        return max(words, min(self.full_width, NARROWEST_TEXT))


@dataclass
class Layout:
    """The columns of a table that fit, with their widths, and the names of the others.

    `is_cut` is set while the table is drawn, if a text has lost lines.
    """

    columns: list[Column]
    widths: list[int]
    left_out: list[str] = field(default_factory=list)
    is_cut: bool = False


def width() -> int | None:
    """The width of the terminal, or `COLUMNS`; None in a pipe or a file."""
    return shutil.get_terminal_size((0, 0)).columns or None


def fit_columns(columns: Sequence[Column], columns_of_terminal: int | None) -> Layout:
    """Choose the columns that fit, in their order, and give the remaining width to the texts.

    Numbers are chosen first, up to half of the width. Then follow the others in their order, codes
    with a column of their names, names in a second language, and columns on sources.
    """
    if columns_of_terminal is None:
        return Layout(list(columns), [column.full_width for column in columns])
    fitting: set[int] = set()
    room = columns_of_terminal + len(GAP)
    for_numbers = room // 2
    for i in _by_precedence(columns):
        needed = columns[i].least_width + len(GAP)
        if columns[i].is_number and needed <= for_numbers:
            for_numbers -= needed
            fitting.add(i)
            room -= needed
    for i in _by_precedence(columns):
        needed = columns[i].least_width + len(GAP)
        if i not in fitting and needed <= room:
            fitting.add(i)
            room -= needed
    kept = [column for i, column in enumerate(columns) if i in fitting]
    left_out = [column.name for i, column in enumerate(columns) if i not in fitting]
    widths = [column.least_width for column in kept]
    narrow = sorted(range(len(kept)), key=lambda i: kept[i].full_width - widths[i])
    for done, i in enumerate(narrow):
        more = min(kept[i].full_width - widths[i], room // (len(narrow) - done))
        widths[i] += more
        room -= more
    return Layout(kept, widths, left_out)


def _by_precedence(columns: Sequence[Column]) -> list[int]:
    """The positions of the columns, the most important first; else in their order."""
    names = {column.name for column in columns}

    def rank(i: int) -> int:
        name = columns[i].name
        if name.endswith(ORIGINS):
            return 3
        if name.endswith(SECOND_NAMES):
            return 2
        return int(not names.isdisjoint(name_columns(name)))

    return sorted(range(len(columns)), key=rank)


def common_values(columns: Sequence[Column]) -> dict[str, str]:
    """By column the short value that all of several rows share; empty if every column has one."""
    shared = {
        column.name: column.cells[0]
        for column in columns
        if len(column.cells) > 1
        and len(set(column.cells)) == 1
        and _width(column.cells[0]) <= LONGEST_COMMON_VALUE
    }
    return shared if len(shared) < len(columns) else {}


def print_table(
    columns: Sequence[Column],
    *,
    vertical: bool = False,
    common_label: str = "",
    most_lines: int | None = None,
    hint: str = "A pipe has all of it.",
) -> None:
    """Print a table as it fits; what is left out or cut is named on standard error, with the hint.

    With `common_label`, where columns do not fit, values that all rows share are printed above the
    table after this label. `most_lines` limits the lines of a text in a terminal.
    """
    columns = [_printable_column(column) for column in columns]
    fitted = fit_columns(columns, width())
    count = max((len(column.cells) for column in columns), default=0)
    if vertical or (columns and not fitted.columns):
        names = [column.name for column in columns]
        for number in range(count):
            print_text(f"─ row {number + 1:,} ─", style="bold")
            print_values(names, [column.cells[number] for column in columns])
        if not vertical:
            note("No column fits the width of this terminal: a line per column instead.")
        return
    same = common_values(columns) if common_label and fitted.left_out else {}
    if same:
        fitted = fit_columns([column for column in columns if column.name not in same], width())
        values = ", ".join(
            f"{name} {value}" if value else f"no {name}" for name, value in same.items()
        )
        print_text(f"{common_label}: {values}", style="dim")
    console = _console()
    for line in lines(fitted, None if width() is None else most_lines):
        console.print(line, soft_wrap=True)
    remarks = []
    if fitted.left_out:
        remarks.append(f"Left out, as they do not fit: {', '.join(fitted.left_out)}.")
    if fitted.is_cut:
        remarks.append("A text that ends in … is longer.")
    if remarks:
        note(" ".join([*remarks, hint]))


def _printable_column(column: Column) -> Column:
    return replace(column, name=printable(column.name), cells=[*map(printable, column.cells)])


def lines(fitted: Layout, most_lines: int | None = None) -> Iterator[Text]:
    """The lines of a table: the headings, then the rows."""
    from rich.text import Text

    for line in _row(fitted, [column.name for column in fitted.columns], None):
        yield Text(line, style="bold")
    for cells in zip(*(column.cells for column in fitted.columns), strict=True):
        yield from map(Text, _row(fitted, cells, most_lines))


def _row(fitted: Layout, cells: Sequence[str], most_lines: int | None) -> Iterator[str]:
    """The lines of one row: as many as its longest text takes."""
    wrapped = []
    for cell, room in zip(cells, fitted.widths, strict=True):
        parts = wrap(cell, room)
        if most_lines is not None and len(parts) > most_lines:
            fitted.is_cut = True
            parts = [*parts[: most_lines - 1], _with_ellipsis(parts[most_lines - 1], room)]
        wrapped.append(parts)
    for number in range(max(map(len, wrapped), default=0)):
        line = GAP.join(
            _padded(parts[number] if number < len(parts) else "", room, column.is_number)
            for parts, room, column in zip(wrapped, fitted.widths, fitted.columns, strict=True)
        )
        yield line.rstrip()


def _with_ellipsis(line: str, room: int) -> str:
    """The line with an ellipsis as its last word."""
    while line and _width(line) + 2 > room:
        line = line.rpartition(" ")[0]
    return f"{line} …".lstrip()


def _padded(text: str, room: int, to_the_right: bool) -> str:
    blanks = " " * (room - _width(text))
    return blanks + text if to_the_right else text + blanks


def print_values(names: Sequence[str], values: Sequence[str], *, indent: int = 2) -> None:
    """A line per name and its value, the values below each other."""
    names = [*map(printable, names)]
    room = max(map(_width, names), default=0)
    for name, value in zip(names, values, strict=True):
        print_text(printable(value), label=f"{' ' * indent}{_padded(name, room, False)}{GAP}")


def print_text(text: str | Text, *, label: str = "", indent: int = 0, style: str = "") -> None:
    """Print a text, wrapped between words in a terminal, with a hanging indent after the label.

    The label has its own line if a word does not fit beside it. A word that is longer than the line
    is not broken, so that a path or a hash can be copied.
    """
    from rich.text import Text

    console = _console()
    label = printable(label)
    start = Text(label or " " * indent)
    whole = text.copy() if isinstance(text, Text) else Text(text)
    whole.plain = printable(whole.plain, keep="\n")
    whole.stylize(style)
    room = width()
    if label and room is not None and _width(label) + _longest_word(whole.plain) > room:
        console.print(label.rstrip(), soft_wrap=True)
        start = Text(" " * INDENT)
    for paragraph in whole.split("\n", allow_blank=True) or [Text()]:
        narrow = None if room is None else max(1, room - _width(start.plain))
        for line in paragraph.divide(_breaks(paragraph.plain, narrow)):
            line.rstrip()
            whole_line = start + line
            whole_line.rstrip()
            console.print(whole_line, soft_wrap=True)
            start = Text(" " * _width(start.plain))


def note(text: str, *, hanging: int = 0) -> None:
    """Print a remark on standard error, since a pipe gets the rows only.

    `hanging` is the extra indent after the first line of a paragraph.
    """
    sys.stdout.flush()
    room = width()
    for paragraph in map(printable, text.split("\n")):
        indent = _indent(paragraph)
        narrow = None if room is None else max(1, room - indent - hanging)
        for i, line in enumerate(wrap(paragraph[indent:], narrow)):
            print(" " * (indent + (hanging if i else 0)) + line, file=sys.stderr, flush=True)


def say(line: str) -> None:
    """Print a line of progress on standard error, with a hanging indent."""
    note(line, hanging=2)


def counter(
    of_what: str,
    write: Callable[[str], None] = say,
    clock: Callable[[], float] = monotonic,
) -> Callable[[int, int], None]:
    """Write the progress of a long step every PROGRESS_INTERVAL_S seconds: `183 of 335 models`."""
    last = clock()

    def count(number: int, total: int) -> None:
        nonlocal last
        if clock() - last >= PROGRESS_INTERVAL_S:
            last = clock()
            write(f"    {number:,} of {total:,} {of_what}")

    return count


def print_line(line: str) -> None:
    """Print a line of a report, wrapped at its own indent."""
    print_text(printable(line.lstrip(" ")), indent=_indent(line))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def wrap(text: str, room: int | None) -> list[str]:
    """The text in lines of at most `room` columns, broken between words only."""
    starts = [0, *_breaks(text, room), len(text)]
    return [text[start:end].rstrip() for start, end in pairwise(starts)]


def wrap_at_most(text: str, room: int | None, most: int) -> list[str]:
    """The same in at most `most` lines of at most `room` columns: the rest is an ellipsis."""
    lines_of_text = wrap(text, room)
    if room is None or (len(lines_of_text) <= most and max(map(_width, lines_of_text)) <= room):
        return lines_of_text
    fitting = list(itertools.takewhile(lambda line: _width(line) <= room, lines_of_text))
    kept = fitting[: most - 1]
    rest = text[[0, *_breaks(text, room)][len(kept)] :]
    return [*kept, _cut(rest, room)]


def _cut(text: str, room: int) -> str:
    """The text in a line of at most `room` columns, with an ellipsis at the end if it is longer."""
    if _width(text) <= room:
        return text
    widths = itertools.accumulate(map(_width, text))
    fitting = sum(1 for used in widths if used < room)
    return f"{text[:fitting].rstrip()}…"


def _breaks(text: str, room: int | None) -> list[int]:
    """The positions at which the second and further lines begin."""
    if room is None or _width(text) <= room:
        return []
    breaks: list[int] = []
    start = used = len(text) - len(text.lstrip(" "))
    for word in _WORD.finditer(text):
        if word.start() > start and used + _width(word[0].rstrip()) > room:
            breaks.append(word.start())
            used = 0
        used += _width(word[0])
    return breaks


def _console() -> Console:
    from rich.console import Console

    # Lines are wrapped before they are printed: the width given here changes none of them.
    return Console(width=width() or WIDTH, highlight=False, markup=False, emoji=False)


def _width(text: str) -> int:
    """Columns that a text takes: a Japanese character takes two."""
    from rich.cells import cell_len

    return len(text) if text.isascii() else cell_len(text)


def _longest_word(text: str) -> int:
    return max((_width(word.rstrip()) for word in _WORD.findall(text)), default=0)


def shown(value: Any, *, is_year: bool = False) -> str:
    """A value of a table as text; a missing value is empty.

    Whole numbers have no separators, since they may be years or codes. Others have
    SIGNIFICANT_DIGITS, and commas unless they are years. A list is its values, or `[]`.
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return printable(value)
        case int():
            return str(value)
        case Decimal() if value == value.to_integral_value() and value.as_tuple().exponent == 0:
            return str(value)
        case float() | Decimal():
            return number(float(value), has_separators=not is_year)
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case Mapping():
            inside = ", ".join(f"{key}: {shown(item)}" for key, item in value.items())
            return f"{{{inside}}}"
        case list() | tuple():
            return ", ".join(map(_in_list, value)) or "[]"
        case _:
            return shown(str(value))


def _in_list(value: Any) -> str:
    if value is None:
        return "null"
    return f"[{shown(value)}]" if isinstance(value, list | tuple) and value else shown(value)


def number(value: float, *, has_separators: bool = True) -> str:
    """A float to SIGNIFICANT_DIGITS, its whole part in full: `0.7133`, `15,981,526`, `1.23e-5`."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else str(value)
    mantissa, _, power = f"{value:.{SIGNIFICANT_DIGITS - 1}e}".partition("e")
    exponent = int(power)
    if not _LEAST_EXPONENT <= exponent <= _MOST_EXPONENT:
        return f"{_without_zeros(mantissa)}e{exponent}"
    decimals = max(0, SIGNIFICANT_DIGITS - 1 - exponent)
    comma = "," if has_separators else ""
    return _without_zeros(f"{value:{comma}.{decimals}f}")


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
