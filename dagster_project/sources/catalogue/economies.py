"""The table of economies, with the names and codes that publishers give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict

import polars as pl

from dagster_project.errors import ConfigurationError, UpstreamFormatError, shortened
from dagster_project.lake.vocabulary import codes_in, economy_codes_of, names_in
from dagster_project.sources.catalogue.entries import NAME
from dagster_project.sources.formats import read_text_table, require_every

ECONOMY_COLUMNS = (
    "economy_iso3",
    "iso2",
    "name",
    "name_ja",
    "m49_code",
    "comtrade_code",
    "japan_customs_code",
    "region",
    "is_eu27",
)
CODES_WITH_DAYS = ("eurostat_code", "hmrc_code", "comexstat_code")
"""Columns of codes that may be valid on some days only."""
SPECIAL_ECONOMIES = ("EU27", "WLD", "_X")
"""The last rows of `economies.csv`: figures need them, and a cut file does not have them."""

_WITH_DAYS = r"^[A-Z0-9]{2,3}(@[0-9-]*\.\.[0-9-]*)?( [A-Z0-9]{2,3}(@[0-9-]*\.\.[0-9-]*)?)*$"
REGIONS = ("Africa", "Americas", "Asia", "Europe", "Oceania")


def is_table(payload: bytes) -> bool:
    """Whether a document is a table rather than YAML, by its first line."""
    # A line of names with commas and no colon is a table's header.
    first = payload.lstrip(b"\xef\xbb\xbf\r\n \t").split(b"\n", 1)[0]
    return b"," in first and b":" not in first and not first.startswith((b"#", b"-"))


def read_economies(payload: bytes) -> Mapping[str, pl.DataFrame]:
    """`economies.csv` -> `economies` (of several codes of a publisher in a cell, the first), and
    `economy_codes`, a row per scheme, code and first day.

    Raises UpstreamFormatError that names the economy whose cell is invalid.
    """
    table = read_text_table(
        payload,
        source=NAME,
        required=ECONOMY_COLUMNS,
        optional=("also_named", *CODES_WITH_DAYS),
    )
    _require_economy_rows(table)
    return {"economies": _economies(table), "economy_codes": _codes(table)}


def _codes(table: pl.DataFrame) -> pl.DataFrame:
    names = dict(table.select("economy_iso3", "name").iter_rows())
    try:
        codes = list(economy_codes_of(table.iter_rows(named=True)))
    except ConfigurationError as error:
        raise UpstreamFormatError(f"{NAME}: {error.message}") from error
    return pl.DataFrame(
        [{**asdict(code), "name": names[code.economy_iso3]} for code in codes],
        schema={
            "scheme": pl.String,
            "code": pl.String,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
            "economy_iso3": pl.String,
            "name": pl.String,
        },
    )


def _economies(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(
        pl.coalesce("name_ja", _japanese_name(pl.col("iso2"))).alias("name_ja")
    ).select(
        "economy_iso3",
        "name",
        "name_ja",
        "m49_code",
        _first_code("comtrade_code"),
        _first_code("japan_customs_code"),
        "region",
        pl.col("is_eu27") == "true",
    )


def _first_code(column: str) -> pl.Expr:
    return pl.col(column).str.split(" ").list.first()


def _japanese_name(iso2: pl.Expr) -> pl.Expr:
    # Imported here: it takes 40 ms, and only this table needs it.
    from babel import Locale

    names = dict(Locale("ja").territories)
    return iso2.replace_strict(names, default=None, return_dtype=pl.String)


def _require_economy_rows(table: pl.DataFrame) -> None:
    economy = pl.col("economy_iso3")
    named = pl.coalesce("economy_iso3", pl.lit("(blank)"))

    def require(row: pl.Expr, what: str) -> None:
        require_every(row, table=table, value=named, what=what, source=NAME)

    require(
        economy.str.contains(r"^[A-Z]{3}$") | economy.is_in(SPECIAL_ECONOMIES),
        "is not a valid `economy_iso3`: three capitals, or one of " + ", ".join(SPECIAL_ECONOMIES),
    )
    require(economy.is_unique(), "is duplicated")
    require(pl.col("name").is_not_null(), "has no `name`")
    for column, pattern, layout in (
        ("iso2", r"^[A-Z]{2}$", "two capitals"),
        ("m49_code", r"^[0-9]{3}$", "three digits, with the zeros in front"),
        ("comtrade_code", r"^(0|[1-9][0-9]*)( [1-9][0-9]*)*$", "digits without zeros in front"),
        ("japan_customs_code", r"^[0-9]{3}( [0-9]{3})*$", "three digits"),
        *(
            (column, _WITH_DAYS, "codes, each maybe with days (`CS@2003-01-01..2005-05-31`)")
            for column in CODES_WITH_DAYS
        ),
    ):
        fits = pl.col(column).is_null() | pl.col(column).str.contains(pattern)
        require(fits, f"has a `{column}` that is not {layout}")
        _require_owner(table, column, codes_in)
    _require_owner(table, "also_named", names_in)
    require(
        pl.col("region").is_null() | pl.col("region").is_in(REGIONS),
        f"has a `region` that is not one of {', '.join(REGIONS)}",
    )
    require(
        pl.col("is_eu27").is_in(["true", "false"]), "has an `is_eu27` that is not true or false"
    )
    require(
        pl.coalesce("name_ja", _japanese_name(pl.col("iso2"))).is_not_null(),
        "has no `name_ja`, and its `iso2` has no Japanese name either",
    )
    absent = [special for special in SPECIAL_ECONOMIES if special not in table["economy_iso3"]]
    if absent:
        raise UpstreamFormatError(
            f"{NAME}: the file has no row for {', '.join(absent)}; it may be cut."
        )


def _require_owner(
    table: pl.DataFrame, column: str, words_in: Callable[[str], Iterable[str]]
) -> None:
    """Every code (or name) in the cells of a column belongs to one economy alone."""
    owners: dict[str, str] = {}
    for economy, cell in table.select("economy_iso3", column).iter_rows():
        for word in words_in(cell or ""):
            if owners.setdefault(word, economy) != economy:
                raise UpstreamFormatError(
                    f"{NAME}: `{column}` {shortened(word)} is given to {owners[word]} and to "
                    f"{economy}."
                )
