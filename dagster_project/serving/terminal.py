"""How a table, a row, a text and a value are printed: one rule for every command.

In a terminal nothing is broken inside a word. A table keeps the columns that fit (`fit` says which
first); a text column may become narrower and wrap between words, down to `NARROWEST_TEXT`; what is
left out is named on standard error. Of a query, columns of one value give their room to the others
before that, and are printed in a line above. Where no column fits, the rows are printed one below
the other, a line per column. In a pipe or a file everything is there: all columns, a row a line,
no colours. The width is that of the terminal; `COLUMNS`, where it is exported, decides instead, in
a pipe too.
"""

from __future__ import annotations

import math
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from dagster_project.errors import WIDTH
from dagster_project.serving.dictionary import names_beside

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WORD = re.compile("[^ ]+(?: %[^ ]*)? *")
"""What is not broken, and the blanks behind it: `71.3 %,` is a word."""

GAP = "  "
INDENT = 4
NARROWEST_TEXT = 16
"""Columns to which a longer text may be narrowed: two or three words a line."""

MOST_LINES = 3
"""Lines of a text in a table of rows that are to be compared; `--vertical` prints all of it."""

SECOND_NAMES = "_name_ja"
ORIGINS = ("snapshot_ids", "snapshot_id", "_url")
"""What columns end with that give way: names in a second language, and then what leads back."""

LONGEST_IN_EVERY_ROW = 40
"""Of a value that is printed once, above the table, instead of in every row."""

SIGNIFICANT_DIGITS = 4
"""Of a number that is not whole. Digits before the point are all printed."""

EVERY_S = 5.0
"""Longest silence of a long step, but for one model that takes longer."""

_LEAST_EXPONENT, _MOST_EXPONENT = -4, 15
"""Powers of ten between which a number is written out. Above, a float is not exact anyway."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, a text per row, and whether they are numbers."""

    name: str
    cells: Sequence[str]
    is_number: bool = False

    @property
    def natural(self) -> int:
        """The width at which nothing wraps."""
        return max(map(_width, (self.name, *self.cells)))

    @property
    def least(self) -> int:
        """The width below which a word, a number or a heading would be broken."""
        if self.is_number:
            return max(_longest_word(self.name), *map(_width, self.cells), 0)
        words = max(map(_longest_word, (self.name, *self.cells)))
        return max(words, min(self.natural, NARROWEST_TEXT))


@dataclass
class Fitted:
    """A table as it fits: the columns that are kept with their widths, the others by name.

    `is_cut` is set while it is drawn, where a text has lost lines.
    """

    columns: list[Column]
    widths: list[int]
    left_out: list[str] = field(default_factory=list)
    is_cut: bool = False


def width() -> int | None:
    """Columns of the terminal, or what `COLUMNS` says; None in a pipe or a file."""
    return shutil.get_terminal_size((0, 0)).columns or None


def fit(columns: Sequence[Column], columns_of_terminal: int | None) -> Fitted:
    """The rule: which columns are kept, in their order; then the room that is left to the texts.

    Numbers come first, in up to half of the width: a table is asked for its figures. Then the
    others in their order, codes that have their name beside them after these, and at last names in
    a second language and what leads back to a source.
    """
    if columns_of_terminal is None:
        return Fitted(list(columns), [column.natural for column in columns])
    fitting: set[int] = set()
    room = columns_of_terminal + len(GAP)
    for_numbers = room // 2
    for i in _by_precedence(columns):
        needed = columns[i].least + len(GAP)
        if columns[i].is_number and needed <= for_numbers:
            for_numbers -= needed
            fitting.add(i)
            room -= needed
    for i in _by_precedence(columns):
        needed = columns[i].least + len(GAP)
        if i not in fitting and needed <= room:
            fitting.add(i)
            room -= needed
    kept = [column for i, column in enumerate(columns) if i in fitting]
    left_out = [column.name for i, column in enumerate(columns) if i not in fitting]
    widths = [column.least for column in kept]
    wanting = sorted(range(len(kept)), key=lambda i: kept[i].natural - widths[i])
    for done, i in enumerate(wanting):
        more = min(kept[i].natural - widths[i], room // (len(wanting) - done))
        widths[i] += more
        room -= more
    return Fitted(kept, widths, left_out)


def _by_precedence(columns: Sequence[Column]) -> list[int]:
    """The columns by number, what is to be kept first; otherwise in their order."""
    names = {column.name for column in columns}

    def gives_way(i: int) -> int:
        name = columns[i].name
        if name.endswith(ORIGINS):
            return 3
        if name.endswith(SECOND_NAMES):
            return 2
        return int(not names.isdisjoint(names_beside(name)))

    return sorted(range(len(columns)), key=gives_way)


def in_every_row(columns: Sequence[Column]) -> dict[str, str]:
    """The columns with one short value in all of several rows, by name; none where that is all."""
    in_common = {
        column.name: column.cells[0]
        for column in columns
        if len(column.cells) > 1
        and len(set(column.cells)) == 1
        and _width(column.cells[0]) <= LONGEST_IN_EVERY_ROW
    }
    return in_common if len(in_common) < len(columns) else {}


def print_table(
    columns: Sequence[Column],
    *,
    vertical: bool = False,
    once: str = "",
    most_lines: int | None = None,
    hint: str = "A pipe has all of it.",
) -> None:
    """Print a table as it fits, and on standard error what it leaves out or cuts, with the hint.

    With `once`, where columns do not fit, what is the same in each row is printed above, after it:
    `In every row` where these are all the rows there are.
    `most_lines` limits the lines of a text in a terminal; without, a text is printed whole.
    """
    fitted = fit(columns, width())
    count = max((len(column.cells) for column in columns), default=0)
    if vertical or (columns and not fitted.columns):
        names = [column.name for column in columns]
        for number in range(count):
            print_text(f"─ row {number + 1:,} ─", style="bold")
            print_values(names, [column.cells[number] for column in columns])
        if not vertical:
            note("No column fits the width of this terminal: a line per column instead.")
        return
    same = in_every_row(columns) if once and fitted.left_out else {}
    if same:
        fitted = fit([column for column in columns if column.name not in same], width())
        values = ", ".join(
            f"{name} {value}" if value else f"no {name}" for name, value in same.items()
        )
        print_text(f"{once}: {values}", style="dim")
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


def lines(fitted: Fitted, most_lines: int | None = None) -> Iterator[Text]:
    """The lines of a table: the headings, then the rows."""
    from rich.text import Text

    for line in _row(fitted, [column.name for column in fitted.columns], None):
        yield Text(line, style="bold")
    for cells in zip(*(column.cells for column in fitted.columns), strict=True):
        yield from map(Text, _row(fitted, cells, most_lines))


def _row(fitted: Fitted, cells: Sequence[str], most_lines: int | None) -> Iterator[str]:
    """The lines of one row: as many as its longest text takes."""
    wrapped = []
    for cell, room in zip(cells, fitted.widths, strict=True):
        parts = wrap(cell, room)
        if most_lines is not None and len(parts) > most_lines:
            fitted.is_cut = True
            parts = [*parts[: most_lines - 1], _ended(parts[most_lines - 1], room)]
        wrapped.append(parts)
    for number in range(max(map(len, wrapped), default=0)):
        line = GAP.join(
            _padded(parts[number] if number < len(parts) else "", room, column.is_number)
            for parts, room, column in zip(wrapped, fitted.widths, fitted.columns, strict=True)
        )
        yield line.rstrip()


def _ended(line: str, room: int) -> str:
    """The line with an ellipsis as its last word."""
    while line and _width(line) + 2 > room:
        line = line.rpartition(" ")[0]
    return f"{line} …".lstrip()


def _padded(text: str, room: int, to_the_right: bool) -> str:
    blanks = " " * (room - _width(text))
    return blanks + text if to_the_right else text + blanks


def print_values(names: Sequence[str], values: Sequence[str], *, indent: int = 2) -> None:
    """A line per name and its value, the values below each other."""
    room = max(map(_width, names), default=0)
    for name, value in zip(names, values, strict=True):
        print_text(value, label=f"{' ' * indent}{_padded(name, room, False)}{GAP}")


def print_text(text: str | Text, *, label: str = "", indent: int = 0, style: str = "") -> None:
    """A text, wrapped between words in a terminal; the first line begins with the label, those that
    follow below its end.

    A word that does not fit below each other with the label begins a line of its own. One that is
    longer than the line is left whole: a path or a hash can be copied.
    """
    from rich.text import Text

    console = _console()
    start = Text(label or " " * indent)
    whole = text.copy() if isinstance(text, Text) else Text(text)
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
    """A remark, on standard error: a pipe has the rows alone. Wrapped like any text.

    `hanging` indents the lines that follow the first of a paragraph by so much more.
    """
    sys.stdout.flush()
    room = width()
    for paragraph in text.split("\n"):
        indent = _indent(paragraph)
        narrow = None if room is None else max(1, room - indent - hanging)
        for i, line in enumerate(wrap(paragraph[indent:], narrow)):
            print(" " * (indent + (hanging if i else 0)) + line, file=sys.stderr, flush=True)


def say(line: str) -> None:
    """A line of progress on standard error, wrapped in a terminal below its mark."""
    note(line, hanging=2)


def counter(
    of_what: str,
    write: Callable[[str], None] = say,
    clock: Callable[[], float] = monotonic,
) -> Callable[[int, int], None]:
    """Writes how far a long step is, at most every EVERY_S seconds: `183 of 335 models`."""
    last = clock()

    def count(number: int, total: int) -> None:
        nonlocal last
        if clock() - last >= EVERY_S:
            last = clock()
            write(f"    {number:,} of {total:,} {of_what}")

    return count


def print_line(line: str) -> None:
    """A line of a report, wrapped below its own indent."""
    print_text(line.lstrip(" "), indent=_indent(line))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def wrap(text: str, room: int | None) -> list[str]:
    """The text in lines of at most so many columns, broken between words alone."""
    starts = [0, *_breaks(text, room), len(text)]
    return [text[start:end].rstrip() for start, end in pairwise(starts)]


def _breaks(text: str, room: int | None) -> list[int]:
    """Where the second and each further line of the text begins."""
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
    """A value of a table as a reader needs it; missing values are empty.

    Whole numbers are printed as they are, without separators: they may be years or codes. Others
    have SIGNIFICANT_DIGITS, and a comma between thousands unless they are years. A list is its
    values, `[]` if it has none.
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return "".join(character if character.isprintable() else " " for character in value)
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
