"""International Monetary Fund, Primary Commodity Price System: monthly prices of a few minerals.

Read are its SDMX-JSON (data API 3.0) and its SDMX-CSV (2.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import polars as pl

from dagster_project.errors import UpstreamFormatError, exception_text, listed
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import (
    Calendar,
    Document,
    Extract,
    Limits,
    Request,
    Scope,
    SourceCard,
    Window,
)
from dagster_project.sources.formats import looks_like, read_text_table, require_every
from dagster_project.sources.json_text import json_object
from dagster_project.sources.quotes import quotes_of, retrieval_of

CARD = SourceCard(
    name="imf_pcps",
    title="Primary Commodity Price System",
    publisher="International Monetary Fund",
    licence=(
        "© International Monetary Fund; free use with attribution, commercial reuse needs its "
        "permission; prices of third parties may not be passed on"
    ),
    licence_url="https://www.imf.org/external/terms.htm",
    is_redistributable=False,
    cadence="monthly",
    domain="prices",
    homepage="https://www.imf.org/en/Research/commodity-prices",
    tables=("price_quotes",),
    description=(
        "Averages of the month in US dollars of rare-earth carbonate in China (42 to 45 % of "
        "oxides, mostly cerium and lanthanum: no price of magnet metals; whether it includes "
        "value-added tax is not published), cobalt, lithium, molybdenum and nickel. Fetched by the "
        "user, never bundled."
    ),
    base_url="https://api.imf.org",
    published_after=timedelta(days=40),
    limits=Limits(calls_a_minute=20),  # no limit is published
    calendar=Calendar(
        "0 12 * * 1-5",
        "America/New_York",
        "Weekdays at noon in Washington: a month is published 10 to 40 days after its end.",
    ),
)

SERIES: Mapping[str, str] = MappingProxyType(
    {
        "PCOBA": "IMF_COBALT",
        "PLITH": "IMF_LITHIUM",
        "PLMMODY": "IMF_MOLYBDENUM",
        "PNICK": "IMF_NICKEL",
        "PREODOM": "IMF_RARE_EARTH_CARBONATE",
    }
)
"""Series in scope by the IMF's code, and the instrument. All are US dollars per metric ton. Nickel
is that of the World Bank too (`NICKEL`); the instruments are apart."""

UNIT = "USD per t"

DATAFLOW = "external/sdmx/3.0/data/dataflow/IMF.RES/PCPS/+"
WORLD, DOLLARS, MONTHLY = "G001", "USD", "M"
"""The key is COUNTRY.INDICATOR.DATA_TRANSFORMATION.FREQUENCY."""

DIMENSIONS = ("country", "indicator", "data_transformation", "frequency")
MISSING = ("", "NaN")

_WRONG_KEY = (
    "Its key may have changed: look the series up in the structure of IMF.RES/PCPS, and correct "
    "dagster_project/sources/imf_pcps.py."
)


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """An extract per series, its whole history (some 30 kB): one that the IMF renames or ends does
    not keep the others from being fetched, and past months are revised.
    """
    return [
        Extract(
            f"PCPS-{series}.json",
            (
                Request(
                    f"{DATAFLOW}/{WORLD}.{series}.{DOLLARS}.{MONTHLY}",
                    expects=("json",),
                    headers={"Accept": "application/json"},
                ),
            ),
        )
        for series in SERIES
    ]


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """SDMX-JSON or SDMX-CSV -> `price_quotes`, one row per series in scope and month.

    `close` is the average of the month in US dollars per ton. A blank is a month without a figure
    and makes no row. Series that are not in `SERIES` are dropped.
    Raises UpstreamFormatError for an answer without series (a wrong key is answered so, never a
    month that is not published yet), one that has none in scope or one without a figure, another
    layout, country, unit or frequency, and an invalid month or price.
    Source: IMF, Primary Commodity Price System; data set IMF.RES:PCPS.
    """
    source = CARD.name
    is_table = looks_like(payload, "csv")
    printed = _of_table(payload) if is_table else _of_json(payload)
    wanted = printed.filter(pl.col("indicator").is_in(list(SERIES)))
    if wanted.is_empty():
        given = listed(printed["indicator"].unique().sort())
        raise UpstreamFormatError(
            f"{source}: the file has no price of the series in scope"
            f"{f' (it has: {given})' if given else ''}.",
            hint=_WRONG_KEY,
        )
    _require_monthly_dollars(wanted)
    prices = wanted.with_columns(
        pl.when(pl.col("period").str.contains(r"^[0-9]{4}-M(0[1-9]|1[0-2])$"))
        .then((pl.col("period") + "-01").str.to_date("%Y-M%m-%d", strict=False))
        .alias("price_date"),
        pl.col("printed").replace(dict.fromkeys(MISSING)).alias("price"),
    ).with_columns(pl.col("price").cast(pl.Float64, strict=False).alias("close"))
    for rule, value, what in (
        (pl.col("price_date").is_not_null(), pl.col("period"), "is not a month like 2026-M08"),
        (
            pl.col("price").is_null() | pl.col("close").is_finite(),
            pl.format("{} {}: {}", "indicator", "period", "price"),
            "is not a price",
        ),
    ):
        require_every(rule, table=prices, value=value, what=what, source=source)
    if not prices["close"].count():
        named = listed(map(repr, prices["indicator"].unique().sort()))
        raise UpstreamFormatError(f"{source}: {named} has no figure in any month.")
    quotes = prices.lazy().with_columns(
        instrument=pl.col("indicator").replace_strict(SERIES, return_dtype=pl.String),
        currency=pl.lit("USD"),
        unit=pl.lit(UNIT),
    )
    return {
        "price_quotes": quotes_of(
            quotes, source=source, frequency="M", vintage_at=retrieval_of(document)
        )
    }


def _require_monthly_dollars(printed: pl.DataFrame) -> None:
    """Raise UpstreamFormatError for a series of another country, unit or frequency."""
    expected = {"country": WORLD, "data_transformation": DOLLARS, "frequency": MONTHLY}
    require_every(
        pl.all_horizontal(pl.col(name) == value for name, value in expected.items()),
        table=printed,
        value=pl.concat_str(DIMENSIONS, separator=".", ignore_nulls=True),
        what=f"is not a series like {WORLD}.PREODOM.{DOLLARS}.{MONTHLY}",
        source=CARD.name,
    )


def _of_table(payload: bytes) -> pl.DataFrame:
    """`indicator`, the other dimensions, `period` and `printed` as text, of SDMX-CSV."""
    table = read_text_table(
        payload,
        source=CARD.name,
        required=(*DIMENSIONS, "time_period", "obs_value"),
        others=True,
        hint=f"Is it the data set PCPS of {CARD.homepage}?",
    )
    return table.rename({"time_period": "period", "obs_value": "printed"})


def _of_json(payload: bytes) -> pl.DataFrame:
    """The same of SDMX-JSON 2.0."""
    content = json_object(payload, source=CARD.name)
    try:
        tables = list(_series_of(content["data"]))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UpstreamFormatError(
            f"{CARD.name}: the answer is not SDMX-JSON 2.0 ({exception_text(error)})."
        ) from error
    if not tables:
        raise UpstreamFormatError(f"{CARD.name}: the answer has no series.", hint=_WRONG_KEY)
    return pl.concat(tables)


def _series_of(data: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
    """A frame per series. Its key has, and its observations are named by, positions in the lists
    of the structure.
    """
    for data_set in data["dataSets"]:
        structure = data["structures"][data_set.get("structure", 0)]["dimensions"]
        for key, series in data_set.get("series", {}).items():
            positions = zip(structure["series"], key.split(":"), strict=True)
            names = {
                dimension["id"].lower(): _name(dimension["values"][int(at)])
                for dimension, at in positions
            }
            (time,) = structure["observation"]
            observations: Mapping[str, Sequence[Any]] = series.get("observations", {})
            periods = [_name(value) for value in time["values"]]
            cells = [cell[0] if cell else None for cell in observations.values()]
            yield pl.DataFrame(
                {
                    **{name: pl.repeat(names[name], len(cells), eager=True) for name in DIMENSIONS},
                    "period": pl.Series([periods[int(at)] for at in observations], dtype=pl.String),
                    "printed": pl.Series(
                        [None if cell is None else str(cell) for cell in cells], dtype=pl.String
                    ),
                }
            )


def _name(value: Mapping[str, str]) -> str:
    """A value of a dimension: periods have it in `value`, codes in `id`."""
    return str(value.get("id", value.get("value")))
