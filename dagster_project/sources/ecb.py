"""European Central Bank: euro foreign exchange reference rates -> `price_quotes`.

Only rates published by the ECB; crosses such as yen per dollar are derived elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import (
    is_it_the_file_of,
    looks_like_zip,
    read_text_table,
    require_every,
    unzip_member,
    vintage_of_days,
)
from dagster_project.sources.quotes import day_of, quotes_of

CARD = SourceCard(
    name="ecb",
    title="Euro foreign exchange reference rates",
    publisher="European Central Bank",
    licence="© European Central Bank; free reuse if the source is quoted",
    licence_url=(
        "https://www.ecb.europa.eu/stats/ecb_statistics/"
        "governance_and_quality_framework/html/usage_policy.en.html"
    ),
    is_redistributable=True,
    cadence="daily",
    domain="prices",
    homepage=(
        "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/"
        "euro_reference_exchange_rates/html/index.en.html"
    ),
    tables=("price_quotes",),
    description=(
        "Units of US dollar, Japanese yen, pound sterling and Chinese renminbi per euro on each "
        "TARGET business day since 1999-01-04 (renminbi since 2005-04-01), fixed about 14:15 and "
        "published about 16:00 Frankfurt time."
    ),
    bundled=("reference_rates.csv",),
    base_url="https://www.ecb.europa.eu",
    calendar=Calendar(
        "30 16 * * 1-5",
        "Europe/Berlin",
        "Business days at 16:30 in Frankfurt, after the rates of the day (about 16:00).",
        days="TARGET",
    ),
    published_after=timedelta(hours=-8),
)

HISTORY = "eurofxref-hist"
RENMINBI_FROM = date(2005, 4, 1)
"""First day of a renminbi reference rate: a file that reaches it has the column."""


CURRENCIES = ("USD", "JPY", "CNY", "GBP")
DATA_API = "https://data-api.ecb.europa.eu/service/data/EXR"

OVERLAP = timedelta(days=7)
"""How far back known days are fetched again, to get rates that the ECB corrects within days."""

_KEY = r"^EXR\.D\.([A-Z]{3})\.EUR\.SP00\.A$"
"""The key of a currency's series of daily reference rates (`SP00`) in units per euro."""

_NO_VALUE = ("H", "L", "M", "Q")
"""Marks of days without a rate: holiday, not collected, cannot exist, suppressed."""


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The whole history (0.6 MB), or the days from a week before the last known one."""
    if scope.known_until is None:
        history = Request(f"stats/eurofxref/{HISTORY}.zip", expects=("zip",))
        return [Extract(f"{HISTORY}.zip", (history,))]
    start = scope.known_until - OVERLAP
    days = Request(
        f"{DATA_API}/D.{'+'.join(CURRENCIES)}.EUR.SP00.A",
        expects=("csv",),
        params={"format": "csvdata", "detail": "dataonly", "startPeriod": f"{start}"},
        # "No results found": no day of the period has a rate yet.
        statuses={404: "nothing"},
    )
    return [Extract(f"exr-from-{start}.csv", (days,))]


def follow(request: Request, answer: Answer) -> Step:
    """Every answer is complete. A 404 means that there are no new days only with this text: an
    address that is no longer served is answered with 404 too.
    """
    if answer.meaning == "nothing" and "no results found" not in answer.text.lower():
        raise UpstreamFormatError(f"{CARD.name}: the data API is no longer at {request.url}.")
    return Done()


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The history of reference rates -> `price_quotes`, one row per currency and quoted day.

    Reads the publisher's zip, the CSV inside it (newest day first, `N/A` where a currency was not
    quoted, each line ended by a comma), and the bundled table (`date,usd,jpy,cny,gbp`): the names
    of the columns are the same except for case. Reads also the CSV of the data API, one row per
    series and day; other series than the four are dropped. `close` is units of the currency per
    euro. A missing rate makes no row. `vintage_at` is the day itself for bundled figures, else the
    time of retrieval.
    Raises UpstreamFormatError when the payload is none of these, is cut, lacks a column (that of
    the renminbi, if it has days from RENMINBI_FROM on; that of the pound may be absent), or has an
    invalid day or rate.
    Source: ECB, eurofxref-hist; ECB Data Portal, data set EXR.
    """
    source = CARD.name
    if looks_like_zip(payload):
        payload = unzip_member(
            payload,
            f"{HISTORY}.csv",
            source=source,
            hint=f"Land {HISTORY}.zip, or the {HISTORY}.csv inside it.",
        )
    is_of_data_api = b"TIME_PERIOD" in payload.split(b"\n", 1)[0].upper()
    table = _rates_of_series(payload) if is_of_data_api else _rates_of_history(payload)
    rates = table.with_columns(
        day_of("day").alias("price_date"),
        pl.col("rate").replace("N/A", None).cast(pl.Float64, strict=False).alias("close"),
    )
    _require_days_and_rates(rates)
    is_quoted = (pl.col("currency") != "CNY") | (pl.col("price_date") >= RENMINBI_FROM)
    quotes = quotes_of(
        rates.lazy()
        .filter(is_quoted)
        .with_columns(
            pl.format("EUR{}", "currency").alias("instrument"),
            pl.format("{} per EUR", "currency").alias("unit"),
        ),
        source=source,
        frequency="D",
        vintage_at=vintage_of_days(document),
    )
    return {"price_quotes": quotes}


def _require_days_and_rates(rates: pl.DataFrame) -> None:
    """Raise UpstreamFormatError for a day or rate that is none."""
    require_every(
        pl.col("price_date").is_not_null(),
        table=rates,
        value=pl.col("day"),
        what="is not a day like 2026-10-30",
        source=CARD.name,
    )
    require_every(
        pl.col("rate").is_null() | (pl.col("rate") == "N/A") | pl.col("close").is_finite(),
        table=rates,
        value=pl.format("{} {}: {}", "currency", "day", "rate"),
        what="is not a rate",
        source=CARD.name,
    )


def _rates_of_history(payload: bytes) -> pl.DataFrame:
    """`day`, `currency` and `rate` as text, of a table with a column per currency."""
    table = _read(payload, required=("date", "usd", "jpy"), optional=("cny", "gbp"))
    if table["cny"].null_count() == table.height and str(table["date"].max()) >= str(RENMINBI_FROM):
        # A column that is present and blank throughout passes; a missing one is rejected.
        _read(payload, required=("date", "usd", "jpy", "cny"))
    rates = table.unpivot(index="date", variable_name="currency", value_name="rate")
    return rates.select(pl.col("date").alias("day"), pl.col("currency").str.to_uppercase(), "rate")


def _rates_of_series(payload: bytes) -> pl.DataFrame:
    """The same from the data API: one row per series and day."""
    table = _read(payload, required=("key", "time_period", "obs_value"), optional=("obs_status",))
    rates = table.select(
        pl.col("time_period").alias("day"),
        pl.col("key").str.extract(_KEY).alias("currency"),
        pl.when(~pl.col("obs_status").is_in(_NO_VALUE).fill_null(False))
        .then(pl.col("obs_value").replace("NaN", None))
        .alias("rate"),
    ).filter(pl.col("currency").is_in(CURRENCIES))
    if rates.is_empty():
        raise UpstreamFormatError(
            f"{CARD.name}: no row is of a series like EXR.D.USD.EUR.SP00.A.",
            hint=is_it_the_file_of(CARD.homepage),
        )
    return rates


def _read(payload: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
    return read_text_table(
        payload,
        source=CARD.name,
        required=required,
        optional=optional,
        others=True,
        hint=is_it_the_file_of(CARD.homepage),
    )
