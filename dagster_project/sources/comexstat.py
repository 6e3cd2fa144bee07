"""Brazilian customs: the yearly files of Comex Stat -> `national_trade`; a tidy table of months,
which is bundled -> `trade_flows`.

The API of Comex Stat is not read: it is throttled, and answers some wrong questions with nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType

import polars as pl

from dagster_project.errors import UpstreamFormatError, exception_text
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import economies, economy_by_code
from dagster_project.sources.card import (
    Asked,
    Calendar,
    Document,
    Extract,
    Limits,
    Request,
    Scope,
    SourceCard,
    Window,
    Windows,
    months_of_year,
)
from dagster_project.sources.flow_tables import FOB_THROUGHOUT, flows_of
from dagster_project.sources.formats import (
    BLOCK_BYTES,
    header_of,
    is_it_the_file_of,
    looks_like_html,
    read_text_table,
    require_every,
    utc_naive,
)
from dagster_project.sources.national import EDITIONS, lines_of, summed

CARD = SourceCard(
    name="comexstat",
    title="Brazil, foreign trade by month",
    publisher="Ministry of Development, Industry, Trade and Services of Brazil, Comex Stat",
    licence="Open data of the Brazilian government; attribution",
    licence_url="https://www.gov.br/mdic/pt-br/assuntos/comercio-exterior/estatisticas/base-de-dados-bruta",
    is_redistributable=True,
    cadence="monthly",
    domain="trade",
    homepage="https://comexstat.mdic.gov.br/",
    tables=("trade_flows", "national_trade"),
    lists=("economies", "mineral_groups", "commodities"),
    description=(
        "Imports and exports of Brazil by partner, in US dollars FOB, imports too. Bundled: each "
        "month from 2025-01 to 2026-07, in 22 HS6 codes, magnets of metal and ferro-niobium among "
        "them; by the convention for monthly trade, such a month counts from the first day of the "
        "fourth month after. Asked for: months since 1997 at eight digits in the codes in scope, "
        "with freight and insurance of imports where they are printed; they replace the bundled "
        "ones. No total is printed: it is the sum of partners. Months of this year and the last "
        "are rewritten, and provisional."
    ),
    bundled=("monthly_flows.csv",),
    base_url="https://balanca.economia.gov.br",
    windows=(
        # A file has the months of a year: thirteen months are always those of the two newest years.
        # A month is published in the first days of the next.
        Windows(
            "M", date(1997, 1, 1), timedelta(days=3), revised_for=13, tolerance=timedelta(days=6)
        ),
    ),
    limits=Limits(calls_a_minute=20),
    calendar=Calendar(
        "0 18 1-10 * *",
        "America/Sao_Paulo",
        "18:00 in Brasília until the 10th: a month is published in the first working days of the "
        "next. A file that has not changed is not sent again.",
    ),
)

FOLDER = "balanca/bd"
FILES: Mapping[str, str] = MappingProxyType({"import": "IMP", "export": "EXP"})
"""The beginning of a yearly file's name by flow, in the order of the requests."""

_NAMED: Mapping[str, re.Pattern[str]] = MappingProxyType(
    # The second and third part of an extract have their number in the name (`0002-comexstat-2018`).
    {"import": re.compile(r"(IMP|0002)[_-]", re.I), "export": re.compile(r"(EXP|0003)[_-]", re.I)}
)

COLUMNS = ("co_ano", "co_mes", "co_ncm", "co_pais", "kg_liquido", "vl_fob")
COSTS = ("vl_frete", "vl_seguro")
"""Freight and insurance, which files of imports have, maybe not of all years."""
COUNTRY_COLUMNS = ("co_pais", "co_pais_isoa3")

EDITIONS_OF_BRAZIL: Mapping[str, date] = MappingProxyType({**EDITIONS, "HS2022": date(2022, 4, 1)})
"""The Mercosur nomenclature followed HS 2022 on 1 April 2022. Source: Resolução Gecex 272/2021."""

_WHOSE = is_it_the_file_of(CARD.homepage)


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """An extract per year: the list of countries, imports and exports."""
    codes = tuple(sorted(set(scope.commodity_codes)))
    asked = Asked("national_trade", ("BRA",), ("import", "export"), codes)
    return [
        Extract(
            f"{CARD.name}-{year}",
            (
                Request(f"{FOLDER}/tabelas/PAIS.csv", ("csv",)),
                *(
                    Request(f"{FOLDER}/comexstat-bd/ncm/{file}_{year}.csv", ("csv",))
                    for file in FILES.values()
                ),
            ),
            windows=tuple(months_of_year(year, windows, scope.today)),
            asked=(asked,),
        )
        for year in sorted({window.start.year for window in windows})
    ]


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table of flows -> `trade_flows`; its layout and errors are those of `flows_of`.

    Imports and exports are valued FOB: freight and insurance are published apart. A yearly file is
    read with the list of countries, by `parse_extract`.
    """
    if _is_yearly(payload) or _is_of_countries(payload):
        return parse_together([(payload, document)], scope)
    return {"trade_flows": flows_of(payload, document, source=CARD.name, valuation=FOB_THROUGHOUT)}


def parse_together(
    parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Yearly files that are landed together with `PAIS.csv`, read as `parse_extract` does.

    The flow of a file is in its name. A file of another name has imports where it has costs; it is
    refused where it has none, since imports of old years may lack them, too.
    """
    files = [(payload, _flow_named(payload, document.name)) for payload, document in parts]
    return _lines_of_files(files, parts[0][1], scope)


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """`PAIS.csv` and the yearly files of imports and exports, in this order -> `national_trade`.

    A row per NCM code of eight digits, country and month: states, ways and offices are summed.
    `value_local` is US dollars FOB, `freight_local` and `insurance_local` those of imports where
    the file has them, `net_weight_kg` kilograms. The quantity in the unit of the code is left out:
    it is wrong at times. All months of a year are provisional until April of the next.
    A country in no list keeps its number, without an economy.
    Raises UpstreamFormatError for another layout, a cut file, an invalid number and files without
    the list of countries.
    Source: Ministry of Development, Comex Stat, base de dados bruta.
    """
    if len(parts) != 1 + len(FILES):
        raise UpstreamFormatError(
            f"{CARD.name}: {len(parts)} files instead of countries, imports and exports."
        )
    return _lines_of_files(zip(parts, ("", *FILES), strict=True), document, scope)


def _lines_of_files(
    files: Iterable[tuple[bytes, str]], document: Document, scope: CommodityScope
) -> Mapping[str, pl.DataFrame]:
    """The rows of files with their flows; the flow of the list of countries is empty."""
    countries: Mapping[str, str] = {}
    tables: list[tuple[str, pl.DataFrame]] = []
    for payload, flow in files:
        if looks_like_html(payload):
            raise UpstreamFormatError(
                f"{CARD.name}: HTML page where CSV was expected.", hint=_WHOSE
            )
        if _is_of_countries(payload):
            countries = _countries(payload)
        else:
            tables.append((flow, _read(payload, flow, scope)))
    if not countries:
        raise UpstreamFormatError(
            f"{CARD.name}: yearly files cannot be read without the list of countries.",
            hint=f"Land them together with {CARD.base_url}/{FOLDER}/tabelas/PAIS.csv.",
        )
    if not tables:
        return {}
    retrieved = utc_naive(document.retrieved_at)
    rows = pl.concat(
        [_lines(flow, table, countries) for flow, table in tables], how="diagonal"
    ).with_columns(
        (pl.date(pl.col("period_start").dt.year() + 1, 4, 1) > retrieved.date()).alias(
            "is_provisional"
        )
    )
    return {
        "national_trade": lines_of(
            rows.lazy(),
            source=CARD.name,
            currency="USD",
            valuation=FOB_THROUGHOUT,
            retrieved_at=pl.lit(retrieved),
            editions=EDITIONS_OF_BRAZIL,
        )
    }


def _is_yearly(payload: bytes) -> bool:
    return payload[:64].lstrip(b"\xef\xbb\xbf").startswith(b'"CO_ANO"')


def _is_of_countries(payload: bytes) -> bool:
    return payload[:64].lstrip(b"\xef\xbb\xbf").startswith(b'"CO_PAIS"')


def _flow_named(payload: bytes, name: str) -> str:
    """The flow of a landed file, empty for the list of countries."""
    if not _is_yearly(payload):
        return ""
    for flow, pattern in _NAMED.items():
        if pattern.match(name):
            return flow
    if set(COSTS) <= set(header_of(payload, source=CARD.name, separator=";")):
        return "import"
    raise UpstreamFormatError(
        f"{CARD.name}: neither the name nor the columns of {name} tell imports from exports.",
        hint="Name the file as the publisher does, such as IMP_2018.csv or EXP_2018.csv.",
    )


def _countries(payload: bytes) -> Mapping[str, str]:
    """Economy by number, of the publisher's list; a number of no economy is left out."""
    table = read_text_table(
        payload.decode("latin-1").encode(),
        source=CARD.name,
        required=COUNTRY_COLUMNS,
        others=True,
        separator=";",
        hint=_WHOSE,
    )
    known = economies()
    special = economy_by_code("comexstat")
    return {
        number: special.get(number, iso3)
        for number, iso3 in table.select(COUNTRY_COLUMNS).iter_rows()
        if number in special or iso3 in known
    }


def _read(payload: bytes, flow: str, scope: CommodityScope) -> pl.DataFrame:
    """The lines of a yearly file of codes in scope, as text, read block by block."""
    header = header_of(payload, source=CARD.name, separator=";")
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        raise UpstreamFormatError(
            f"{CARD.name}: columns missing: {', '.join(absent)}.", hint=_WHOSE
        )
    has_costs = set(COSTS) <= set(header)
    if has_costs and flow == "export":
        raise UpstreamFormatError(
            f"{CARD.name}: the file of exports has the freight and insurance of imports.",
            hint=_WHOSE,
        )
    if not payload.endswith(b"\n"):
        raise UpstreamFormatError(
            f"{CARD.name}: the last line of the file of {flow}s is cut.",
            hint="Fetch or land the file again.",
        )
    names = [*COLUMNS, *(COSTS if has_costs else ())]
    kept = []
    for block in _blocks(payload):
        try:
            table = pl.read_csv(
                io.BytesIO(block),
                has_header=False,
                separator=";",
                schema=dict.fromkeys(header, pl.String),
            ).select(names)
        except pl.exceptions.PolarsError as error:
            raise UpstreamFormatError(
                f"{CARD.name}: a line of the file of {flow}s has another number of values than the "
                f"header ({exception_text(error)})."
            ) from error
        codes = scope.select(table["co_ncm"].str.head(6).unique())
        kept.append(table.filter(pl.col("co_ncm").str.head(6).is_in(codes)))
    rows = pl.concat(kept) if kept else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    _require_codes_and_numbers(rows)
    return rows


def _blocks(payload: bytes) -> Iterator[bytes]:
    """The lines after the header, some megabytes at a time."""
    start = payload.find(b"\n") + 1
    while start < len(payload):
        end = payload.find(b"\n", min(start + BLOCK_BYTES, len(payload) - 1)) + 1
        yield payload[start:end]
        start = end


def _require_codes_and_numbers(rows: pl.DataFrame) -> None:
    rules = (
        ("co_ano", pl.col("co_ano").str.contains(r"^[12][0-9]{3}$"), "is not a year (CO_ANO)"),
        ("co_mes", pl.col("co_mes").str.contains(r"^(0[1-9]|1[0-2])$"), "is not a month (CO_MES)"),
        ("co_ncm", pl.col("co_ncm").str.contains(r"^[0-9]{8}$"), "is not a code of eight digits"),
        *(
            (name, pl.col(name).str.contains(r"^-?[0-9]+$"), f"is not a whole number ({name})")
            for name in rows.columns
            if name.startswith(("kg_", "vl_"))
        ),
    )
    for column, rule, what in rules:
        require_every(rule, table=rows, value=pl.col(column), what=what, source=CARD.name)


def _lines(flow: str, rows: pl.DataFrame, countries: Mapping[str, str]) -> pl.DataFrame:
    amounts = {
        "vl_fob": "value_local",
        "kg_liquido": "net_weight_kg",
        "vl_frete": "freight_local",
        "vl_seguro": "insurance_local",
    }
    present = [name for name in amounts if name in rows.columns]
    return (
        rows.lazy()
        .select(
            pl.lit("BRA").alias("reporter_iso3"),
            pl.col("co_pais").alias("partner_code"),
            pl.lit(flow).alias("flow"),
            pl.col("co_ncm").alias("national_code"),
            pl.format("{}-{}-01", "co_ano", "co_mes").str.to_date().alias("period_start"),
            *(pl.col(name).cast(pl.Float64).alias(amounts[name]) for name in present),
        )
        .pipe(
            summed,
            by=("reporter_iso3", "partner_code", "flow", "national_code", "period_start"),
            amounts=[amounts[name] for name in present],
        )
        .with_columns(
            pl.col("partner_code")
            .replace_strict(countries, default=None, return_dtype=pl.String)
            .alias("partner_iso3")
        )
        .collect()
    )
