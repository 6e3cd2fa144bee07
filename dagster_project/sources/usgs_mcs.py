"""USGS Mineral Commodity Summaries -> `production` (world tables) and `price_quotes` (by the year).

Trade, stocks and consumption of the United States are skipped. The material of each label is in
`bundled/usgs_mcs/labels.csv`, the series of each label of a price in `price_labels.csv`;
misprinted figures are corrected after they are read, by `corrections.yaml` beside them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

import polars as pl

from dagster_project import words
from dagster_project.errors import UnknownCodeError, UpstreamFormatError, listed
from dagster_project.lake.schemas import INSTANT, PRICE_QUOTES, PRODUCTION
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import (
    economies,
    economy_named,
    material_labels,
    price_labels,
    require_known_labels,
)
from dagster_project.sources.card import Calendar, Document, SourceCard
from dagster_project.sources.formats import (
    header_of,
    labels_of,
    looks_like_zip,
    read_text_table,
    require_every,
    require_text,
    utc_naive,
)
from dagster_project.sources.usgs_releases import HOMEPAGE, LAST_ARCHIVED, NAME, follow, plan

__all__ = ["CARD", "follow", "parse", "plan"]

CARD = SourceCard(
    name=NAME,
    title="Mineral Commodity Summaries",
    publisher="United States Geological Survey",
    licence="Public domain (work of the United States Government)",
    licence_url="https://www.usgs.gov/information-policies-and-instructions/copyrights-and-credits",
    is_redistributable=True,
    cadence="annual",
    domain="production_and_uses",
    homepage=HOMEPAGE,
    tables=("production", "price_quotes", "material_labels"),
    lists=("economies",),
    description=(
        "Mine and refinery output of the last two years, reserves and capacity by country, of the "
        "critical minerals and the base metals, and yearly prices of rare earths, gallium, "
        "germanium, antimony, tungsten, cobalt, lithium and graphite. Editions 2022 to 2026; that "
        "of 2022 of twelve commodities, that of 2025 without prices. Asked for: the table of the "
        "newest edition, which takes precedence over earlier ones, and is revised in spring."
    ),
    bundled=(
        "mcs_2022.csv", "mcs_2023.csv", "mcs_2024.csv", "mcs_2025.csv", "mcs_2026.csv",
        "prices_2022.csv", "prices_2023.csv", "prices_2024.csv", "prices_2026.csv",
    ),
    base_url="https://www.sciencebase.gov",
    # The data of the edition of 2026 are of 4 February.
    published_after=timedelta(days=40),
    calendar=Calendar(
        "30 10 * * 2",
        "America/New_York",
        "Tuesdays at 10:30 in Washington: an edition is published around the end of January, and "
        "revised between March and May.",
    ),
)  # fmt: skip

WHAT_TO_LAND = (
    "Land MCS<year>_World_Data.csv (2025) or MCS<year>_Commodities_Data.csv (since 2026)."
)

WIDE_COLUMNS = (
    "source", "commodity", "country", "type", "unit_meas",
    "prod_notes", "cap_notes", "reserve_notes",
)  # fmt: skip
LONG_COLUMNS = (
    "section", "commodity", "country", "statistics", "statistics_detail",
    "unit", "year", "value", "notes",
)  # fmt: skip
TIDY_COLUMNS = (
    "edition", "label", "stage", "economy_iso3", "year",
    "amount_t", "bound", "flag", "printed", "notes",
)  # fmt: skip
PRICE_COLUMNS = ("edition", "label", "year", "price", "flag", "printed")

PRICE_UNITS: Mapping[str, str] = {
    "dollars per kilogram": "USD per kg",
    "dollars per pound": "USD per lb",
    "dollars per metric ton": "USD per t",
    "dollars per dry metric ton unit": "USD per metric ton unit of WO3",
}
"""Printed units of prices, and Kido's names of them."""

PRICE = r"^[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$|^[0-9]+(?:\.[0-9]+)?$"
NO_PRICE = r"^(?:NA|W|XX|-|--|–|—)$"

STATISTICS = ("production", "reserves", "capacity")

TONNES_PER_UNIT: Mapping[str, tuple[float, float]] = {
    "metric tons": (1.0, 1.0),
    "thousand metric tons": (1e3, 1.0),
    "thousand metric dry tons": (1e3, 1.0),
    "million metric tons": (1e6, 1.0),
    "kilograms": (1.0, 1e3),
}
"""Multiplied by the first, divided by the second: dividing keeps 10,300 kg at 10.3 t exactly."""

AREAS: Mapping[str, str] = {"world total": "WLD", "other countries": "_X"}
"""The rows that are not a country."""

PALLADIUM = "Platinum-Group metals: Mine production, Palladium content"

RESERVES_OF_ANOTHER_LABEL: Mapping[int, Mapping[str, str]] = {
    2025: {PALLADIUM: "Platinum-Group metals: Reserves"}
}
"""By edition. The reserves printed for palladium are those of the whole platinum group: 81,000 t,
more than 400 years of palladium; the next edition prints the same figures under the group."""

CAPACITY_AMONG_RESERVES: Mapping[int, tuple[str, ...]] = {
    2025: ("Indium: Refinery production", "Magnesium metal: Magnesium smelter production")
}
"""By edition, labels whose column of reserves has the plants' capacity. For magnesium a note states
it and the column of capacity has it too; for indium the next edition prints the same figures
(Belgium 50 t, China 1,100 t) as refinery capacity."""

YEARS_LOOKED_BACK = 5
"""An edition prints the last two years, and sometimes the reserves of an earlier one."""

EXTRACT = 5
"""A file of at most this many materials is taken as an extract. The whole publication is in
alphabetical order: its first five are complete even in a file that is cut after them."""

MOST_LACKING = 0.25
"""Part of the materials an edition may lack: of the listed ones, the edition of 2025 lacks 3 of 51,
that of 2026 one."""

YEAR = r"^[0-9]{4}$"
_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
FIGURE = (
    rf"^(?P<e>e)? ?(?P<sign>[<>])? ?(?P<low>{_NUMBER})"
    rf"(?: ?[-–—] ?(?P<high>{_NUMBER}))? ?(?P<estimated>e)?$"
)
"""`270,000`, `e270,000`, `270,000e`, `<1`, `>90,000,000`, `500–16,000`."""
LESS_THAN_HALF = r"(?i)\bless than (?:1/2|½) ?unit\b"
ZERO = r"^(?:-|--|–|—)$"
WITHHELD = r"^W$"
NOT_AVAILABLE = r"(?i)^(?:NA|large|small|very small|moderate|moderate to large|s)$"
"""`Large` and the like are opinions without a figure; `s` refers to the note, which gives the row
that includes the figure (or "less than half a unit", which is checked first)."""
NOT_APPLICABLE = r"^XX$"

NO_REMARK = r"(?i)^(?:estimated|reported|reproted)?(?: (?:for )?[0-9]{4})? ?\.?$|^yes$|^no$"
"""Notes that only repeat `flag` (and a `Yes` that slipped from the next column)."""
NO_REMARK_IN_LONG = rf"{NO_REMARK}|^See Appendix C\b"
WHY_BLANK = r"(?i)^(w|na|xx)(?: for [0-9-]+)?\.?$"
"""Notes of the wide layout that explain a blank cell: `W for 23-24`, `NA`, `na for 2023`."""


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A file of an edition -> `production` or `price_quotes` or both, and `material_labels`.

    `production` has one row per label, stage, economy and year; `price_quotes` one per instrument
    and year; `material_labels` is Kido's list. Four layouts are read, recognised by columns: the
    wide CSV of MCS 2025 (years in the names of the columns; no prices), the long CSV since MCS 2026
    (the sections that begin with `World`, and the prices listed in `price_labels.csv`), and the
    bundled tables (TIDY_COLUMNS, PRICE_COLUMNS). UTF-8 or Windows-1252. Labels are `<commodity>:
    <type or detail>` as printed, without `estimated` and `rounded`, which are about the figure and
    go to `flag` and `notes`; case is ignored. Labels that are left out make no rows. `amount_t` is
    metric tons; a range is its middle, `<1` is 1 with bound `below`, "less than 1/2 unit" half a
    unit with bound `below`. `is_provisional`: estimates of an edition's last year, which the next
    edition revises. A price is the average of its year and is dated on the year's first day, as the
    price of a month is on the month's; `NA` and the like make no row. `vintage_at`: 31 January of
    the edition's year for bundled figures, else the time of retrieval.

    A file of more than EXTRACT materials is taken as the publication, which must have most of them;
    the last table must have its world total where most others have one. Misprints of one edition
    are corrected in that edition only: what stands in a wrong column by the two constants by
    edition, figures and units by the register of corrections, which is not applied here.

    Raises UpstreamFormatError for another layout or encoding, a cut file, a year outside the
    edition, figures of countries in a section or column that is not read, or an invalid figure;
    UnknownCodeError that names the label, country, statistic or unit that is in no list. Source:
    USGS, Mineral Commodity Summaries data releases (10.5066/P13XCP3R, 10.5066/P1WKQ63T).
    """
    source = CARD.name
    payload, columns = _utf8_with_columns(payload)
    rows: pl.DataFrame | None = None
    prices: pl.DataFrame | None = None
    if {"source", "commodity"} <= columns:
        rows = _figures(_cells_of_wide(payload, columns))
    elif {"section", "statistics"} <= columns:
        table = _read_long(payload)
        edition = _edition_of_long(table)
        rows = _figures(_cells_of_long(table, edition))
        prices = _prices_of_long(table, edition)
    elif {"edition", "label", "price"} <= columns:
        prices = _prices_of_tidy(payload)
    elif {"edition", "label"} <= columns:
        rows = _figures_of_tidy(payload)
    else:
        if len(columns) == 1 and re.search("[;\t]", next(iter(columns))):
            raise UpstreamFormatError(
                f"{source}: cells are separated by semicolons or tabs where commas were expected.",
                hint="Land the publisher's file as it is, or save it with commas.",
            )
        read_text_table(payload, source=source, required=(), others=True)
        if {"source", "country", "type"} <= columns and "unit_meas" not in columns:
            raise _of_one_commodity()
        raise UpstreamFormatError(
            f"{source}: the columns are those of no known layout ({listed(sorted(columns))}).",
            hint=WHAT_TO_LAND,
        )

    retrieved = pl.lit(utc_naive(document.retrieved_at), INSTANT)
    released = pl.datetime(pl.col("edition"), 1, 31, time_unit="us")
    vintage = (released if document.is_bundled else retrieved).alias("vintage_at")
    frames: dict[str, pl.DataFrame] = {}
    if rows is not None:
        frames["production"] = _production(rows, vintage)
    if prices is not None and prices.height:
        frames["price_quotes"] = _price_quotes(prices, vintage)
    newest = max(frame["vintage_at"].max() for frame in frames.values())  # type: ignore[type-var]
    return {**frames, "material_labels": labels_of(source, pl.lit(newest, INSTANT))}


def _production(rows: pl.DataFrame, vintage: pl.Expr) -> pl.DataFrame:
    """Figures -> rows of the lake table."""
    return rows.select(
        pl.lit(CARD.name).alias("source"),
        "label",
        "stage",
        pl.lit("WLD").alias("scope_iso3"),
        "economy_iso3",
        "year",
        pl.col("year").cast(pl.String).alias("reference_period"),
        "edition",
        "amount_t",
        pl.lit(None, pl.Float64).alias("share"),
        "bound",
        "flag",
        pl.lit(None, pl.Float64).alias("trade_parameter"),
        "printed",
        "notes",
        ((pl.col("flag") == "estimated") & (pl.col("year") == pl.col("edition") - 1)).alias(
            "is_provisional"
        ),
        vintage,
    ).sort(PRODUCTION.key)


def _price_quotes(prices: pl.DataFrame, vintage: pl.Expr) -> pl.DataFrame:
    """Prices by label -> rows of the lake table."""
    return prices.select(
        pl.lit(CARD.name).alias("source"),
        "instrument",
        pl.date("year", 1, 1).alias("price_date"),
        pl.col("edition").cast(pl.Int32),
        pl.lit("A").alias("frequency"),
        pl.col("price").alias("close"),
        pl.lit(None, pl.Float64).alias("adjusted_close"),
        pl.lit("USD").alias("currency"),
        pl.col("unit_of_series").alias("unit"),
        ((pl.col("flag") == "estimated") & (pl.col("year") == pl.col("edition") - 1)).alias(
            "is_provisional"
        ),
        vintage,
    ).sort(PRICE_QUOTES.key)


def _utf8_with_columns(payload: bytes) -> tuple[bytes, frozenset[str]]:
    """The payload as UTF-8, and the names of its columns, in lower case.

    The editions are Windows-1252 with or without a byte order mark of UTF-8. Raises
    UpstreamFormatError for archives, workbooks, UTF-16 and other payloads that are not text.
    """
    if looks_like_zip(payload):
        if re.search(rb"(?i)mcs202[2-4][-_]\w+_(?:world|salient)\.csv", payload):
            raise _of_one_commodity()
        raise UpstreamFormatError(
            f"{CARD.name}: zip archive where CSV was expected.", hint="Land the CSV inside it."
        )
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        # The five undefined bytes become NUL.
        text = payload.decode("cp1252", errors="replace").replace("\ufffd", "\0")
    # In either encoding a text has no control characters except line ends and tabs.
    if re.search("[\0-\x08\x0e-\x1f]", text):
        require_text(payload, source=CARD.name, hint=WHAT_TO_LAND)
        raise UpstreamFormatError(f"{CARD.name}: the file is not text.", hint=WHAT_TO_LAND)
    payload = text.encode()
    return payload, frozenset(name for name in header_of(payload, source=CARD.name) if name)


def _of_one_commodity() -> UpstreamFormatError:
    return UpstreamFormatError(
        f"{CARD.name}: editions 2022 to {LAST_ARCHIVED}, with a CSV per commodity, are bundled and "
        "not read as published."
    )


def _plain(column: str) -> pl.Expr:
    """The text of a column with runs of blanks of any kind as one blank, none at the ends."""
    return pl.col(column).str.replace_all(r"[\s\u00a0]+", " ").str.strip_chars().replace("", None)


def _cells_of_wide(payload: bytes, columns: frozenset[str]) -> pl.LazyFrame:
    """The wide layout -> one row per cell with a meaning: `edition`, `label`, `statistic`,
    `country`, `year`, `unit`, `cell`, `note`, `is_estimate`.

    A blank cell has a meaning where a note explains it, or where the column has a figure of
    another country. In columns of production or capacity a country that is blank in every year,
    without such a note, has the dash of the printed table, a zero: the notes give `W`, `NA` and
    `XX`, and of the blanks of 2024 in MCS 2025 all 42 outputs and 9 capacities that MCS 2026 prints
    too are dashes there. A blank next to another year's figure (two countries), and blank reserves,
    are not available: for the latter the next edition prints NA, dashes and figures.
    """
    years = _columns_of_years(columns)
    table, year_of_edition = _wide_table(payload, years)
    cells = _cells_of_years(table, years)
    kind = pl.col("type").fill_null("").str.replace(r"(?i), ?estimated$", "")
    is_sum_of_labels = pl.col("country").str.contains(r"(?i)^world total.*\(.* and .*\)")
    label = pl.format(
        "{}: {}",
        pl.col("commodity").fill_null(""),
        pl.when(is_sum_of_labels)
        .then(pl.col("country").str.replace(", rounded", "", literal=True))
        .otherwise(kind),
    )
    is_reserves = pl.col("statistic") == "reserves"
    is_capacity = is_reserves & pl.col("label").is_in(
        CAPACITY_AMONG_RESERVES.get(year_of_edition, ())
    )
    column = ("label", "statistic", "year")
    is_blank = pl.col("cell").is_null()
    has_figures = (~is_blank).any().over(column)
    says_why = pl.any_horizontal(_note_stands_for_cell(), _note_is_figure())
    note_on_unit = pl.col("note").str.extract(r"\b((?:thousand|million) metric tons)\b")
    return (
        cells.with_columns(label=label)
        .filter(has_figures | says_why)
        .with_columns(
            edition=pl.lit(year_of_edition, pl.Int32),
            unit=pl.coalesce(
                # One note is about the reserves of all countries of the table.
                pl.when(is_reserves).then(note_on_unit.drop_nulls().first().over(column)),
                "unit_meas",
            ),
            means=_meaning_of_wide_cell(),
            is_estimate=pl.col("in_column_of_estimates")
            | pl.col("note").str.contains(r"(?i)^estimated\b").fill_null(False)
            | (
                pl.col("type").str.contains(r"(?i), ?estimated$")
                & (pl.col("statistic") == "production")
                & ~pl.col("note").str.contains(r"(?i)\breported\b").fill_null(False)
            ),
            remark=pl.when(
                ~pl.col("note").str.contains(NO_REMARK),
                is_blank | ~pl.col("note").str.contains(WHY_BLANK),
            ).then("note"),
        )
        .with_columns(
            label=pl.when(is_reserves)
            .then(pl.col("label").replace(RESERVES_OF_ANOTHER_LABEL.get(year_of_edition, {})))
            .otherwise("label"),
            statistic=pl.when(is_capacity).then(pl.lit("capacity")).otherwise("statistic"),
            is_second=is_capacity
            & (pl.col("statistic") == "capacity").any().over("label"),
        )
        .filter(~pl.col("is_second"))
        .select(
            "edition", "label", "statistic", "country", "year", "unit", "cell", "means",
            "is_estimate", "remark",
        )
    )  # fmt: skip


def _columns_of_years(columns: frozenset[str]) -> dict[str, re.Match[str]]:
    """The columns of a year (`PROD_EST_2024`), each with its statistic, mark and year.

    Raises UpstreamFormatError for columns of a year that are not read, and without production.
    """
    matches = {
        name: re.fullmatch(r"(prod|cap|reserves)_(est_)?([0-9]{4})", re.sub(r"\s", "", name))
        for name in sorted(columns)
    }
    # A column of the long layout marks the materials that are on a list of a year.
    unread = [
        name
        for name, match in matches.items()
        if match is None and re.search(r"[0-9]{4}", name) and "critical" not in name
    ]
    if unread:
        raise UpstreamFormatError(
            f"{CARD.name}: columns of a year that are not read: {listed(unread)}.",
            hint="Read are PROD_<year>, CAP_<year>, RESERVES_<year>, and _EST_ before the year.",
        )
    years = {name: match for name, match in matches.items() if match}
    if not any(match[1] == "prod" for match in years.values()):
        raise UpstreamFormatError(f"{CARD.name}: no column of production of a year (PROD_2023).")
    return years


def _wide_table(payload: bytes, years: Iterable[str]) -> tuple[pl.DataFrame, int]:
    """The rows of the wide layout, and the year of its edition.

    Raises UpstreamFormatError for several editions in a file, and one that was cut.
    """
    table = read_text_table(
        payload, source=CARD.name, required=(*WIDE_COLUMNS, *years), others=True
    ).with_columns(_plain(name) for name in (*WIDE_COLUMNS, *years))
    # The publisher's files of one commodity end in rows of commas.
    table = table.filter(pl.any_horizontal(pl.col(WIDE_COLUMNS[:4]).is_not_null()))
    require_every(
        pl.col("source").str.contains(r"^MCS[0-9]{4}$"),
        table=table,
        value=pl.col("source"),
        what="is not an edition like MCS2025",
        source=CARD.name,
    )
    edition = table["source"].unique().sort().to_list()
    if len(edition) != 1:
        raise UpstreamFormatError(f"{CARD.name}: several editions in a file: {listed(edition)}.")
    _require_world_total_of_last(table, columns=("commodity", "type"))
    return table, int(edition[0][3:])


def _cells_of_years(table: pl.DataFrame, years: Mapping[str, re.Match[str]]) -> pl.LazyFrame:
    """One row per row of the table and column of a year."""
    statistic = {"prod": "production", "cap": "capacity", "reserves": "reserves"}
    notes = {"prod": "prod_notes", "cap": "cap_notes", "reserves": "reserve_notes"}
    return pl.concat(
        table.lazy().select(
            "commodity", "country", "type", "unit_meas",
            pl.lit(statistic[match[1]]).alias("statistic"),
            pl.lit(match[3]).alias("year"),
            pl.lit(match[2] is not None).alias("in_column_of_estimates"),
            pl.col(name).alias("cell"),
            pl.col(notes[match[1]]).alias("note"),
        )
        for name, match in years.items()
    )  # fmt: skip


def _note_stands_for_cell() -> pl.Expr:
    """Whether the note explains the blank cells of its row, in the year of the column."""
    note = pl.col("note").fill_null("")
    is_of_all_years = ~note.str.contains(r"[0-9]")
    names_year = note.str.contains(pl.col("year").str.slice(2), literal=True)
    return note.str.contains(WHY_BLANK) & (is_of_all_years | names_year)


def _note_is_figure() -> pl.Expr:
    note = pl.col("note").fill_null("")
    return note.str.contains(LESS_THAN_HALF) | note.str.contains(NOT_AVAILABLE)


def _meaning_of_wide_cell() -> pl.Expr:
    """The cell, or the meaning of a blank cell (the rule is in `_cells_of_wide`)."""
    is_blank = pl.col("cell").is_null()
    is_blank_every_year = is_blank.all().over("label", "statistic", "country")
    is_included_elsewhere = pl.col("note").fill_null("").str.contains(r"(?i)\bincluded with\b")
    return (
        pl.when(~is_blank)
        .then("cell")
        .when(_note_stands_for_cell())
        .then(pl.col("note").str.extract(WHY_BLANK).str.to_uppercase())
        .when(_note_is_figure())
        .then("note")
        .when((pl.col("statistic") == "reserves") | ~is_blank_every_year | is_included_elsewhere)
        .then(pl.lit("NA"))
        .otherwise(pl.lit("—"))
    )


def _read_long(payload: bytes) -> pl.DataFrame:
    """The long layout as text, blanks tidied."""
    # In one piece: of a column in several, Polars 2.1 fails to format the rows a filter leaves.
    return (
        read_text_table(payload, source=CARD.name, required=LONG_COLUMNS, others=True)
        .with_columns(_plain(name) for name in LONG_COLUMNS)
        .rechunk()
    )


def _is_of_world() -> pl.Expr:
    return pl.col("section").str.contains(r"(?i)^World\b").fill_null(False)


def _edition_of_long(table: pl.DataFrame) -> int:
    """The edition, which is not printed: the year after the last year of production of most
    labels.
    """
    table = table.filter(_is_of_world())
    if table.is_empty():
        raise UpstreamFormatError(f"{CARD.name}: no section of the world in the file.")
    last_years = (
        table.filter(
            pl.col("statistics").str.to_lowercase() == "production",
            pl.col("year").str.contains(YEAR),
        )
        .group_by(pl.col("commodity", "statistics_detail").str.to_lowercase())
        .agg(pl.col("year").cast(pl.Int32).max())
    )["year"]
    if last_years.is_empty():
        raise UpstreamFormatError(
            f"{CARD.name}: no production of a year in the file: its edition cannot be determined."
        )
    # Where two years have as many labels, the earlier one: a later year is then rejected.
    labels_by_year: Counter[int] = Counter(last_years.to_list())
    return max(sorted(labels_by_year), key=lambda year: labels_by_year[year]) + 1


def _cells_of_long(table: pl.DataFrame, edition: int) -> pl.LazyFrame:
    """The long layout -> the same rows as `_cells_of_wide`, of the sections of the world."""
    statistic = pl.col("statistics").str.to_lowercase()
    require_every(
        _is_of_world()
        | ~statistic.is_in(STATISTICS).fill_null(False)
        | pl.col("country").str.contains(r"(?i)^(?:United States|World)\b"),
        table=table,
        value=pl.format(
            "{}: {}: {}, {}",
            *(
                pl.col(name).fill_null("")
                for name in ("section", "commodity", "statistics_detail", "country")
            ),
        ),
        what="is a figure of another country in a section that does not begin with World, "
        "and would not be read",
        source=CARD.name,
    )
    table = table.filter(_is_of_world())
    rounded = r"(?i)[:,] rounded$"
    detail = pl.col("statistics_detail").fill_null("").str.replace(rounded, "")
    _require_world_total_of_last(
        table.with_columns(statistics_detail=detail),
        columns=("commodity", "statistics", "statistics_detail", "year"),
    )
    remarks = (
        pl.col("notes")
        .str.split(" -- ")
        .list.eval(pl.element().filter(~pl.element().str.contains(NO_REMARK_IN_LONG)))
        .list.join(" ")
        .replace("", None)
    )
    is_rounded = pl.col("statistics_detail").str.contains(rounded)
    is_less_than_half = pl.col("notes").str.contains(LESS_THAN_HALF) & (pl.col("value") == "s")
    return table.lazy().select(
        pl.lit(edition, pl.Int32).alias("edition"),
        pl.format("{}: {}", pl.col("commodity").fill_null(""), detail).alias("label"),
        statistic.alias("statistic"),
        pl.when(is_rounded).then(pl.format("{} (rounded)", "country")).otherwise("country"),
        "year",
        pl.col("unit").str.extract("^([^,]*)").str.strip_chars().alias("unit"),
        pl.col("value").alias("cell"),
        pl.when(is_less_than_half)
        .then(pl.lit("less than ½ unit"))
        .otherwise(pl.col("value").fill_null("NA"))
        .alias("means"),
        pl.col("notes").str.contains(r"(?i)(?:^|-- )estimated\b").fill_null(False).alias(
            "is_estimate"
        ),
        remarks.alias("remark"),
    )  # fmt: skip


def _prices_of_long(table: pl.DataFrame, edition: int) -> pl.DataFrame:
    """The long layout -> `edition`, `year`, `price`, `flag` and series of the listed prices.

    Of a commodity with a label in `price_labels.csv` every price must be listed in `labels.csv`;
    prices of others are skipped.
    """
    priced = {label.split(": ")[0].casefold() for label in price_labels(CARD.name)}
    is_price = (pl.col("statistics").str.to_lowercase() == "price").fill_null(False)
    prices = table.filter(
        is_price & pl.col("commodity").str.to_lowercase().is_in(sorted(priced)).fill_null(False)
    ).select(
        pl.lit(edition, pl.Int32).alias("edition"),
        pl.format("{}: {}", "commodity", pl.col("statistics_detail").fill_null("")).alias("label"),
        "year",
        pl.col("unit").str.to_lowercase().replace(PRICE_UNITS).alias("unit"),
        pl.col("value").fill_null("NA").alias("printed"),
        pl.when(pl.col("notes").str.contains(r"(?i)(?:^|-- )estimated\b").fill_null(False))
        .then(pl.lit("estimated"))
        .otherwise(pl.lit("reported"))
        .alias("flag"),
    )
    prices = _known_prices(prices)
    require_every(
        (pl.col("unit") == pl.col("unit_of_series")).fill_null(False),
        table=prices,
        value=pl.format("{}: {}", "label", pl.col("unit").fill_null("")),
        what="is a price in another unit than that of the series in price_labels.csv",
        source=CARD.name,
        error=UnknownCodeError,
    )
    return _checked_prices(prices)


def _prices_of_tidy(payload: bytes) -> pl.DataFrame:
    """The bundled table of prices; `price` is a number."""
    table = read_text_table(payload, source=CARD.name, required=PRICE_COLUMNS)
    require_every(
        pl.col("edition").str.contains(YEAR),
        table=table,
        value=pl.col("edition"),
        what="is not an edition like 2024",
        source=CARD.name,
    )
    require_every(
        pl.col("flag").is_in(["reported", "estimated"]),
        table=table,
        value=pl.col("flag"),
        what="is not the flag of a price",
        source=CARD.name,
        error=UnknownCodeError,
    )
    require_every(
        ~pl.col("price").str.contains(NO_PRICE),
        table=table,
        value=pl.format("{}, {}", "label", pl.col("year").fill_null("")),
        what="has no price",
        source=CARD.name,
    )
    prices = _known_prices(table.with_columns(pl.col("edition").cast(pl.Int32)))
    return _checked_prices(prices.with_columns(printed="price"))


def _known_prices(prices: pl.DataFrame) -> pl.DataFrame:
    """The prices that are used, with `instrument` and `unit_of_series` of their labels.

    A label in neither list is rejected. Two labels are one series where the years that two editions
    print under them agree except for rounding and the revision of an estimate. They do not for
    gallium, which was two grades until 2024 and is the average of imports in 2026, nor for lithium,
    which 2026 prints in real dollars (11,700 a ton for 2021, 12,600 before).
    """
    prices = _known_and_taken(prices)
    series = price_labels(CARD.name)
    require_every(
        pl.col("label").is_in(list(series)),
        table=prices,
        value=pl.col("label"),
        what="is used in labels.csv, but price_labels.csv beside it does not give its instrument",
        source=CARD.name,
        error=UnknownCodeError,
    )
    return prices.with_columns(
        pl.col("label").replace_strict(
            {label: getattr(of_label, field) for label, of_label in series.items()},
            return_dtype=pl.String,
        ).alias(name)
        for name, field in (("instrument", "instrument"), ("unit_of_series", "unit"))
    )  # fmt: skip


def _checked_prices(prices: pl.DataFrame) -> pl.DataFrame:
    """`printed` -> `price`, and `year` as a number; a cell without a figure makes no row."""
    prices = prices.filter(~pl.col("printed").str.contains(NO_PRICE))
    place = pl.format("{}, {}: {}", "label", pl.col("year").fill_null(""), "printed")
    year = pl.col("year").cast(pl.Int32, strict=False)
    for rule, what in (
        (pl.col("printed").str.contains(PRICE), "is not a price"),
        (
            year.is_between(pl.col("edition") - YEARS_LOOKED_BACK, pl.col("edition") - 1)
            .fill_null(False),
            "is outside the years of the edition",
        ),
    ):  # fmt: skip
        require_every(rule, table=prices, value=place, what=what, source=CARD.name)
    price = pl.col("printed").str.replace_all(",", "").cast(pl.Float64)
    return prices.select(
        "edition", "instrument", "unit_of_series", year, price.alias("price"), "flag"
    )


def _figures(cells: pl.LazyFrame) -> pl.DataFrame:
    """Cells -> figures in metric tons, with economy, stage, bound and flag."""
    rows = _known_and_taken(cells.collect()).rechunk()
    _require_most_materials(rows)
    rows = _with_units_of_label(rows)
    _require_what_is_read(rows)
    multiplied, divided = (
        pl.col("unit").replace_strict(
            {unit: factors[at] for unit, factors in TONNES_PER_UNIT.items()},
            return_dtype=pl.Float64,
        )
        for at in (0, 1)
    )
    country, parenthesis = _country_and_parenthesis(rows)
    figures = (
        rows.lazy()
        .with_columns(**_read_cells())
        .with_columns(
            year=pl.col("year").cast(pl.Int32),
            amount_t=pl.col("in_units") * multiplied / divided,
            economy_iso3=pl.col("country").replace_strict(country, return_dtype=pl.String),
            parenthesis=pl.col("country").replace_strict(parenthesis, return_dtype=pl.String),
            printed=pl.col("cell"),
            stage=pl.when(pl.col("statistic") != "production")
            .then("statistic")
            .when(pl.col("label_stage").is_in(words.STAGES_OF_OUTPUT))
            .then("label_stage"),
        )
        .with_columns(
            without_usa=pl.when(
                pl.col("economy_iso3") == "WLD",
                ((pl.col("economy_iso3") == "USA") & (pl.col("flag") == "withheld"))
                .any()
                .over("label", "stage", "year"),
                ~pl.col("remark").fill_null("").str.contains(r"U\.S\.|United States"),
            ).then(pl.lit("(United States withheld)"))
        )
        .with_columns(
            notes=pl.concat_str(
                "remark", "parenthesis", "without_usa", separator=" ", ignore_nulls=True
            ).replace("", None)
        )
        .collect()
    )
    _require_flag_and_stage(figures)
    return figures


def _with_units_of_label(rows: pl.DataFrame) -> pl.DataFrame:
    """Units in lower case; a blank one is that of the label's other cells, if they have one."""
    units_of_label = pl.col("unit").drop_nulls().unique()
    return rows.with_columns(unit=pl.col("unit").str.to_lowercase()).with_columns(
        unit=pl.when(
            pl.col("unit").is_null(), (units_of_label.len() == 1).over("label", "statistic")
        )
        .then(units_of_label.first().over("label", "statistic"))
        .otherwise("unit")
    )


def _require_what_is_read(rows: pl.DataFrame) -> None:
    """Reject an unknown statistic or unit, and a year that is none of the edition."""
    for column, known, what in (
        ("statistic", list(STATISTICS), "is not a statistic that is read"),
        (
            "unit",
            list(TONNES_PER_UNIT),
            "is not a known unit of mass; a new one is added with its factor to "
            "TONNES_PER_UNIT in dagster_project/sources/usgs_mcs.py",
        ),
    ):
        require_every(
            pl.col(column).is_in(known),
            table=rows,
            value=pl.format("{}: {}", "label", pl.col(column).fill_null("")),
            what=what,
            source=CARD.name,
            error=UnknownCodeError,
        )
    require_every(
        pl.col("year").str.contains(YEAR),
        table=rows,
        value=pl.format("{}, {}", "label", pl.col("year").fill_null("")),
        what="is not a figure of a year like 2024",
        source=CARD.name,
    )
    editions = rows["edition"].cast(pl.String).unique().sort()
    year = pl.col("year").cast(pl.Int32)
    last_year = pl.col("edition") - (pl.col("statistic") == "production").cast(pl.Int32)
    require_every(
        year.is_between(pl.col("edition") - YEARS_LOOKED_BACK, last_year),
        table=rows,
        value=pl.format("{}, {}, {}", "label", pl.col("country").fill_null(""), "year"),
        what=f"is outside the years of the edition of {listed(editions)}",
        source=CARD.name,
    )


def _read_cells() -> dict[str, pl.Expr]:
    """What a cell means: `in_units` of its row, `bound`, and `flag`, null for no figure."""
    groups = pl.col("means").str.extract_groups(FIGURE)
    low, high = (
        groups.struct.field(name).str.replace_all(",", "").cast(pl.Float64)
        for name in ("low", "high")
    )
    is_less_than_half = pl.col("means").str.contains(LESS_THAN_HALF)
    in_units = (
        pl.when(is_less_than_half)
        .then(0.5)
        .when(pl.col("means").str.contains(ZERO))
        .then(0.0)
        .otherwise(pl.when(high.is_null()).then(low).otherwise((low + high) / 2))
    )
    sign = groups.struct.field("sign")
    bound = (
        pl.when(is_less_than_half | (sign == "<"))
        .then(pl.lit("below"))
        .when(sign == ">")
        .then(pl.lit("above"))
        .when(high.is_not_null())
        .then(pl.lit("range"))
        .otherwise(pl.lit("exact"))
    )
    is_estimate = pl.any_horizontal(
        "is_estimate",
        groups.struct.field("e").is_not_null(),
        groups.struct.field("estimated").is_not_null(),
    )
    flag = (
        pl.when(pl.col("means").str.contains(WITHHELD))
        .then(pl.lit("withheld"))
        .when(pl.col("means").str.contains(NOT_AVAILABLE))
        .then(pl.lit("not_available"))
        .when(pl.col("means").str.contains(NOT_APPLICABLE))
        .then(pl.lit("not_applicable"))
        .when(in_units == 0, bound == "exact")
        .then(pl.lit("zero"))
        .when(in_units.is_not_null(), is_estimate)
        .then(pl.lit("estimated"))
        .when(in_units.is_not_null())
        .then(pl.lit("reported"))
    )
    return {"flag": flag, "bound": bound, "in_units": in_units}


def _require_flag_and_stage(figures: pl.DataFrame) -> None:
    """Reject a cell that is no figure, and output without a stage."""
    require_every(
        pl.col("flag").is_not_null(),
        table=figures,
        value=pl.format("{}, {}, {}: {}", "label", "country", "year", "means"),
        what="is not a figure",
        source=CARD.name,
    )
    require_every(
        pl.col("stage").is_not_null(),
        table=figures,
        value=pl.col("label"),
        what="has production, but labels.csv does not give mine or plant as its stage",
        source=CARD.name,
        error=UnknownCodeError,
    )


def _require_world_total_of_last(table: pl.DataFrame, *, columns: tuple[str, ...]) -> None:
    """Reject a file whose last table lacks the world total that most of its tables have.

    A file that was cut at the end of a line ends inside a table, before its total.
    """
    has_total = pl.col("country").str.contains(r"(?i)^world total\b").fill_null(False).any()
    tables = table.group_by(columns, maintain_order=True).agg(has_total=has_total)
    last = table.select(columns).tail(1).join(tables, on=columns, nulls_equal=True)
    if last["has_total"].all() or tables["has_total"].sum() <= tables.height / 2:
        return
    name = listed(value for value in last.select(columns).row(0) if value)
    raise UpstreamFormatError(
        f"{CARD.name}: the last table ({name}) has no world total: the file is cut.",
        hint="Fetch or land it again. If the publisher prints no total there, put its rows before "
        "those of another table.",
    )


def _require_most_materials(rows: pl.DataFrame) -> None:
    """Reject a file that is neither an extract nor has most of the listed materials."""
    listed = {
        name.label.casefold(): name.material
        for name in material_labels(CARD.name).values()
        if name.stage and not name.left_out
    }
    of_all = set(listed.values())
    lacking = of_all - {listed[label.casefold()] for label in rows["label"].unique()}
    if len(of_all) - len(lacking) > EXTRACT and len(lacking) > MOST_LACKING * len(of_all):
        raise UpstreamFormatError(
            f"{CARD.name}: {len(lacking)} of the {len(of_all)} materials of an edition are not in "
            f"the file ({', '.join(sorted(lacking)[:3])}, ...): it is cut.",
            hint=f"Fetch or land it again; an extract contains {EXTRACT} materials at most.",
        )


def _known_and_taken(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose label is not left out.

    Labels as they are spelt in the list, and the stage the list gives (`label_stage`).
    """
    known = material_labels(CARD.name)
    spelt = {label.casefold(): label for label in known}
    rows = rows.with_columns(pl.col("label").fill_null(""))
    printed = rows["label"].unique().to_list()
    here = {label: spelt.get(label.casefold(), label) for label in printed}
    require_known_labels(here.values(), source=CARD.name)
    taken = {label: known[name] for label, name in here.items() if not known[name].left_out}
    return rows.filter(pl.col("label").is_in(list(taken))).with_columns(
        label=pl.col("label").replace(here),
        label_stage=pl.col("label").replace_strict(
            {label: name.stage for label, name in taken.items()}, return_dtype=pl.String
        ),
    )


def _country_and_parenthesis(
    rows: pl.DataFrame,
) -> tuple[Mapping[str, str], Mapping[str, str | None]]:
    """By the country as printed: the economy, and words in brackets that are not part of its name.

    `Congo (Kinshasa)` is a name; `Brazil (beneficiated)` is Brazil. The digits of a footnote after
    a bracket (`World total (rounded) 10`) are dropped.
    """
    countries: dict[str, str] = {}
    parentheses: dict[str, str | None] = {}
    for printed in rows["country"].fill_null("").unique().to_list():
        name = re.sub(r" ?[0-9]+$", "", printed)
        match = re.fullmatch(r"(.*?) (\((?!Kinshasa|Brazzaville).*\))", name)
        bare = match[1] if match else name
        countries[printed] = AREAS.get(bare.casefold()) or economy_named(bare, publisher=CARD.name)
        parentheses[printed] = match[2] if match else None
    return countries, parentheses


def _figures_of_tidy(payload: bytes) -> pl.DataFrame:
    """The bundled table -> figures; its words are the lake's, so they are only checked."""
    table = _known_and_taken(read_text_table(payload, source=CARD.name, required=TIDY_COLUMNS))
    has_amount = pl.col("flag").is_in(["reported", "estimated", "zero"])
    amount = pl.col("amount_t").cast(pl.Float64, strict=False)
    codes = (
        (
            "economy_iso3",
            list(economies()),
            "is not a known economy",
        ),
        ("stage", words.STAGES, "is not a stage"),
        ("bound", words.BOUNDS, "is not a bound"),
        ("flag", words.FIGURE_FLAGS, "is not a flag"),
    )
    for column, known, what in codes:
        require_every(
            pl.col(column).is_in(known),
            table=table,
            value=pl.col(column),
            what=what,
            source=CARD.name,
            error=UnknownCodeError,
        )
    rules = (
        ("edition", pl.col("edition").str.contains(YEAR), "is not an edition like 2025"),
        ("year", pl.col("year").str.contains(YEAR), "is not a year like 2024"),
        (
            "year",
            pl.col("year").cast(pl.Int32, strict=False)
            <= pl.col("edition").cast(pl.Int32, strict=False),
            "is a year after the edition",
        ),
        (
            "amount_t",
            pl.when(has_amount)
            .then((amount >= 0) & amount.is_finite())
            .otherwise(pl.col("amount_t").is_null()),
            "is not the amount of its flag (a number, or a blank where there is no figure)",
        ),
    )
    for column, rule, what in rules:
        require_every(rule, table=table, value=pl.col(column), what=what, source=CARD.name)
    return table.with_columns(
        pl.col("edition", "year").cast(pl.Int32), pl.col("amount_t").cast(pl.Float64)
    )
