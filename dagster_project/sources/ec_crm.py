"""European Commission: studies on critical raw materials -> shares of supply, uses, assessments.

Only figures printed in the studies, in their annex tables and in Kido's tidy ones; concentration
and supply risk are computed again in the marts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, listed
from dagster_project.lake.schemas import INSTANT, LAKE_TABLES
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import (
    economies,
    economy_named,
    material_labels,
    require_known_labels,
)
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import (
    header_of,
    labels_of,
    looks_like_html,
    looks_like_zip,
    read_text_table,
    require_every,
    utc_naive,
)

CARD = SourceCard(
    name="ec_crm",
    title="Studies on the critical raw materials for the EU",
    publisher="European Commission",
    licence="© European Union; CC BY 4.0, the 2017 study under Decision 2011/833/EU",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="edited by hand",
    domain="production_and_uses",
    homepage=(
        "https://single-market-economy.ec.europa.eu/sectors/raw-materials/"
        "areas-specific-interest/critical-raw-materials_en"
    ),
    tables=("production", "end_uses", "assessments", "material_labels"),
    lists=("economies",),
    description=(
        "Shares of economies in the world's supply and in the EU's sourcing with their trade "
        "parameters, and shares of uses with the sectors they go to (study of 2023); supply risk "
        "and economic importance of every study from 2011 to 2023, with all inputs for 2017. A "
        "study comes out about every three years."
    ),
    bundled=("supply_shares.csv", "end_uses.csv", "assessments.csv"),
)

RELEASES: Mapping[int, date] = MappingProxyType(
    {
        2011: date(2011, 2, 2),
        2014: date(2014, 5, 26),
        2017: date(2017, 9, 13),
        2020: date(2020, 9, 3),
        2023: date(2023, 3, 16),
    }
)
"""The day the list of each study was released: COM(2011) 25, COM(2014) 297, COM(2017) 490,
COM(2020) 474, and the proposal COM(2023) 160."""

REFERENCE_PERIODS: Mapping[int, str] = MappingProxyType(
    {2017: "2010/2014", 2020: "2012/2016", 2023: "2016/2020"}
)
"""Years that the shares of supply of a study are averages of, as its report gives them for all of
it; the annex tables mark no material as averaged over others."""

ANNEX_YEAR = 2023
"""The annex tables do not print their year; those in this layout are of the study of 2023."""

GROUPS_OF_2017 = ("HREEs", "LREEs", "PGMs")
"""Results that only the table over time has for 2017, not the table of inputs: means of groups."""

STAGES: Mapping[str, str] = MappingProxyType({"E": "extraction", "P": "processing"})
STAGES_OF_2017: Mapping[str, str] = MappingProxyType(
    {"Extraction": "extraction", "Processing": "processing"}
)
SUPPLY_USED: Mapping[str, str] = MappingProxyType(
    {"GS + EUS": "global_and_consumer", "GS only": "global", "EUS only": "consumer"}
)
BOUNDS: Mapping[str, str] = MappingProxyType({"<": "below", ">": "above", "": "exact"})

NUMBER = r"^[0-9]+(\.[0-9]+)?$"
PERCENT = r"^[<>]?[0-9]+(\.[0-9]+)?%$|^[1-9][0-9]*$"
"""A number with a percent sign; a whole number alone has lost the sign (one cell of 2023). A
fraction alone is rejected: it could be 0.5 % or a half."""
NACE_SECTOR = r"^([A-U][0-9]{2}) - (.+)$"
DIGITS = 6
"""Shares are rounded to a ten-thousandth of a percent: the division by 100 leaves noise behind."""

RESULTS = ("supply_risk", "economic_importance")
INPUTS = (
    "import_reliance",
    "eol_recycling_rate",
    "substitution_index_economic",
    "substitution_index_supply",
    "hhi_global_supply",
    "hhi_consumer_sourcing",
)

SUPPLY_SHARE_COLUMNS = (
    "year",
    "scope_iso3",
    "label",
    "stage",
    "economy_iso3",
    "share",
    "bound",
    "trade_parameter",
    "printed",
    "figure_source",
)
END_USE_COLUMNS = (
    "year",
    "label",
    "application",
    "sector",
    "nace2_code",
    "use_share",
    "sector_value_added_eur_m",
    "figure_source",
)
ASSESSMENT_COLUMNS = (
    "year",
    "label",
    "stage",
    *RESULTS,
    "supply_used",
    *INPUTS,
    "figure_source",
)
RAW_RELIANCE = "import_reliance_raw"
"""A column that Kido's table may have: the import reliance before it is set to 0."""

SIGNED_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A table of a study -> `production`, `end_uses` or `assessments`, and `material_labels`.

    The table is recognised by its columns; their case and order are ignored. Text is UTF-8 or
    Windows-1252, and a cell may contain a line break.

    The Commission's tables:
    - `Material, Stage, Country, Share, t`: shares of supply -> `production`, 0 to 1, for 2023
      (which is their `edition`), with `trade_parameter` from `t` (blank is 1, neutral). `<0.1%` is
      half of it (0.0005) with the bound `below`; a bare `6` is 6 %. The world's supply
      (`scope_iso3` `WLD`) and the EU's (`EU27`) come in the same columns: see `_scope_of`.
    - `Material, Application, Share, NACE sector, VA in million €` -> `end_uses` for 2023. The
      sector is the division's text, `other` where none is printed. A row that repeats another is
      dropped; rows that still share material, application and sector are summed. `>0%` is 0.
    - `Material, Year, SR, EI` -> `assessments`, one per study; `-` is not assessed, and without
      either result there is no row. Of 2017 only the groups are read: the rest is in the table
      of inputs.
    - `material, stage, SR_pub, ..., HHI_EU` -> `assessments` of 2017; percentages become 0 to 1,
      and an HHI of 0.0 on the side of supply that is not used is null.

    Kido's tidy tables are SUPPLY_SHARE_COLUMNS, END_USE_COLUMNS and ASSESSMENT_COLUMNS (which may
    have RAW_RELIANCE as well): the columns of the lake with a `year`, so a later study fits in;
    `figure_source` must give the origin of the figure and is not kept.

    Rows of labels that `labels.csv` leaves out are dropped. `Titanium` is named `titanium_ores`:
    its mines are those of `Titanium ores` in the EU's table, while `Titanium metal` is another
    chain. `vintage_at` is the study's day in RELEASES for bundled figures (for the labels, which
    are shared by all studies, the first), else the time of retrieval.
    Raises UpstreamFormatError for another table, a cut one or an invalid figure, and
    UnknownCodeError that names the material, economy, stage or supply that is in no list.
    """
    source = CARD.name
    payload = _as_plain_text(payload)
    layout = _layout_of(payload)
    table = read_text_table(
        payload, source=source, required=layout.columns, optional=layout.optional
    )
    _require_filled(table, layout.filled)
    # A line break or a run of blanks inside a cell is the page's layout, not part of a name.
    table = table.with_columns(pl.all().str.replace_all(r"\s+", " "))

    rows = layout.read(table)
    require_known_labels(rows["label"].unique(), source=source)
    left_out = [label.label for label in material_labels(source).values() if label.left_out]
    retrieved = pl.lit(utc_naive(document.retrieved_at), INSTANT)
    if document.is_bundled:
        _require(rows, "year", pl.col("year").is_in(list(RELEASES)), "is a year without a study")
        released = pl.col("year").replace_strict(RELEASES, return_dtype=pl.Date).cast(INSTANT)
        first_release = pl.lit(min(RELEASES.values()), pl.Date).cast(INSTANT)
    figures = (
        rows.lazy()
        .filter(~pl.col("label").is_in(left_out))
        .with_columns(
            pl.lit(source).alias("source"),
            pl.lit(False).alias("is_provisional"),
            (released if document.is_bundled else retrieved).alias("vintage_at"),
        )
        .sort(LAKE_TABLES[layout.fills].key, nulls_last=True)
        .collect()
    )
    labels = labels_of(source, first_release if document.is_bundled else retrieved)
    return {layout.fills: figures, "material_labels": labels}


def _supply_shares_as_printed(table: pl.DataFrame) -> pl.DataFrame:
    table = table.with_columns(pl.col("t").fill_null("1"))
    _require(table, "share", pl.col("share").str.contains(PERCENT), "is not a share in percent")
    _require(table, "t", pl.col("t").str.contains(NUMBER), "is not a trade parameter (t)")
    _require_one_of(table, "stage", STAGES, "is not a stage (E or P)")
    economy_of = {
        name: economy_named(name, publisher=CARD.name) for name in table["country"].unique().sort()
    }
    scope = _scope_of(table)
    return _with_flags(
        table.select(
            pl.lit(ANNEX_YEAR, pl.Int32).alias("year"),
            pl.lit(scope).alias("scope_iso3"),
            pl.col("material").alias("label"),
            pl.col("stage").replace_strict(STAGES),
            pl.col("country").replace_strict(economy_of).alias("economy_iso3"),
            _share("share"),
            pl.col("share").str.extract(r"^([<>]?)").replace_strict(BOUNDS).alias("bound"),
            pl.col("t").cast(pl.Float64).alias("trade_parameter"),
            pl.col("share").alias("printed"),
        )
    )


def _scope_of(table: pl.DataFrame) -> str:
    """The scope of a table of shares, `WLD` or `EU27`, by how its figures are printed.

    The world's table prints shares in tenths of a percent down to `<0.1%` (98 % of its rows in
    2023) and each neutral trade parameter as `1.0`; the EU's lists what makes 1 % or more, in
    whole percents (99 %), and prints `1` (all but two). Both signs must agree, else the table was
    edited, and a guess could confuse the two supplies.
    """
    in_tenths, with_a_point = table.select(
        pl.col("share").str.contains(r"[.<]").mean(),
        pl.col("t").filter(pl.col("t").cast(pl.Float64) == 1).str.contains(r"\.").mean(),
    ).row(0)
    signs = [sign for sign in (in_tenths, with_a_point) if sign is not None]
    if all(sign > 0.5 for sign in signs):
        return "WLD"
    if all(sign < 0.5 for sign in signs):
        return "EU27"
    raise UpstreamFormatError(
        f"{CARD.name}: it is unclear whether these are shares of the world's supply or of the "
        "EU's: shares and trade parameters are not both printed as in one of the two tables.",
        hint=f"Give it in scope_iso3, in a table of {', '.join(SUPPLY_SHARE_COLUMNS)}.",
    )


def _supply_shares(table: pl.DataFrame) -> pl.DataFrame:
    economy = "is not a known economy"
    _require_year_and_numbers(table, "share", "trade_parameter")
    for column in ("scope_iso3", "economy_iso3"):
        _require_one_of(table, column, economies(), economy)
    _require_one_of(table, "stage", STAGES.values(), "is not a stage (extraction, processing)")
    _require_one_of(table, "bound", BOUNDS.values(), "is not a bound (exact, below, above)")
    return _with_flags(
        table.drop("figure_source").with_columns(
            pl.col("year").cast(pl.Int32), pl.col("share", "trade_parameter").cast(pl.Float64)
        )
    )


def _with_flags(shares: pl.DataFrame) -> pl.DataFrame:
    return shares.with_columns(
        pl.col("year").alias("edition"),
        pl.col("year")
        .replace_strict(REFERENCE_PERIODS, default=None, return_dtype=pl.String)
        .alias("reference_period"),
        pl.lit(None, pl.Float64).alias("amount_t"),
        pl.when(pl.col("share") == 0)
        .then(pl.lit("zero"))
        .otherwise(pl.lit("reported"))
        .alias("flag"),
        pl.lit(None, pl.String).alias("notes"),
    )


def _end_uses_as_printed(table: pl.DataFrame) -> pl.DataFrame:
    added = "va in million €"
    has_no_sector = pl.col("nace sector").is_null()
    _require(table, "share", pl.col("share").str.contains(PERCENT), "is not a share in percent")
    _require(
        table,
        "nace sector",
        has_no_sector | pl.col("nace sector").str.contains(NACE_SECTOR),
        "is not a division of NACE like 'C24 - Manufacture of basic metals'",
    )
    _require_numbers(table, added)
    uses = table.unique().select(
        pl.lit(ANNEX_YEAR, pl.Int32).alias("year"),
        pl.col("material").alias("label"),
        "application",
        pl.col("nace sector").str.extract(NACE_SECTOR, 2).fill_null("other").alias("sector"),
        pl.col("nace sector").str.extract(NACE_SECTOR, 1).alias("nace2_code"),
        _share("share").alias("use_share"),
        pl.col(added).cast(pl.Float64).alias("sector_value_added_eur_m"),
    )
    use = ["year", "label", "application", "sector"]
    rest = ["nace2_code", "sector_value_added_eur_m"]
    _require(
        uses.with_columns(pl.format("{}: {} ({})", "label", "application", "sector").alias("use")),
        "use",
        pl.all_horizontal(pl.col(rest).n_unique().over(use) == 1),
        "has two codes of NACE or two values added",
    )
    return uses.group_by(use).agg(pl.col("use_share").sum().round(DIGITS), pl.col(rest).first())


def _end_uses(table: pl.DataFrame) -> pl.DataFrame:
    _require_year_and_numbers(table, "use_share", "sector_value_added_eur_m")
    return table.drop("figure_source").with_columns(
        pl.col("year").cast(pl.Int32),
        pl.col("use_share", "sector_value_added_eur_m").cast(pl.Float64),
    )


def _results_over_time(table: pl.DataFrame) -> pl.DataFrame:
    table = table.with_columns(pl.col("sr", "ei").replace("-", None)).rename(
        {"material": "label", "sr": "supply_risk", "ei": "economic_importance"}
    )
    _require_year_and_numbers(table, *RESULTS)
    results = table.filter(
        pl.any_horizontal(pl.col(RESULTS).is_not_null()),
        (pl.col("year") != "2017") | pl.col("label").is_in(GROUPS_OF_2017),
    )
    return _assessed(results)


def _inputs_of_2017(table: pl.DataFrame) -> pl.DataFrame:
    columns = {
        "material": "label",
        "sr_pub": "supply_risk",
        "ei_pub": "economic_importance",
        "ir_pct": "import_reliance",
        "eol_rir_pct": "eol_recycling_rate",
        "si_ei": "substitution_index_economic",
        "si_sr": "substitution_index_supply",
        "hhi_gs": "hhi_global_supply",
        "hhi_eu": "hhi_consumer_sourcing",
    }
    inputs = table.rename(columns).with_columns(pl.lit("2017").alias("year"))
    _require_year_and_numbers(inputs, *RESULTS, *INPUTS)
    _require_one_of(inputs, "stage", STAGES_OF_2017, "is not a stage (Extraction, Processing)")
    _require_one_of(inputs, "supply_used", SUPPLY_USED, f"is none of {', '.join(SUPPLY_USED)}")
    sides = {"consumer": "hhi_global_supply", "global": "hhi_consumer_sourcing"}
    return _assessed(
        inputs.with_columns(
            pl.col("stage").replace_strict(STAGES_OF_2017),
            pl.col("supply_used").replace_strict(SUPPLY_USED),
            (pl.col("import_reliance", "eol_recycling_rate").cast(pl.Float64) / 100).round(DIGITS),
        ).with_columns(
            pl.when((pl.col("supply_used") != used) | (pl.col(unused).cast(pl.Float64) != 0))
            .then(unused)
            .alias(unused)
            for used, unused in sides.items()
        )
    )


def _assessments(table: pl.DataFrame) -> pl.DataFrame:
    _require_year_and_numbers(table, *RESULTS, *INPUTS)
    is_number = pl.col(RAW_RELIANCE).is_null() | pl.col(RAW_RELIANCE).str.contains(SIGNED_NUMBER)
    _require(table, RAW_RELIANCE, is_number, f"is not a number ({RAW_RELIANCE})")
    for column, known, what in (
        ("stage", STAGES.values(), "is not a stage (extraction, processing)"),
        ("supply_used", SUPPLY_USED.values(), f"is none of {', '.join(SUPPLY_USED.values())}"),
    ):
        _require_one_of(table.filter(pl.col(column).is_not_null()), column, known, what)
    return _assessed(table)


def _assessed(table: pl.DataFrame) -> pl.DataFrame:
    """Rows of `assessments` from the columns that are present; the others become null."""
    return table.select(
        pl.format("EC {}", "year").alias("assessment"),
        pl.col("year").cast(pl.Int32),
        *(
            (pl.col(column) if column in table.columns else pl.lit(None)).cast(dtype).alias(column)
            for columns, dtype in (
                (("label", "stage", "supply_used"), pl.String),
                ((*RESULTS, *INPUTS, RAW_RELIANCE), pl.Float64),
            )
            for column in columns
        ),
    )


def _share(column: str) -> pl.Expr:
    """A printed percentage as 0 to 1; half of a figure that is printed as an upper bound."""
    number = pl.col(column).str.extract(r"([0-9]+(?:\.[0-9]+)?)").cast(pl.Float64) / 100
    is_below = pl.col(column).str.starts_with("<")
    return pl.when(is_below).then(number / 2).otherwise(number).round(DIGITS).alias(column)


@dataclass(frozen=True)
class _Layout:
    """A known table: its columns, those that are never blank, and the lake tables it fills."""

    fills: str
    columns: tuple[str, ...]
    filled: tuple[str, ...]
    read: Callable[[pl.DataFrame], pl.DataFrame]
    optional: tuple[str, ...] = ()


_LAYOUTS = (
    _Layout(
        "production",
        ("material", "stage", "country", "share", "t"),
        ("material", "stage", "country", "share"),
        _supply_shares_as_printed,
    ),
    _Layout(
        "end_uses",
        ("material", "application", "share", "nace sector", "va in million €"),
        ("material", "application", "share"),
        _end_uses_as_printed,
    ),
    _Layout(
        "assessments",
        ("material", "year", "sr", "ei"),
        ("material", "year", "sr", "ei"),
        _results_over_time,
    ),
    _Layout(
        "assessments",
        (
            "material",
            "stage",
            "sr_pub",
            "ei_pub",
            "ir_pct",
            "eol_rir_pct",
            "supply_used",
            "si_ei",
            "si_sr",
            "hhi_gs",
            "hhi_eu",
        ),
        ("material", "stage", "sr_pub", "ei_pub", "supply_used"),
        _inputs_of_2017,
    ),
    _Layout("production", SUPPLY_SHARE_COLUMNS, SUPPLY_SHARE_COLUMNS, _supply_shares),
    _Layout(
        "end_uses",
        END_USE_COLUMNS,
        ("year", "label", "application", "sector", "use_share", "figure_source"),
        _end_uses,
    ),
    _Layout(
        "assessments",
        ASSESSMENT_COLUMNS,
        ("year", "label", "figure_source"),
        _assessments,
        optional=(RAW_RELIANCE,),
    ),
)


def _layout_of(payload: bytes) -> _Layout:
    """The layout that shares most columns with the header; differences are reported on reading.

    Raises UpstreamFormatError where no layout has at least half of its columns there.
    """
    names = set(header_of(payload, source=CARD.name))

    def coverage(layout: _Layout) -> float:
        return len(names & set(layout.columns)) / len(layout.columns)

    best = max(_LAYOUTS, key=coverage)
    if coverage(best) < 0.5:
        raise UpstreamFormatError(
            f"{CARD.name}: the columns {listed(sorted(names))} are of no table of the studies.",
            hint="Known are the annex tables of supply shares, uses and results over time, the "
            "inputs of 2017, and Kido's tidy tables of these.",
        )
    return best


def _as_plain_text(payload: bytes) -> bytes:
    """The table in UTF-8, one row per line: a line break inside quotes becomes a blank.

    Raises UpstreamFormatError for a payload that is not text, empty, or an HTML page.
    """
    if not payload.strip():
        raise UpstreamFormatError(f"{CARD.name}: the file is empty.")
    if looks_like_html(payload):
        raise UpstreamFormatError(f"{CARD.name}: HTML page where CSV was expected.")
    if looks_like_zip(payload) or b"\0" in payload:
        raise UpstreamFormatError(
            f"{CARD.name}: a workbook or archive where CSV was expected.",
            hint="Save the sheet as CSV and land that.",
        )
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = payload.decode("cp1252")
        except UnicodeDecodeError as error:
            raise UpstreamFormatError(
                f"{CARD.name}: the text is neither UTF-8 nor Windows-1252 (byte {error.start})."
            ) from error
    text = text.replace("\r\n", "\n")
    # Every second piece is inside a quoted cell, except a last one without a closing quote.
    pieces = text.split('"')
    pieces[1:-1:2] = [piece.replace("\n", " ") for piece in pieces[1:-1:2]]
    return '"'.join(pieces).encode()


def _require(table: pl.DataFrame, column: str, rule: pl.Expr, what: str) -> None:
    value = pl.col(column).cast(pl.String)
    require_every(rule, table=table, value=value, what=what, source=CARD.name)


def _require_one_of(table: pl.DataFrame, column: str, known: Collection[str], what: str) -> None:
    require_every(
        pl.col(column).is_in(list(known)),
        table=table,
        value=pl.col(column),
        what=what,
        source=CARD.name,
        error=UnknownCodeError,
    )


def _require_filled(table: pl.DataFrame, columns: Collection[str]) -> None:
    blank = [name for name in columns if table[name].null_count()]
    if blank:
        raise UpstreamFormatError(f"{CARD.name}: rows without {', '.join(blank)}.")


def _require_numbers(table: pl.DataFrame, *columns: str) -> None:
    for column in columns:
        is_number = pl.col(column).is_null() | pl.col(column).str.contains(NUMBER)
        _require(table, column, is_number, f"is not a number ({column})")


def _require_year_and_numbers(table: pl.DataFrame, *columns: str) -> None:
    _require(table, "year", pl.col("year").str.contains(r"^[0-9]{4}$"), "is not a year")
    _require_numbers(table, *columns)
