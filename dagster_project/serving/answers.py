"""The first answers of the published file on one page, for a terminal and for the UI.

Reads the marts as any reader does; what is not in them is not said here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from dagster_project.lake.build_file import connect

IMPORTER, IMPORTER_NAME, SUPPLIER, SUPPLIER_NAME = "JPN", "Japan", "CHN", "China"
FIRST_YEAR = 2010
HEADLINE_CLAIM = "JP-2024-CHINA-OVER-60"
OTHERS_SHOWN = 5
CONCENTRATED_SHOWN = 3
LEAST_IMPORTS_USD = 1e6
"""A year's imports of a code. Less hangs on a single order: tin ore for 42,000 dollars."""
MONTHS_SHOWN = 24
PRICED, PRICED_NAME = "DYSPROSIUM_OXIDE", "Dysprosium oxide"
ARRIVED_AT, ARRIVED_AT_NAME = "GBR", "the United Kingdom"
MEASURE_MONTH = date(2025, 4, 1)
"""Month in which China put magnets of seven rare earths under licence."""
SESSIONS_FOR_A_RETURN = 20
"""A return over fewer closes is noise."""

Row = Mapping[str, Any]
Ask = Callable[..., list[Row]]


@dataclass(frozen=True)
class Trend:
    """Values in the order of time, with the first and the last of their periods in words."""

    first: str
    values: Sequence[float | None]
    last: str


@dataclass(frozen=True)
class Origin:
    """Where a figure comes from: the source by its name and its title, and the vintage's day."""

    source: str
    title: str
    vintage: str


@dataclass(frozen=True)
class Line:
    """One answer: the figure with its unit, what it is of, its trend, and where it comes from."""

    subject: str
    figure: str
    detail: str
    origin: Origin | None
    trend: Trend | None = None


@dataclass(frozen=True)
class Answers:
    """What the published file says first.

    `rare_earths` are the first two of `lines`, of imports by weight and by value; `year` is theirs.
    """

    release: Row
    year: int | None
    rare_earths: Sequence[Line]
    lines: Sequence[Line]
    headline: Row | None
    verdicts: Counter[str]

    @property
    def name(self) -> str:
        return f"{IMPORTER_NAME} {self.year or ''}".rstrip()

    @property
    def title(self) -> str:
        return f"{self.name}: dependence on critical minerals"


def answers(published_file: Path) -> Answers:
    """Ask the published file."""
    with connect(published_file, read_only=True) as connection:

        def ask(query: str, **parameters: object) -> list[Row]:
            needed = {name: value for name, value in parameters.items() if f"${name}" in query}
            result = connection.execute(query, needed)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        release = ask("from catalog.releases order by release_id desc limit 1")[0]
        origins = _origins(ask)
        claims = ask("select claim_id, statement, verdict, explanation from catalog.claims")
        imports, year = _rare_earths(ask, origins)
        lines = [
            *imports,
            _other_importers(ask, origins),
            _magnets(ask, origins),
            _most_concentrated(ask, origins),
            _mines(ask, origins),
            _refining(ask, origins),
            _price(ask, origins),
            _exports(ask, origins),
            _arrivals(ask, origins),
            _measures(ask, origins, release["as_of"]),
            *_markets(ask, origins),
        ]
        return Answers(
            release=release,
            year=year,
            rare_earths=imports,
            lines=lines,
            headline=next((row for row in claims if row["claim_id"] == HEADLINE_CLAIM), None),
            verdicts=Counter(row["verdict"].replace("_", " ") for row in claims),
        )


def _origins(ask: Ask) -> Mapping[str, Origin]:
    return {
        row["source"]: Origin(row["source"], row["title"], row["vintage"])
        for row in ask(
            "select source, title, coalesce(cast(cast(last_vintage_at as date) as varchar), "
            "'none') as vintage from catalog.sources"
        )
    }


_VINTAGE_OF_IMPORTS = """
select cast(cast(max(vintage_at) as date) as varchar) as vintage from (
    select vintage_at from trade.reported_flows
    where source = $source and reporter_iso3 = $importer and frequency = 'A'
        and year(period_start) = $year
    union all
    select vintage_at from trade.baci_flows
    where $source = 'baci' and importer_iso3 = $importer and year = $year
)
"""


def _origin_of_imports(ask: Ask, origins: Mapping[str, Origin], row: Row) -> Origin:
    """The source of a year's shares, with the vintage of the flows they are made of."""
    of_source = origins[row["source"]]
    ((vintage,),) = (
        tuple(found.values())
        for found in ask(
            _VINTAGE_OF_IMPORTS, source=row["source"], importer=IMPORTER, year=row["year"]
        )
    )
    return replace(of_source, vintage=vintage or of_source.vintage)


_SUPPLIER_BY_YEAR = """
select
    year(shares.period_start) as year, shares.share, totals.total_amount, shares.source
from dependency.supplier_shares as shares
inner join dependency.import_concentration as totals
    using (importer_iso3, mineral_group, frequency, period_start, measure)
where shares.importer_iso3 = $importer and shares.supplier_iso3 = $supplier
    and shares.mineral_group = 'rare_earths' and shares.frequency = 'A'
    and shares.measure = $measure and year(shares.period_start) >= $first
qualify shares.comparable_since is not distinct from
    last_value(shares.comparable_since) over (
        order by shares.period_start rows between unbounded preceding and unbounded following
    )
order by year
"""
"""A trend does not run across a break of the nomenclature."""


def _rare_earths(ask: Ask, origins: Mapping[str, Origin]) -> tuple[list[Line], int | None]:
    """Two lines, and the newest year they are of."""
    lines: list[Line] = []
    years: list[int] = []
    for measure, words in (("net_weight_kg", "by weight"), ("value_usd", "by value")):
        subject = f"Rare-earth imports from {SUPPLIER_NAME}, {words}"
        rows = ask(
            _SUPPLIER_BY_YEAR, importer=IMPORTER, supplier=SUPPLIER, measure=measure,
            first=FIRST_YEAR,
        )  # fmt: skip
        if not rows:
            lines.append(_nothing(subject))
            continue
        last = rows[-1]
        years.append(last["year"])
        total = (
            f"{number(last['total_amount'] / 1000)} t"
            if measure == "net_weight_kg"
            else f"USD {number(last['total_amount'] / 1e6, 1)} m"
        )
        lines.append(
            Line(
                subject,
                percent(last["share"]),
                f"of {total} in {last['year']}",
                _origin_of_imports(ask, origins, last),
                Trend(str(rows[0]["year"]), [row["share"] for row in rows], str(last["year"])),
            )
        )
    return lines, max(years, default=None)


_OTHER_IMPORTERS = """
with of_the_year as (
    from dependency.import_concentration
    where mineral_group = 'rare_earths' and frequency = 'A' and measure = 'value_usd'
        and importer_iso3 <> $supplier
    qualify period_start = max(period_start) over ()
)
select
    economies.name, totals.source, year(totals.period_start) as year,
    case
        when shares.share is not null then shares.share
        when totals.partner_coverage_share > 1 - 1e-9 then 0
    end as share
from of_the_year as totals
inner join reference.economies as economies on economies.economy_iso3 = totals.importer_iso3
left join dependency.supplier_shares as shares
    on shares.importer_iso3 = totals.importer_iso3 and shares.mineral_group = totals.mineral_group
    and shares.frequency = totals.frequency and shares.period_start = totals.period_start
    and shares.measure = totals.measure and shares.supplier_iso3 = $supplier
where totals.importer_iso3 <> $importer
order by totals.total_amount desc
limit $shown
"""
"""Whoever is not named is none of the suppliers only where all of them are."""


def _other_importers(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = f"The same of the largest importers beside {IMPORTER_NAME}, by value"
    rows = ask(_OTHER_IMPORTERS, importer=IMPORTER, supplier=SUPPLIER, shown=OTHERS_SHOWN)
    if not rows:
        return _nothing(subject)
    found = [origins[source] for source in sorted({row["source"] for row in rows})]
    return Line(
        f"{subject}, {rows[0]['year']}",
        ", ".join(f"{row['name']} {percent(row['share'])}" for row in rows),
        f"{SUPPLIER_NAME} apart, the largest first"
        + (
            f"; – where {SUPPLIER_NAME} is not among the partners published"
            if any(row["share"] is None for row in rows)
            else ""
        ),
        Origin(
            " and ".join(one.source for one in found),
            " and ".join(one.title for one in found),
            " and ".join(dict.fromkeys(one.vintage for one in found)),
        ),
    )


_SUPPLIERS_OF_THE_YEAR = """
select
    shares.supplier_iso3, economies.name, shares.share, totals.total_amount, totals.hhi,
    shares.source, year(shares.period_start) as year
from dependency.supplier_shares as shares
inner join dependency.import_concentration as totals
    using (importer_iso3, mineral_group, frequency, period_start, measure)
inner join reference.economies as economies on economies.economy_iso3 = shares.supplier_iso3
where shares.importer_iso3 = $importer and shares.mineral_group = $group
    and shares.frequency = 'A' and shares.measure = 'value_usd' and shares.supplier_rank <= 3
qualify shares.period_start = max(shares.period_start) over ()
order by shares.supplier_rank
"""


_SHARE_BY_YEAR = """
with years as (
    select year(period_start) as year, source, comparable_since
    from dependency.import_concentration
    where importer_iso3 = $importer and mineral_group = $group and frequency = 'A'
        and measure = 'value_usd'
    qualify comparable_since is not distinct from
        last_value(comparable_since) over (
            order by period_start rows between unbounded preceding and unbounded following
        )
),
shares as (
    select year(period_start) as year, share
    from dependency.supplier_shares
    where importer_iso3 = $importer and mineral_group = $group and frequency = 'A'
        and measure = 'value_usd' and supplier_iso3 = $supplier
)
select
    every.year, case when years.year is not null then coalesce(shares.share, 0) end as share
from (
    select unnest(generate_series(min(year), max(year))) as year from years
) as every
left join years using (year)
left join shares using (year)
order by every.year
"""
"""A year without figures is a gap; a year with figures and none of the supplier is zero."""


def _magnets(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = "Magnet imports, largest suppliers, by value"
    rows = ask(_SUPPLIERS_OF_THE_YEAR, importer=IMPORTER, group="permanent_magnets")
    if not rows:
        return _nothing(subject)
    return Line(
        f"{subject}, {rows[0]['year']}",
        ", ".join(f"{row['name']} {percent(row['share'])}" for row in rows),
        f"of USD {number(rows[0]['total_amount'] / 1e6)} m"
        + (f", HHI {rows[0]['hhi']:.2f}" if rows[0]["hhi"] is not None else " of the largest flows")
        + f"; below, {SUPPLIER_NAME}'s share",
        _origin_of_imports(ask, origins, rows[0]),
        _by_year(
            ask(_SHARE_BY_YEAR, importer=IMPORTER, supplier=SUPPLIER, group="permanent_magnets"),
            "share",
        ),
    )


_MOST_CONCENTRATED = """
with minerals as (
    select 'hs_' || hs6_code as mineral_group, string_agg(minerals.name, ', ') as minerals
    from reference.commodity_minerals inner join reference.minerals as minerals using (mineral)
    group by hs6_code having count(*) = 1
),
goods as (
    select
        'hs_' || hs6_code as mineral_group,
        arg_max(split_part(description, ';', 1), hs_revision) as goods
    from reference.commodities group by hs6_code
)
select
    totals.mineral_group, coalesce(minerals.minerals, goods.goods) as goods, economies.name,
    totals.top_supplier_share,
    totals.source, year(totals.period_start) as year, count(*) over () as groups,
    count(*) filter (totals.top_supplier_iso3 = $supplier) over () as led_by_supplier
from dependency.import_concentration as totals
inner join reference.economies as economies
    on economies.economy_iso3 = totals.top_supplier_iso3
left join minerals using (mineral_group)
left join goods using (mineral_group)
where totals.importer_iso3 = $importer and totals.frequency = 'A'
    and totals.measure = 'value_usd' and starts_with(totals.mineral_group, 'hs_')
    and totals.total_amount >= $least
    and totals.period_start = (
        select period_start from dependency.import_concentration
        where importer_iso3 = $importer and frequency = 'A' and measure = 'value_usd'
            and starts_with(mineral_group, 'hs_')
        group by period_start order by count(*) desc, period_start desc limit 1
    )
order by totals.top_supplier_share desc, totals.mineral_group
limit $shown
"""


def _most_concentrated(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = "Codes that hang on one supplier, by value"
    rows = ask(
        _MOST_CONCENTRATED, importer=IMPORTER, supplier=SUPPLIER, shown=CONCENTRATED_SHOWN,
        least=LEAST_IMPORTS_USD,
    )  # fmt: skip
    if not rows:
        return _nothing(subject)
    return Line(
        subject,
        "; ".join(_led(row) for row in rows),
        f"{SUPPLIER_NAME} is first in {rows[0]['led_by_supplier']} of {rows[0]['groups']} codes "
        f"in {rows[0]['year']}",
        _origin_of_imports(ask, origins, rows[0]),
    )


def _led(row: Row) -> str:
    code = row["mineral_group"].removeprefix("hs_")
    named = f"{row['goods']} ({code})" if row["goods"] else code
    return f"{named} {row['name']} {percent(row['top_supplier_share'])}"


_MINES = """
select year, share, amount_t, world_total_t, source
from dependency.production_shares
where material = 'rare_earths' and stage = 'extraction' and economy_iso3 = $supplier
    and source = 'usgs_mcs'
order by year
"""


def _mines(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = f"{SUPPLIER_NAME}'s mines, share of the world's rare earths"
    rows = ask(_MINES, supplier=SUPPLIER)
    if not rows:
        return _nothing(subject)
    last = rows[-1]
    return Line(
        subject,
        percent(last["share"]),
        f"{number(last['amount_t'])} t of {number(last['world_total_t'])} t of oxides "
        f"in {last['year']}",
        origins[last["source"]],
        Trend(str(rows[0]["year"]), [row["share"] for row in rows], str(last["year"])),
    )


_REFINING = """
select
    minerals.family, min(shares.share) as least, max(shares.share) as most, shares.source,
    shares.year
from dependency.production_shares as shares
inner join (
    select distinct source, material, mineral from reference.materials where left_out is null
) as materials using (source, material)
inner join reference.minerals as minerals using (mineral)
where shares.stage = 'processing' and shares.economy_iso3 = $supplier
    and minerals.family in ('light_rare_earth', 'heavy_rare_earth')
group by minerals.family, shares.source, shares.year
qualify shares.year = max(shares.year) over ()
order by minerals.family desc
"""


def _refining(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = f"{SUPPLIER_NAME}'s refineries, share of the world's rare earths"
    rows = ask(_REFINING, supplier=SUPPLIER)
    if not rows:
        return _nothing(subject)
    return Line(
        subject,
        ", ".join(f"{row['family'].split('_')[0]} {_span(row)}" for row in rows),
        f"of each element's output, study of {rows[0]['year']}",
        origins[rows[0]["source"]],
    )


_PRICES_BY_YEAR = """
select
    year(prices.price_date) as year, prices.close, prices.unit, instruments.name, prices.source
from market.prices as prices
inner join reference.instruments as instruments using (instrument)
where instrument = $instrument and instruments.frequency = 'A'
order by year
"""


def _price(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    rows = ask(_PRICES_BY_YEAR, instrument=PRICED)
    if not rows:
        return _nothing(f"{PRICED_NAME}, price of a year")
    last = rows[-1]
    most = max(rows, key=lambda row: row["close"])
    return Line(
        f"{PRICED_NAME}, price of a year",
        f"{number(last['close'])} {last['unit']}",
        f"in {last['year']}; the most was {number(most['close'])} in {most['year']}",
        origins[last["source"]],
        _by_year(rows, "close"),
    )


_EXPORTS = """
with series as (
    select source, partner_iso3, period_start, net_weight_kg, vintage_at
    from trade.reported_flows
    where reporter_iso3 = $supplier and flow = 'export' and commodity_code = '811292'
        and frequency = 'M'
),
reported as (from series where partner_iso3 = $importer),
months as (
    select cast(unnest(generate_series(
        greatest(max(period_start) - to_months($months - 1), min(period_start)),
        max(period_start),
        interval 1 month
    )) as date) as period_start
    from series
)
select
    period_start, net_weight_kg, reported.period_start is not null as is_reported,
    max(source) over () as source,
    cast(cast(max(vintage_at) over () as date) as varchar) as vintage
from months left join reported using (period_start)
order by period_start
"""
"""Of the months the exporter has published. One without a row is one in which nothing was reported
for the importer: a gap among the bars. One with a row may still lack its weight."""


def _exports(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = (
        f"{SUPPLIER_NAME}'s exports to {IMPORTER_NAME} of gallium, germanium and more (811292)"
    )
    rows = ask(_EXPORTS, supplier=SUPPLIER, importer=IMPORTER, months=MONTHS_SHOWN)
    half = MONTHS_SHOWN // 2
    last, before = rows[-half:], rows[-MONTHS_SHOWN:-half]
    if not any(row["net_weight_kg"] is not None for row in last):
        return _nothing(subject)
    to = f"{rows[-1]['period_start']:%Y-%m}"
    details = [f"in the year to {to}" if len(last) == half else f"in {len(last)} months to {to}"]
    if len(before) == half and all(row["net_weight_kg"] is not None for row in _reported(before)):
        details.append(f"{number(_tonnes(before), 1)} t in the one before")
    missing = sum(row["net_weight_kg"] is None for row in _reported(last))
    if missing:
        months = "month" if missing == 1 else "months"
        details.append(f"{missing} {months} reported without a weight")
    return Line(
        subject,
        f"{number(_tonnes(last), 1)} t",
        ", ".join(details),
        replace(origins[rows[-1]["source"]], vintage=rows[-1]["vintage"]),
        Trend(f"{rows[0]['period_start']:%Y-%m}", [row["net_weight_kg"] for row in rows], to),
    )


_ARRIVALS = """
with arrivals as (
    select source, period_start, net_weight_kg, vintage_at
    from trade.reported_flows
    where reporter_iso3 = $reporter and partner_iso3 = $supplier and flow = 'import'
        and commodity_code = 'rare_earth_magnets' and frequency = 'M'
),
months as (
    select cast(unnest(generate_series(
        min(period_start), max(period_start), interval 1 month
    )) as date) as period_start
    from arrivals
)
select
    period_start, net_weight_kg, max(source) over () as source,
    cast(cast(max(vintage_at) over () as date) as varchar) as vintage
from months left join arrivals using (period_start)
order by period_start
"""


def _arrivals(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    """What reached another importer month by month after the measure of April 2025."""
    subject = f"Magnets of rare earths reaching {ARRIVED_AT_NAME} from {SUPPLIER_NAME}, by month"
    rows = ask(_ARRIVALS, reporter=ARRIVED_AT, supplier=SUPPLIER)
    after = [
        row
        for row in rows
        if row["period_start"] > MEASURE_MONTH and row["net_weight_kg"] is not None
    ]
    if not after:
        return _nothing(subject)
    least = min(after, key=lambda row: row["net_weight_kg"])
    before = [
        row["net_weight_kg"]
        for row in rows
        if row["period_start"] <= MEASURE_MONTH and row["net_weight_kg"] is not None
    ]
    last = after[-1]
    usual = f", {number(median(before) / 1000, 1)} t in the middle month before" if before else ""
    return Line(
        subject,
        f"{number(last['net_weight_kg'] / 1000, 1)} t in {last['period_start']:%Y-%m}",
        f"least since the measure of {MEASURE_MONTH:%Y-%m}: "
        f"{number(least['net_weight_kg'] / 1000, 1)} t in {least['period_start']:%Y-%m}{usual}",
        replace(origins[last["source"]], vintage=last["vintage"]),
        Trend(
            f"{rows[0]['period_start']:%Y-%m}",
            [row["net_weight_kg"] for row in rows],
            f"{rows[-1]['period_start']:%Y-%m}",
        ),
    )


def _reported(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["is_reported"]]


def _tonnes(rows: Sequence[Row]) -> float:
    return sum(row["net_weight_kg"] or 0.0 for row in rows) / 1000


_MEASURES = """
with aimed as (
    select distinct
        measures.clause_id, measures.evidence_class, status.status, status.valid_from,
        codes.hs6_code is not null as is_on_rare_earths, scope.clause_id is not null as has_codes
    from exposure.measures
    inner join exposure.measure_status as status using (clause_id)
    left join exposure.measure_scope as scope using (clause_id)
    left join reference.mineral_group_codes as codes
        on codes.hs6_code = scope.hs6_code and codes.mineral_group = 'rare_earths'
    where measures.target_iso3 in ('ALL', $importer) and measures.implementer_iso3 = $supplier
        and measures.direction in ('restrict', 'monitor') and status.valid_from <= $as_of
        and (status.valid_to is null or status.valid_to > $as_of)
)
select
    clause_id, status, valid_from, evidence_class, bool_or(is_on_rare_earths) as is_on_rare_earths,
    bool_or(has_codes) as has_codes
from aimed group by all order by valid_from, clause_id
"""


def _measures(ask: Ask, origins: Mapping[str, Origin], as_of: date) -> Line:
    subject = f"{SUPPLIER_NAME}'s measures on rare earths in force for {IMPORTER_NAME}"
    if not ask("from exposure.measures limit 1"):
        return _nothing(subject)
    rows = ask(_MEASURES, importer=IMPORTER, supplier=SUPPLIER, as_of=as_of)
    in_force = [row for row in rows if row["status"] == "in_force"]
    listed = [row for row in in_force if row["is_on_rare_earths"]]
    states = Counter(row["status"] for row in rows)
    without_codes = sum(not row["has_codes"] for row in in_force)
    return Line(
        subject,
        ", ".join(
            f"{row['clause_id']} since {row['valid_from']}{_evidence(row['evidence_class'])}"
            for row in listed
        )
        or "none with listed codes",
        f"on any mineral: {len(in_force)} in force, {without_codes} of them without codes; "
        f"{states['unknown']} of unknown state, {states['suspended']} suspended",
        origins["catalogue"],
    )


def _evidence(evidence_class: str) -> str:
    """What tells a report or a practice from an act."""
    return "" if evidence_class == "official" else f" ({evidence_class.replace('_', ' ')})"


_PERFORMANCE = """
select "window", window_end, return_share, max_drawdown_share, annualised_volatility
from market.performance
where instrument = 'REMX' and "window" in ('since_2025_06_30', '1y') and sessions >= $sessions
order by "window" = '1y'
limit 1
"""

_CLOSES_BY_MONTH = """
select date_trunc('month', price_date) as month, max_by(close, price_date) as close,
    max(price_date) as day, any_value(source) as source
from market.prices
where instrument = $instrument
group by month
qualify row_number() over (order by month desc) <= $months
order by month
"""


def _markets(ask: Ask, origins: Mapping[str, Origin]) -> list[Line]:
    return [_fund(ask, origins), _yen(ask, origins)]


def _fund(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = "Rare-earth shares (the fund REMX)"
    months = ask(_CLOSES_BY_MONTH, instrument="REMX", months=MONTHS_SHOWN)
    if not months:
        return _nothing(subject)
    origin, trend = origins[months[-1]["source"]], _by_month(months)
    found = ask(_PERFORMANCE, sessions=SESSIONS_FOR_A_RETURN)
    if not found:
        return Line(subject, "–", "closes of less than a year", origin, trend)
    figures = found[0]
    since = "since mid-2025" if figures["window"].startswith("since") else "in a year"
    volatility = figures["annualised_volatility"]
    return Line(
        subject,
        f"{figures['return_share'] * 100:+.1f} % {since}",
        f"to {figures['window_end']}; largest fall {figures['max_drawdown_share'] * 100:.1f} %"
        + (f", volatility {volatility * 100:.0f} % a year" if volatility is not None else ""),
        origin,
        trend,
    )


def _yen(ask: Ask, origins: Mapping[str, Origin]) -> Line:
    subject = "Yen per US dollar"
    months = ask(_CLOSES_BY_MONTH, instrument="USDJPY", months=MONTHS_SHOWN)
    if not months:
        return _nothing(subject)
    last = months[-1]
    return Line(
        subject, number(last["close"], 1), f"on {last['day']}", origins[last["source"]],
        _by_month(months),
    )  # fmt: skip


def _by_year(rows: Sequence[Row], figure: str) -> Trend | None:
    if not rows:
        return None
    return Trend(str(rows[0]["year"]), [row[figure] for row in rows], str(rows[-1]["year"]))


def _by_month(months: Sequence[Row]) -> Trend:
    return Trend(
        f"{months[0]['month']:%Y-%m}",
        [row["close"] for row in months],
        f"{months[-1]['month']:%Y-%m}",
    )


def _nothing(subject: str) -> Line:
    return Line(subject, "–", "no figure here counted by that day", None)


def headline(found: Answers) -> str:
    """The first two answers in a line: how much of the rare earths comes from China."""
    weight, value = found.rare_earths
    return (
        f"rare earths from China: {weight.figure} by weight ({weight.detail}), "
        f"{value.figure} by value ({value.detail})"
    )


def answers_markdown(found: Answers) -> str:
    """The page for the UI."""
    return "\n".join(
        [
            f"## {found.title}",
            "",
            f"As of **{found.release['as_of']}**, release `{found.release['release_id']}`.",
            "",
            "| | figure | | trend | source and vintage |",
            "|---|---|---|---|---|",
            *(
                f"| {line.subject} | **{line.figure}** | {line.detail} "
                f"| {_unbroken(_drawn(line.trend))} | {_titled(line.origin)} |"
                for line in found.lines
            ),
            "",
            *_claims(found, bold="**"),
        ]
    )


def print_answers(published_file: Path) -> None:
    """The same page for a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.padding import Padding

    found = answers(published_file)
    console = Console(highlight=False)
    console.print(f"\n[bold]{found.title}[/bold]  as of {found.release['as_of']}\n")
    for line in found.lines:
        console.print(escape(line.subject))
        console.print(
            Padding(f"[bold]{escape(line.figure)}[/bold]  {escape(line.detail)}", (0, 0, 0, 2))
        )
        origin = (
            f"[dim]{line.origin.source}, vintage {line.origin.vintage}[/dim]" if line.origin else ""
        )
        told = "  ".join(part for part in (_drawn(line.trend), origin) if part)
        if told:
            console.print(Padding(told, (0, 0, 0, 2)))
    console.print()
    for text in _claims(found, bold=""):
        console.print(escape(text))
    console.print(f"\n[bold]Published:[/bold] {published_file}", soft_wrap=True)


def _claims(found: Answers, *, bold: str) -> list[str]:
    if not found.verdicts:
        return ["No published statement was known on that day."]
    headline = (
        [f"Claimed: “{found.headline['statement']}”. {bold}{found.headline['explanation']}{bold}"]
        if found.headline
        else []
    )
    by_count = sorted(found.verdicts.items(), key=lambda item: (-item[1], item[0]))
    counted = ", ".join(f"{count} {verdict}" for verdict, count in by_count)
    return [
        *headline,
        "",
        f"{found.verdicts.total()} published statements, each with its verdict, in catalog.claims: "
        f"{counted}.",
    ]


def _titled(origin: Origin | None) -> str:
    return f"{origin.title}, vintage {origin.vintage}" if origin else ""


def _drawn(trend: Trend | None) -> str:
    drawn = bars(trend.values) if trend else ""
    return f"{trend.first} {drawn} {trend.last}" if trend and drawn else ""


def _unbroken(text: str) -> str:
    """Text that a narrow column does not break."""
    return text.replace(" ", "\u00a0").replace("-", "\u2011")


def _span(row: Row) -> str:
    """Least and largest of a row, once where they print alike."""
    least, most = percent(row["least"]), percent(row["most"])
    return most if least == most else f"{least.removesuffix(' %')} to {most}"


def percent(share: float | None) -> str:
    """A share of 0 to 1 as a percentage with one digit."""
    return "–" if share is None else f"{share * 100:.1f} %"


def number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


_BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float | None]) -> str:
    """A row of bars from the least to the largest value; a gap where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if value is None else _BARS[round((value - low) / span * (len(_BARS) - 1))]
        for value in values
    )
