"""The first answers of the published file, for a terminal and for the UI.

Reads the marts as any reader does; what is not in them is not said here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.lake.build_file import connect

IMPORTER, SUPPLIER, GROUP, FIRST_YEAR = "JPN", "CHN", "rare_earths", 2010
HEADLINE_CLAIM = "JP-2024-CHINA-OVER-60"

_DEPENDENCE = """
with shares as (
    select
        year(period_start) as year,
        max(share) filter (where measure = 'net_weight_kg') as weight_share,
        max(share) filter (where measure = 'value_usd') as value_share,
    from dependency.supplier_shares
    where importer_iso3 = $importer and supplier_iso3 = $supplier
        and mineral_group = $group and frequency = 'A' and year(period_start) >= $first_year
    group by year(period_start)
),
totals as (
    select
        year(period_start) as year,
        max(total_amount) filter (where measure = 'net_weight_kg') / 1000 as total_t,
        max(total_amount) filter (where measure = 'value_usd') / 1e6 as total_usd_m,
    from dependency.import_concentration
    where importer_iso3 = $importer and mineral_group = $group and frequency = 'A'
    group by year(period_start)
),
yen as (
    select year(price_date) as year, avg(close) as usdjpy
    from market.prices where instrument = 'USDJPY' group by year(price_date)
)
select year, weight_share, value_share, total_t, total_usd_m, usdjpy
from shares left join totals using (year) left join yen using (year) order by year
"""

_MEASURES = """
select distinct
    measures.clause_id, measures.title, measures.implementer_iso3, measures.effective_date,
    measures.evidence_class, status.status, status.valid_from,
from exposure.measures
inner join exposure.measure_status as status using (clause_id)
inner join exposure.measure_scope as scope using (clause_id)
inner join reference.mineral_group_codes as codes
    on codes.hs6_code = scope.hs6_code and codes.mineral_group = $group
where measures.target_iso3 in ('ALL', $importer) and measures.direction in ('restrict', 'monitor')
    and measures.implementer_iso3 = $supplier and status.status = 'in_force'
    and status.valid_from <= $as_of and (status.valid_to is null or status.valid_to > $as_of)
order by measures.effective_date, measures.clause_id
"""

_CLAIMS = """
select claim_id, statement, claimed_by, verdict, explanation from catalog.claims
order by claim_id <> $headline, claim_id
"""

_OTHERS = """
with aimed as (
    select distinct measures.clause_id, status.status, scope.clause_id is not null as has_codes
    from exposure.measures
    inner join exposure.measure_status as status using (clause_id)
    left join exposure.measure_scope as scope using (clause_id)
    where measures.target_iso3 in ('ALL', $importer) and measures.implementer_iso3 = $supplier
        and measures.direction in ('restrict', 'monitor') and status.valid_from <= $as_of
        and (status.valid_to is null or status.valid_to > $as_of)
)
select
    count(*) filter (where status = 'in_force' and not has_codes) as without_codes,
    count(*) filter (where status = 'unknown') as unknown,
    count(*) filter (where status = 'suspended') as suspended,
from aimed
"""

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Answers:
    """What the published file says first: rows as the queries above return them."""

    release: dict[str, Any]
    dependence: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    others: dict[str, Any]
    claims: list[dict[str, Any]]


def answers(published_file: Path) -> Answers:
    """Ask the published file."""
    with connect(published_file, read_only=True) as connection:

        def rows(query: str, **parameters: object) -> list[dict[str, Any]]:
            result = connection.execute(query, parameters)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        release = rows("from catalog.releases order by release_id desc limit 1")[0]
        subject = {"importer": IMPORTER, "supplier": SUPPLIER, "group": GROUP}
        return Answers(
            release=release,
            dependence=rows(_DEPENDENCE, **subject, first_year=FIRST_YEAR),
            measures=rows(_MEASURES, **subject, as_of=release["as_of"]),
            others=rows(_OTHERS, importer=IMPORTER, supplier=SUPPLIER, as_of=release["as_of"])[0],
            claims=rows(_CLAIMS, headline=HEADLINE_CLAIM),
        )


def answers_markdown(published_file: Path) -> str:
    """The same page for the UI."""
    found = answers(published_file)
    lines = [
        f"As of **{found.release['as_of']}**, release `{found.release['release_id']}`.",
        "",
        "### How much of Japan's rare-earth imports come from China",
        "",
        "| year | by weight | by value | imports, t | imports, USD m | USD/JPY, mean |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row['year']} | {percent(row['weight_share'])} | {percent(row['value_share'])} "
            f"| {number(row['total_t'])} | {number(row['total_usd_m'], 1)} "
            f"| {number(row['usdjpy'], 1)} |"
            for row in found.dependence
        ),
        "",
        "Source: UN Comtrade, Japan's reports (HS 280530 + 284610 + 284690); ECB reference rates.",
        "",
        f"### China's measures on rare earths in force for Japan on {found.release['as_of']}",
        "",
        *(
            f"- **{row['clause_id']}** since {row['valid_from']}: {row['title']}"
            + _evidence(row["evidence_class"])
            for row in found.measures
        ),
        "",
        _others(found),
        "",
        "### What was claimed",
        "",
        *(
            f"- “{row['statement']}” ({row['claimed_by']}): "
            f"**{row['verdict'].replace('_', ' ')}**. {row['explanation']}"
            for row in found.claims
        ),
    ]
    return "\n".join(lines)


def _others(found: Answers) -> str:
    """What the list of measures leaves out, so that nobody reads it as all there is."""
    return (
        f"{'Besides' if found.measures else 'None with listed codes; but'}: "
        f"{found.others['without_codes']} in force that list no codes, "
        f"{found.others['unknown']} whose state is unknown, "
        f"{found.others['suspended']} suspended (exposure.measure_status)."
    )


def _evidence(evidence_class: str) -> str:
    return "" if evidence_class == "official" else f" ({evidence_class.replace('_', ' ')})"


def print_answers(published_file: Path) -> None:
    """The same page for a terminal: short tables, trends as small bars."""
    from rich.console import Console
    from rich.markup import escape
    from rich.padding import Padding
    from rich.table import Table

    found = answers(published_file)
    console = Console(highlight=False)
    console.print(
        f"\n[bold]Japan's rare earths from China[/bold]  as of {found.release['as_of']}\n"
    )
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("year", "left"), ("by weight", "right"), ("by value", "right"), ("imports, t", "right"),
        ("USD m", "right"), ("USD/JPY", "right"),
    ):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for row in found.dependence:
        table.add_row(
            str(row["year"]),
            percent(row["weight_share"]),
            percent(row["value_share"]),
            number(row["total_t"]),
            number(row["total_usd_m"], 1),
            number(row["usdjpy"], 1),
        )
    console.print(table)
    console.print()
    for name, column in (
        ("by weight", "weight_share"), ("by value", "value_share"), ("USD/JPY", "usdjpy"),
    ):  # fmt: skip
        console.print(f"{name:10} {bars([row[column] for row in found.dependence])}")
    console.print(
        "[dim]Imports as Japan reports them to UN Comtrade (HS 280530, 284610, 284690);\n"
        "USD/JPY: mean of the year, from ECB reference rates.[/]"
    )
    console.print("\n[bold]China's measures on rare earths in force for Japan[/bold]")
    for row in found.measures:
        console.print(
            f"  since {row['valid_from']}  [bold]{row['clause_id']}[/bold]"
            f"{_evidence(row['evidence_class'])}"
        )
        console.print(Padding(escape(row["title"]), (0, 0, 0, 4)))
    console.print(f"  {_others(found)}")
    console.print("\n[bold]What was claimed[/bold]")
    for row in found.claims:
        if row["claim_id"] == HEADLINE_CLAIM:
            console.print(f"  “{escape(row['statement'])}”")
            console.print(f"  [bold]{escape(row['explanation'])}[/bold]")
    if not found.claims:
        console.print("  nothing that was known on that day")
    verdicts = Counter(row["verdict"].replace("_", " ") for row in found.claims)
    if found.claims:
        console.print(
            f"  {len(found.claims)} published statements in all, in catalog.claims: "
            + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        )
    console.print(f"\n[bold]Published:[/bold] {published_file}", soft_wrap=True)


def percent(share: float | None) -> str:
    """A share of 0 to 1 as a percentage with one digit."""
    return "–" if share is None else f"{share * 100:.1f} %"


def number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


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
