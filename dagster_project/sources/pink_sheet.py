"""World Bank Commodity Price Data (the Pink Sheet) -> `price_quotes` and `material_labels`.

Monthly prices of metals and their indices, as the World Bank prints them; the sheet's other series
are listed in `labels.csv`, each with the reason why it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, listed
from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import material_labels, require_known_labels
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    Instead,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import (
    is_it_the_file_of,
    labels_of,
    looks_like_zip,
    read_sheet,
    read_text_table,
    require_every,
    utc_naive,
)
from dagster_project.sources.quotes import quotes_of

CARD = SourceCard(
    name="pink_sheet",
    title="Commodity Price Data (The Pink Sheet)",
    publisher="World Bank",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="monthly",
    domain="prices",
    homepage="https://www.worldbank.org/en/research/commodity-markets",
    tables=("price_quotes", "material_labels"),
    description=(
        "Monthly average prices in nominal US dollars of aluminium, copper, iron ore, lead, "
        "nickel, tin, zinc, gold, platinum and silver, and the World Bank's indices of all "
        "commodities, metals and minerals, base metals and precious metals, since 1960. Asked for: "
        "the workbook that the World Bank's page of commodity markets links to; it has every "
        "month, and past months are revised."
    ),
    bundled=("monthly_prices.csv",),
    base_url="https://www.worldbank.org",
    # The sheets of March, June and September 2026 are of the second day of the month.
    published_after=timedelta(days=4),
    calendar=Calendar(
        "30 11 * * 1-5",
        "America/New_York",
        "Weekdays at 11:30 in Washington: a month is published about the second business day "
        "after it.",
    ),
)

PAGE = "en/research/commodity-markets"
WORKBOOK = "CMO-Historical-Data-Monthly.xlsx"
LINK = re.compile(
    rf"https://thedocs\.worldbank\.org/[^\s\"'<>\\]*{re.escape(WORKBOOK)}", re.IGNORECASE
)
"""The workbook's address on the page. It changes each year, and the old one goes on serving the
last workbook of its year: the address of an earlier time is never used."""

PRICES_SHEET = "Monthly Prices"
INDICES_SHEET = "Monthly Indices"

PRICES: Mapping[str, tuple[str, str]] = {
    "Aluminum": ("ALUMINUM", "($/mt)"),
    "Iron ore, cfr spot": ("IRON_ORE", "($/dmtu)"),
    "Copper": ("COPPER", "($/mt)"),
    "Lead": ("LEAD", "($/mt)"),
    "Tin": ("TIN", "($/mt)"),
    "Nickel": ("NICKEL", "($/mt)"),
    "Zinc": ("ZINC", "($/mt)"),
    "Gold": ("GOLD", "($/troy oz)"),
    "Platinum": ("PLATINUM", "($/troy oz)"),
    "Silver": ("SILVER", "($/troy oz)"),
}
"""Price series in scope: the instrument, and the unit as printed below the name."""

INDICES: Mapping[str, str] = {
    "Total Index": "WB_TOTAL_INDEX",
    "Metals & Minerals": "WB_METALS_AND_MINERALS",
    "Base Metals (ex. iron ore)": "WB_BASE_METALS",
    "Precious Metals": "WB_PRECIOUS_METALS",
}
"""Indices in scope, and the instrument."""

UNITS: Mapping[str, str] = {
    "($/mt)": "USD per t",
    "($/troy oz)": "USD per troy oz",
    # The heading gives dollars per dry metric ton unit (1 % of iron in a ton); the sheet
    # `Description` gives dollars per dry ton, which fits about 100 for 62 % fines.
    "($/dmtu)": "USD per dry t",
}
"""Printed units, and Kido's names of them; `mt` is a metric ton."""

INDEX_BASE = "2010=100"
INDEX_UNIT = "index, 2010 = 100"

UNIT_OF: Mapping[str, str] = {
    **{instrument: UNITS[printed] for instrument, printed in PRICES.values()},
    **dict.fromkeys(INDICES.values(), INDEX_UNIT),
}
"""Unit by instrument."""

MISSING = ("…", "...")
"""Marks of a cell without a figure: the World Bank prints both."""

FOOTNOTE_MARKS = re.compile(r"[\s*†‡]+$")
"""Optional blanks and marks after a name."""

FOOTNOTE_NUMBERS = re.compile(
    r"(?:[\s,*†‡]*(?:(?:[0-9]{1,2}|[a-z])/|\([0-9a-z]{1,2}\)|[⁰¹²³⁴-⁹]+))+$", re.I
)
"""Numbers and letters of footnotes (`1/`, `(a)`, `²`). A name may itself end like this: they are
removed only where a listed name remains."""

EXTRACT_SHARE = 0.5
"""A file with a smaller share of the months between its first and last is an extract of chosen
rows; in one with more, the missing months are lost."""

_WHOSE = is_it_the_file_of(CARD.homepage)
_AGAIN = "Fetch or land the file again."
_ADD = "Add it in dagster_project/sources/pink_sheet.py: figures before and after do not compare."


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The workbook, by the page that links to it."""
    known = {"held_through": f"{scope.held_through:%Y-%m}"} if scope.held_through else {}
    return [Extract(WORKBOOK, (Request(PAGE, ("html",), context={"step": "page", **known}),))]


def follow(request: Request, answer: Answer) -> Step:
    """The page leads to the workbook, which is complete.

    Raises UpstreamFormatError for a page without the link, and for a workbook that ends before the
    last month that the lake has: the page links to that of an earlier year.
    """
    if request.context["step"] == "page":
        link = LINK.search(answer.file.read_text("utf-8", errors="replace"))
        if link is None:
            raise UpstreamFormatError(
                f"{CARD.name}: the page {PAGE} has no link to {WORKBOOK}.",
                hint=f"If {CARD.homepage} offers it under another name, download and land it.",
            )
        context = {**request.context, "step": "workbook"}
        return Instead((Request(link[0], ("xlsx",), context=context),))
    held_through = request.context.get("held_through", "")
    last = _Sheet(answer.file.read_bytes(), PRICES_SHEET).last_month if held_through else ""
    if last < held_through:
        raise UpstreamFormatError(
            f"{CARD.name}: the workbook ends in {last or 'no month'}, and {held_through} is known: "
            "it is an old one."
        )
    return Done()


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The Pink Sheet -> `price_quotes`, a row per series and month, and `material_labels`.

    Reads the publisher's workbook (CMO-Historical-Data-Monthly.xlsx: sheets `Monthly Prices` and
    `Monthly Indices`) and the bundled table (`month` and one column per instrument). `close` is the
    month's average in `unit`; `currency` is USD, null for an index. A cell without a figure makes
    no row. A sheet without any month or series is skipped, one with them must have every series in
    scope. `vintage_at` of bundled figures is the end of the file's month, which is the one after
    its last figures; else the time of retrieval.
    Raises UpstreamFormatError for a file that is neither or damaged, a sheet without its names or
    months, a series in scope that is missing or has no figure, a month that is missing between the
    first and the last (but see EXTRACT_SHARE), another unit or base year, and an invalid figure;
    UnknownCodeError that names a series that `labels.csv` does not list.
    Source: World Bank, Commodity Markets, monthly prices.
    """
    source = CARD.name
    published = _from_workbook(payload) if looks_like_zip(payload) else _from_table(payload)
    figures = _checked(published)
    if figures.is_empty():
        raise UpstreamFormatError(
            f"{source}: the file contains no price of the series in scope.", hint=_WHOSE
        )
    _require_every_series(published, figures)
    vintage_at = _vintage(figures, document)
    instrument = pl.col("instrument")
    is_index = instrument.is_in(list(INDICES.values()))
    quotes = quotes_of(
        figures.lazy().with_columns(
            pl.when(~is_index).then(pl.lit("USD")).alias("currency"),
            instrument.replace_strict(UNIT_OF).alias("unit"),
        ),
        source=source,
        frequency="M",
        vintage_at=pl.lit(vintage_at, INSTANT),
    )
    labels = labels_of(source, pl.lit(vintage_at))
    return {"price_quotes": quotes, "material_labels": labels}


def _checked(published: pl.DataFrame) -> pl.DataFrame:
    """`month` (1960-01), `instrument` and `printed` -> `instrument`, `price_date`, `close`."""
    printed = pl.col("printed").replace(dict.fromkeys(MISSING))
    figures = published.with_columns(printed.alias("printed")).with_columns(
        pl.col("printed").cast(pl.Float64, strict=False).alias("close"),
    )
    require_every(
        pl.col("month").str.contains(r"^[0-9]{4}-(0[1-9]|1[0-2])$"),
        table=figures,
        value=pl.col("month"),
        what="is not a month",
        source=CARD.name,
    )
    _require_every_month(figures)
    require_every(
        pl.col("printed").is_null() | pl.col("close").is_finite(),
        table=figures,
        value=pl.format("{} {}: {}", "instrument", "month", "printed"),
        what="is not a price",
        source=CARD.name,
    )
    return figures.filter(pl.col("close").is_not_null()).select(
        "instrument",
        pl.format("{}-01", "month").str.to_date("%Y-%m-%d").alias("price_date"),
        "close",
    )


def _require_every_month(published: pl.DataFrame) -> None:
    """Reject a series with rows lost between its first and last month."""
    for (instrument,), rows in published.group_by("instrument", maintain_order=True):
        months = rows["month"].unique().str.to_date("%Y-%m").sort()
        span = pl.date_range(months[0], months[-1], "1mo", eager=True)
        missing = span.filter(~span.is_in(months.implode()))
        if 0 < len(missing) <= EXTRACT_SHARE * len(span):
            named = ", ".join(missing.head(3).dt.strftime("%Y-%m"))
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise UpstreamFormatError(
                f"{CARD.name}: {named}{more} is missing between {months[0]:%Y-%m} and "
                f"{months[-1]:%Y-%m} ({instrument}).",
                hint=_AGAIN,
            )


def _require_every_series(published: pl.DataFrame, figures: pl.DataFrame) -> None:
    """Reject a series that is present and has no figure in any month."""
    blank = published.filter(~pl.col("instrument").is_in(figures["instrument"].unique().implode()))
    if blank.height:
        named = listed(map(repr, blank["instrument"].unique(maintain_order=True)))
        raise UpstreamFormatError(f"{CARD.name}: no month has a figure of {named}.", hint=_WHOSE)


def _vintage(figures: pl.DataFrame, document: Document) -> datetime:
    if not document.is_bundled:
        return utc_naive(document.retrieved_at)
    last_month = pl.col("price_date").max()
    release: datetime = figures.select(
        last_month.dt.offset_by("1mo").dt.month_end().cast(INSTANT)
    ).item()
    return release


def _from_table(payload: bytes) -> pl.DataFrame:
    columns = {name.lower(): name for name in UNIT_OF}
    table = read_text_table(
        payload,
        source=CARD.name,
        required=("month", *columns),
        reads=("workbook", "CSV"),
        hint=_WHOSE,
    )
    return table.unpivot(
        index="month", variable_name="instrument", value_name="printed"
    ).with_columns(pl.col("instrument").replace_strict(columns))


def _from_workbook(payload: bytes) -> pl.DataFrame:
    prices = _Sheet(payload, PRICES_SHEET)
    indices = _Sheet(payload, INDICES_SHEET)
    require_known_labels([*prices.columns, *indices.columns], source=CARD.name)
    prices.require(PRICES)
    indices.require(INDICES)
    for label, (_, expected) in PRICES.items():
        if label in prices.columns and _unit(prices.units.get(label)) != _unit(expected):
            raise UnknownCodeError(
                f"{CARD.name}: {label!r} is in {prices.units.get(label)!r}, not in {expected!r}.",
                hint=_ADD,
            )
    if indices.columns and INDEX_BASE not in indices.notes.replace(" ", ""):
        raise UnknownCodeError(
            f"{CARD.name}: the sheet {INDICES_SHEET!r} does not give {INDEX_BASE} as its base.",
            hint=_ADD,
        )
    instruments = {label: instrument for label, (instrument, _) in PRICES.items()}
    return pl.concat([prices.figures(instruments), indices.figures(INDICES)])


class _Sheet:
    """A sheet of the workbook: notes in the first column, then names of series, then months.

    `columns` is the index of each series by its name, without footnote marks; `units` the text
    below the names; `notes` the text above them.
    """

    def __init__(self, payload: bytes, name: str) -> None:
        self.name = name
        table = read_sheet(payload, name, source=CARD.name, hint=_WHOSE)
        self.columns: dict[str, str] = {}
        self.units: dict[str, str] = {}
        self.notes = ""
        self._months = pl.DataFrame(schema={"month": pl.String})
        if table.is_empty():
            return
        first = pl.col("column 0")
        is_month = first.str.contains(r"^[0-9]{4}M[0-9]{2}$").fill_null(False)
        numbered = table.with_row_index("row", offset=1)
        start = numbered.filter(is_month)["row"].min()
        above = table if start is None else numbered.filter(pl.col("row") < start).drop("row")
        self.notes = " ".join(above["column 0"].drop_nulls())
        self._name_columns(above.filter(first.is_null()))
        if start is None:
            if self.columns:
                raise UpstreamFormatError(
                    f"{CARD.name}: the sheet {name!r} has no month like 1960M01.", hint=_WHOSE
                )
            return
        body = numbered.filter(pl.col("row") >= start)
        self._require_whole_rows(body, is_month)
        self._months = body.filter(is_month)

    def _name_columns(self, header: pl.DataFrame) -> None:
        for column in header.columns[1:]:
            cells = header[column].drop_nulls().to_list()
            units = [cell for cell in cells if cell.startswith("(")]
            names = [_plain(cell) for cell in cells if cell not in units]
            if len(names) > 1 or len(units) > 1:
                raise UpstreamFormatError(
                    f"{CARD.name}: the sheet {self.name!r} has two names above one series: "
                    f"{listed(map(repr, cells))}."
                )
            if not names:
                continue
            label = names[0]
            if label in self.columns:
                raise UpstreamFormatError(
                    f"{CARD.name}: the sheet {self.name!r} has a duplicated {label!r}."
                )
            self.columns[label] = column
            if units:
                self.units[label] = units[0]

    def _require_whole_rows(self, body: pl.DataFrame, is_month: pl.Expr) -> None:
        figures = [name for name in body.columns if name not in ("row", "column 0")]
        has_figures = pl.any_horizontal(pl.col(figures).is_not_null()) if figures else pl.lit(False)
        require_every(
            is_month | ~has_figures,
            table=body,
            value=pl.format("row {}: {}", "row", pl.col("column 0").fill_null("")),
            what=f"has figures and no month like 1960M01 (sheet {self.name})",
            source=CARD.name,
        )
        nameless = [name for name in figures if name not in self.columns.values()]
        filled = [name for name in nameless if body[name].null_count() < body.height]
        if filled:
            raise UpstreamFormatError(
                f"{CARD.name}: the sheet {self.name!r} has figures without a name above them "
                f"({filled[0]})."
            )

    @property
    def last_month(self) -> str:
        """The last month as `2026-05`; empty where there is none."""
        last = self._months.select(pl.last("column 0")).item() if self._months.height else ""
        return str(last).replace("M", "-")

    def require(self, labels: Iterable[str]) -> None:
        """Reject a sheet with months that lacks one of these series."""
        lacking = [label for label in labels if label not in self.columns]
        if self._months.height and lacking:
            raise UpstreamFormatError(
                f"{CARD.name}: the sheet {self.name!r} lacks {', '.join(map(repr, lacking))}.",
                hint=_WHOSE,
            )

    def figures(self, instruments: Mapping[str, str]) -> pl.DataFrame:
        """`month`, `instrument` and `printed` of the series in `instruments`, by their names."""
        columns = {
            column: instruments[label]
            for label, column in self.columns.items()
            if label in instruments
        }
        if not columns:
            schema = dict.fromkeys(("month", "instrument", "printed"), pl.String)
            return pl.DataFrame(schema=schema)
        return (
            self._months.select(
                pl.col("column 0").str.replace("M", "-", literal=True).alias("month"),
                *(pl.col(column).alias(instrument) for column, instrument in columns.items()),
            )
            .unpivot(index="month", variable_name="instrument", value_name="printed")
            .select("month", "instrument", "printed")
        )


def _plain(name: str) -> str:
    """A name without footnote marks and double blanks, spelt as in `labels.csv` where listed."""
    bare = " ".join(FOOTNOTE_MARKS.sub("", name).split())
    listed = {label.casefold(): label for label in material_labels(CARD.name)}
    if bare.casefold() not in listed:
        without = FOOTNOTE_NUMBERS.sub("", bare).casefold()
        return listed.get(without, bare)
    return listed[bare.casefold()]


def _unit(printed: str | None) -> str | None:
    """A unit for comparison: in lower case."""
    return printed.casefold() if printed else None
