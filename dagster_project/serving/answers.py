"""The page of answers of an importer, for a terminal and for the UI.

The lines are the rows of `catalog.answers`, which decides the figures, periods and details.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.errors import PublicationError, counted
from dagster_project.lake.build_file import connect
from dagster_project.safe_text import markdown_cell, markdown_text
from dagster_project.serving.catalog import Row, asking, select_newest_release
from dagster_project.serving.changes import (
    Changes,
    changes_around,
    changes_markdown,
    print_changes,
)
from dagster_project.serving.dictionary import has_table
from dagster_project.serving.wording.english.parts import change, percent

HEADLINE_CLAIMS = {"JPN": "JP-2024-CHINA-OVER-60"}
"""The claim about an importer that its page shows."""

_IN_WORDS = {"not_testable": "not testable", "depends_on_basis": "dependent on the basis"}
"""Verdicts as they are worded in a sentence; the others stay as they are."""

COUNTS = ("codes", "clauses", "notices")
"""Units of figures that are numbers of things."""

BY_WEIGHT, BY_VALUE = 1, 2
"""Positions of the shares of rare earths that come from the supplier."""


@dataclass(frozen=True)
class Line:
    """One answer: a row of `catalog.answers`, with the titles of its sources."""

    position: int
    subject: str
    figure: float | None
    unit: str
    period: str | None
    detail: str
    trend: Sequence[float | None] | None
    trend_from: str | None
    source: str | None
    titles: str | None
    vintage: date | None
    newer_period: str | None
    """A period that the source should have published since."""


@dataclass(frozen=True)
class Answers:
    """The page of one importer; it has no lines if no figure of the importer is published."""

    importer: str
    release: Row
    changes: Changes
    lines: Sequence[Line]
    headline: Row | None
    verdicts: Counter[str]

    @property
    def title(self) -> str:
        """The title of the page, without a period: each line has its own."""
        return f"{self.importer}: dependence on critical minerals"


def answers(published_file: Path, importer: str) -> Answers:
    """The page of an importer (ISO 3166 alpha-3).

    Raises PublicationError for a file of an earlier version without such a page.
    """
    with connect(published_file, read_only=True) as connection:
        if not all(has_table(connection, *table) for table in _TABLES):
            raise PublicationError(
                f"{published_file.name} has no page of answers: an earlier version built it.",
                hint="Run kido build.",
            )

        ask = asking(connection)
        named = ask(_NAME, importer=importer)
        claims = ask("select claim_id, statement, verdict, explanation from catalog.claims")
        [release] = ask(select_newest_release())
        return Answers(
            importer=named[0]["name"] if named else importer,
            release=release,
            changes=changes_around(ask, importer, release["as_of"]),
            lines=[Line(**row) for row in ask(_LINES, importer=importer)],
            headline=next(
                (row for row in claims if row["claim_id"] == HEADLINE_CLAIMS.get(importer)), None
            ),
            verdicts=Counter(_IN_WORDS.get(row["verdict"], str(row["verdict"])) for row in claims),
        )


_TABLES = (("catalog", "answers"), ("exposure", "calendar"))
_NAME = "select name from reference.economies where economy_iso3 = $importer"
_LINES = """
select
    position, subject, figure, unit, period, detail, trend, trend_from, source, vintage,
    newer_period,
    (
        select string_agg(sources.title, ' and ' order by sources.source)
        from catalog.sources as sources
        where list_contains(string_split(page.source, ', '), sources.source)
    ) as titles
from catalog.answers as page
where importer_iso3 = $importer
order by position
"""


def _rare_earths(page: Answers) -> list[Line]:
    return [line for line in page.lines if line.position in (BY_WEIGHT, BY_VALUE)]


def headline(page: Answers) -> str:
    """The first two answers in one line: the supplier's shares of the rare earths."""
    lines = _rare_earths(page)
    if not lines:
        return "no figure is known"
    subject = lines[0].subject.rpartition(", ")[0]
    return f"{subject}: {', '.join(map(_share, lines))}"


def numbers(page: Answers) -> dict[str, float]:
    """The figures of the headline by their subject and unit, for a plot over releases."""
    return {
        f"{line.subject} ({line.unit})": line.figure
        for line in _rare_earths(page)
        if line.figure is not None
    }


def _share(line: Line) -> str:
    of_year = f" in {line.period}" if line.period else ""
    return f"{line.subject.rpartition(', ')[2]} {figure_in_words(line)}{of_year} ({line.detail})"


def answers_markdown(page: Answers) -> str:
    """The page for the UI."""
    return "\n".join(
        [
            f"## {markdown_text(page.title)}",
            "",
            f"As of **{page.release['as_of']}**, release `{page.release['release_id']}`.",
            "",
            *changes_markdown(page.changes),
            "| | figure | period | | trend | source and vintage |",
            "|---|---|---|---|---|---|",
            *(
                f"| {markdown_cell(line.subject)} | **{markdown_cell(figure_in_words(line))}** "
                f"| {markdown_cell(_period(line))} | {markdown_cell(line.detail)} "
                f"| {_unbroken(markdown_cell(_drawn(line)))} "
                f"| {markdown_cell(_origin(line, line.titles))} |"
                for line in page.lines
            ),
            "",
            *_nothing(page),
            *_claims(page, in_bold=lambda text: f"**{markdown_text(text)}**", plain=markdown_text),
        ]
    )


def print_answers(published_file: Path, importer: str) -> None:
    """The same page for a terminal, and the path of the file."""
    print_page(published_file, importer)
    print_path(published_file)


def print_path(published_file: Path) -> None:
    """Print the path of the published file, the last line."""
    from rich.text import Text

    from dagster_project.serving.terminal import print_text

    print_text(Text.assemble("\n", ("Published:", "bold"), f" {published_file}"))


def print_page(published_file: Path, importer: str) -> None:
    """Print the page alone."""
    from rich.text import Text

    from dagster_project.serving.terminal import print_text, width

    page = answers(published_file, importer)
    print_text(Text.assemble("\n", (page.title, "bold"), f"  as of {page.release['as_of']}\n"))
    print_changes(page.changes)
    for line in page.lines:
        print_text(line.subject)
        period = f"  {_period(line)}" if line.period else ""
        figure = (figure_in_words(line), "bold")
        print_text(Text.assemble(figure, f"{period}  {line.detail}"), indent=2)
        drawn, origin = _drawn(line), _origin(line, line.source) if line.source else ""
        room = width()
        if drawn and origin and room is not None and len(f"  {drawn}  {origin}") > room:
            # A trend is never broken into two lines.
            print_text(drawn, indent=2)
            drawn = ""
        if drawn or origin:
            parts = [(part, style) for part, style in ((drawn, ""), (origin, "dim")) if part]
            print_text(Text("  ").join(Text(*part) for part in parts), indent=2)
    if page.lines:
        print_text("")
    for text in (*_nothing(page), *_claims(page, in_bold=str, plain=str)):
        print_text(text)


def _nothing(page: Answers) -> list[str]:
    if page.lines:
        return []
    return [f"No imports of {page.importer} are published, as of {page.release['as_of']}.", ""]


def _claims(
    page: Answers, *, in_bold: Callable[[str], str], plain: Callable[[str], str]
) -> list[str]:
    if not page.verdicts:
        return ["No published statement was known on that day."]
    headline = (
        [
            f"Claimed: {plain(page.headline['statement'])} {in_bold(page.headline['explanation'])}",
            "",
        ]
        if page.headline
        else []
    )
    by_count = sorted(page.verdicts.items(), key=lambda item: (-item[1], item[0]))
    by_verdict = ", ".join(f"{count} {verdict}" for verdict, count in by_count)
    return [
        *headline,
        f"{counted(page.verdicts.total(), 'published statement')}, each with its verdict, in "
        "catalog.claims: "
        f"{plain(by_verdict)}.",
    ]


def figure_in_words(line: Line) -> str:
    """The figure as its unit is read: `71.3 %`, `+81.8 %`, `36.0 t`, `17 codes`, `239 USD per kg`.

    A dash where there is none.
    """
    return figure_in_unit(line.figure, line.unit)


def figure_in_unit(figure: float | None, unit: str) -> str:
    """A figure of a line of the page, as the page prints it; a dash where there is none."""
    if figure is None:
        return "–"
    if unit == "share":
        return percent(figure)
    if unit == "return":
        return change(figure)
    if unit in COUNTS:
        return f"{figure:,.0f} {unit if figure != 1 else unit.removesuffix('s')}"
    return f"{figure:,.{decimals(figure, unit)}f} {unit}"


def decimals(figure: float, unit: str) -> int:
    """Decimals with which the page prints a figure; those of a share or return are of per cent."""
    if unit in COUNTS:
        return 0
    if unit == "supply risk":
        return 2
    return 1 if unit in ("share", "return", "t") else _digits(figure)


def _digits(figure: float) -> int:
    """Decimals that show at least four figures of it, or all before the point."""
    whole = len(str(int(abs(figure))))
    return 0 if figure == int(figure) else max(0, 4 - whole)


def _period(line: Line) -> str:
    return (line.period or "").replace("/", " to ")


def _origin(line: Line, names: str | None) -> str:
    older = f"; newer expected: {line.newer_period}" if line.newer_period else ""
    return f"{names}, vintage {line.vintage}{older}" if names else ""


def _drawn(line: Line) -> str:
    """The trend as bars, between its first year or month and its last."""
    drawn = bars(line.trend or ()) if len(line.trend or ()) > 1 else ""
    if not drawn:
        return ""
    last = (line.period or "").rpartition("/")[2][: len(line.trend_from or "")]
    return f"{line.trend_from} {drawn} {last}"


def _unbroken(text: str) -> str:
    """The text with blanks and hyphens that a narrow column does not break."""
    return text.replace(" ", "\u00a0").replace("-", "\u2011")


_BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float | None]) -> str:
    """A row of bars from zero to the largest value; a gap where there is none.

    From zero, so that a bar is as long as its figure; from the least value if one is negative.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low = min(0.0, *known)
    span = (max(known) - low) or 1.0
    return "".join(
        " " if value is None else _BARS[round((value - low) / span * (len(_BARS) - 1))]
        for value in values
    )
