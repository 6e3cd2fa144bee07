"""The measures that apply to an importer on a day, for a terminal.

States and bounds are those of `exposure.measure_timeline` and the tables of exposures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

from dagster_project.errors import PublicationError, counted
from dagster_project.lake.build_file import connect
from dagster_project.serving.catalog import Row, asking, select_newest_release
from dagster_project.serving.changes import (
    APPLIES_TO_IMPORTER,
    DAYS,
    Changes,
    changes_around,
    print_changes,
)
from dagster_project.serving.dictionary import has_table
from dagster_project.serving.wording.english.parts import percent

MOST_OTHERS = 3
"""So many other suppliers of a commodity are named."""

LAPSES_SOON = DAYS
"""A state that ends within so many days is marked."""

_HEADINGS: Mapping[tuple[str, str], str] = {
    ("in_force", "restrict"): "In force",
    ("in_force", "monitor"): "In force, to be reported only",
    ("in_force", "permit"): "Permits granted",
    ("in_force", "relax"): "In force, relaxing",
    ("announced", "restrict"): "Announced, not in force yet",
    ("suspended", "restrict"): "Suspended",
    ("unknown", "restrict"): "State unknown: no notice or report on what holds",
    ("unknown", "monitor"): "State unknown, to be reported only",
    ("unknown", "permit"): "State unknown, permits",
    ("unknown", "relax"): "State unknown, relaxing",
}
"""Headings in their order, by status and direction; other pairs get a heading made of both."""

_KNOWN_BY: Mapping[str, str] = {
    "exports_only": "known by the exporter's figures alone",
    "largest_flows_only": "known by a list of the largest flows alone",
}
"""The figures behind a value, by the reason why the imports are unknown."""


@dataclass(frozen=True)
class Measures:
    """The clauses that apply to an importer on a day, with their exposures and targets."""

    importer: str
    importer_iso3: str
    day: date
    as_of: date
    changes: Changes
    clauses: Sequence[Row]
    exposures: Mapping[str, Sequence[Row]]
    together: Sequence[Row]
    others: Mapping[str, Sequence[Row]]
    """Of a commodity the largest exporters that restrict nothing, on the day of the build."""
    is_importer: bool = True
    """Whether the file has any imports of it."""


def measures_on(
    published_file: Path, importer: str, day: date | None = None, ahead: int | None = None
) -> Measures:
    """The clauses that apply to an importer (ISO 3166 alpha-3) on a day, by default the build's.

    `ahead` is the number of days whose changes are listed.
    Raises PublicationError for a file of an earlier version without the calendar.
    """
    with connect(published_file, read_only=True) as connection:
        if not has_table(connection, "exposure", "calendar"):
            raise PublicationError(
                f"{published_file.name} is of an earlier version, without the calendar of clauses.",
                hint="Run kido build.",
            )

        ask = asking(connection)
        [release] = ask(select_newest_release())
        on = day or release["as_of"]
        named = ask("from reference.economies where economy_iso3 = $importer", importer=importer)
        exposures = ask(_EXPOSURES, importer=importer)
        # Another day had other alternatives.
        has_others = on == release["as_of"] and has_table(connection, "dependency", "alternatives")
        others = ask(_OTHERS, importer=importer, most=MOST_OTHERS) if has_others else []
        return Measures(
            importer=named[0]["name"] if named else importer,
            importer_iso3=importer,
            day=on,
            as_of=release["as_of"],
            changes=changes_around(ask, importer, on, ahead),
            clauses=ask(_CLAUSES, importer=importer, day=on),
            exposures=_by(exposures, "clause_id"),
            together=ask(_TOGETHER, importer=importer, day=on),
            others=_by(others, "hs6_code"),
            is_importer=bool(ask(_IS_IMPORTER, importer=importer)),
        )


def _by(rows: Sequence[Row], column: str) -> Mapping[str, Sequence[Row]]:
    """Rows by the values of a column that they are sorted by."""
    return {key: list(group) for key, group in groupby(rows, key=lambda row: str(row[column]))}


_IS_IMPORTER = """
select 1 from dependency.import_concentration where importer_iso3 = $importer
union all
select 1 from exposure.importer_exposure where importer_iso3 = $importer
limit 1
"""
_CLAUSES = f"""
select
    timeline.clause_id, timeline.title, timeline.official_reference,
    implementers.name as implementer,
    timeline.target_iso3, timeline.target_class, timeline.reach, timeline.excludes,
    timeline.direction,
    timeline.evidence_class,
    timeline.valid_from, timeline.valid_to, timeline.status, timeline.because,
    timeline.hs6_codes, timeline.minerals, timeline.known_at,
    list(timeline.target_name order by timeline.target_name) as target_names
from exposure.measure_timeline as timeline
inner join reference.economies as implementers
    on timeline.implementer_iso3 = implementers.economy_iso3
where
    {APPLIES_TO_IMPORTER.format(measures="timeline")}
    and timeline.valid_from <= $day
    and (timeline.valid_to is null or timeline.valid_to > $day)
    and timeline.status <> 'ended'
group by all
order by timeline.valid_from desc, timeline.clause_id
"""
_EXPOSURES = """
select
    clause_id, commodity_code, baseline_from, baseline_to, baseline_value_usd,
    exposed_value_low_usd, exposed_value_high_usd, exposed_share_low, exposed_share_high, reason,
    current_from, current_to, current_exposed_value_low_usd, current_exposed_value_high_usd,
    current_exposed_share_low, current_exposed_share_high, current_reason
from exposure.importer_exposure
where importer_iso3 = $importer
order by clause_id, exposed_value_high_usd desc nulls last, commodity_code
"""
_TOGETHER = """
select
    joint.commodity_code, groups.name, joint.clause_ids, joint.clauses_without_figures,
    joint.exposed_share_low, joint.exposed_share_high, joint.exposed_value_low_usd,
    joint.exposed_value_high_usd, joint.baseline_from, joint.baseline_to, joint.reason,
    joint.current_from, joint.current_to, joint.current_exposed_share_low,
    joint.current_exposed_share_high, joint.current_reason
from exposure.joint_exposure as joint
left join reference.mineral_groups as groups
    on groups.mineral_group in (joint.commodity_code, 'hs_' || joint.commodity_code)
where
    joint.importer_iso3 = $importer
    and joint.valid_from <= $day
    and (joint.valid_to is null or joint.valid_to > $day)
order by joint.exposed_value_high_usd desc nulls last, joint.commodity_code
"""
_OTHERS = """
select alternatives.hs6_code, alternatives.year, economies.name, alternatives.share_of_world
from dependency.alternatives as alternatives
inner join reference.economies as economies
    on alternatives.supplier_iso3 = economies.economy_iso3
where
    alternatives.importer_iso3 = $importer
    and len(alternatives.clauses_in_force) = 0
    and len(alternatives.clauses_unknown) = 0
qualify
    row_number() over (partition by alternatives.hs6_code order by alternatives.supplier_rank)
    <= $most
order by alternatives.hs6_code, alternatives.supplier_rank
"""


def print_measures(page: Measures) -> None:
    """Print the page: the clauses by state with what each hits, then what they hit together."""
    from rich.text import Text

    from dagster_project.serving.terminal import print_text

    title = f"{page.importer}: what hits it on {page.day}"
    print_text(Text.assemble("\n", (title, "bold"), f"  as known on {page.as_of}\n"))
    print_changes(page.changes)
    for heading, clauses in _by_heading(page.clauses):
        count = counted(len(clauses), "clause")
        print_text(Text.assemble((heading, "bold"), f" ({count})"))
        for clause in clauses:
            print_text(_first_line(clause), indent=2)
            for line in lines_of(clause, page):
                print_text(line, indent=4, style="dim")
        print_text("")
    if not page.clauses:
        print_text("No clause of the catalogue bears on it.\n")
    if page.together:
        print_text("What is in force together hits, of its imports", style="bold")
        excludes = {row["clause_id"]: row["excludes"] for row in page.clauses}
        for row in page.together:
            if _is_known(row):
                print_text(_together(row, excludes), indent=2)
                if others := page.others.get(row["commodity_code"]):
                    print_text(_of_others(others), indent=4, style="dim")
        if unknown := [row for row in page.together if not _is_known(row)]:
            codes = sorted(row["commodity_code"] for row in unknown)
            print_text(f"No figures at hand of {first_of(codes)}", indent=2)
        print_text("")
    if page.day != page.as_of:
        print_text(
            f"The states of {page.day} are as known on {page.as_of}; what was known on that day "
            f"is in a replay: kido build --as-of {page.day}."
        )


def _by_heading(clauses: Sequence[Row]) -> Iterator[tuple[str, Sequence[Row]]]:
    """Clauses under their headings: what is in force first, the newest state of each first."""
    by_state: dict[tuple[str, str], list[Row]] = {}
    for clause in clauses:
        by_state.setdefault((clause["status"], clause["direction"]), []).append(clause)
    others = sorted(set(by_state) - set(_HEADINGS))
    for state in (*_HEADINGS, *others):
        if state in by_state:
            status, direction = state
            words = f"{status.replace('_', ' ').capitalize()}: {direction}"
            yield _HEADINGS.get(state, words), by_state[state]


def _first_line(clause: Row) -> str:
    ends = clause["valid_to"]
    until = f" to {ends - timedelta(days=1)}" if ends else ""
    return f"{clause['clause_id']}  from {clause['valid_from']}{until}"


def lines_of(clause: Row, page: Measures) -> Iterator[str]:
    """The lines on a clause: its title, targets, reason of its state, last day and exposure."""
    yield f"{clause['implementer']}: {clause['title']}"
    names = [name for name in clause["target_names"] if name]
    if clause["target_class"] == "entity":
        yield f"on {counted(len(names), 'name')} of its list, not on trade as a whole"
    elif clause["target_class"] == "end_user":
        yield f"on end users: {', '.join(names)}; how much of the trade is theirs is not known"
    if clause["status"] == "unknown":
        yield clause["because"]
    elif clause["because"] not in (clause["official_reference"], clause["title"]):
        yield f"{clause['status'].replace('_', ' ')} because of: {clause['because']}"
    if clause["evidence_class"] != "official":
        yield f"{clause['evidence_class'].replace('_', ' ')}, no official act"
    ends = clause["valid_to"]
    days = (ends - page.day).days - 1 if ends else None
    if days is not None and days <= LAPSES_SOON:
        when = f"in {counted(days, 'day')}" if days else "today"
        yield f"the last day of this state is {when}"
    yield from _exposure(clause, page)


def _exposure(clause: Row, page: Measures) -> Iterator[str]:
    if clause["target_class"] == "entity":
        return
    codes = clause["hs6_codes"]
    if not codes:
        yield "names no codes"
        return
    yield f"{counted(len(codes), 'code')}: {first_of(codes)}; {first_of(clause['minerals'])}"
    if clause["direction"] != "restrict":
        return
    if clause["reach"] == "extraterritorial":
        yield "regulates goods that leave third countries: no trade of its own is exposed"
        return
    yield from _hits(clause, page)


def _hits(clause: Row, page: Measures) -> Iterator[str]:
    """What a clause hits, as far as it is known; then the codes without figures or flows."""
    rows = page.exposures.get(clause["clause_id"], ())
    known = [row for row in rows if _is_known(row)]
    if known and clause["excludes"]:
        codes = first_of([row["commodity_code"] for row in known])
        yield f"leaves out {clause['excludes']}: how much of {codes} it hits is not known"
    else:
        yield from _amounts(known, clause)
    if unknown := [row["commodity_code"] for row in rows if not _is_known(row)]:
        yield f"no figures at hand of {', '.join(sorted(unknown))}"
    named = {row["commodity_code"] for row in rows}
    without = [code for code in clause["hs6_codes"] if code not in named]
    if without and not page.is_importer:
        yield f"no figures at hand of {page.importer}"
    elif without and not any(len(code) != 6 for code in named):
        yield f"no flows in the baseline of {', '.join(without)}"


def _amounts(known: Sequence[Row], clause: Row) -> Iterator[str]:
    """Values and shares of codes; where their baselines differ each share names its own."""
    hits = "hits" if clause["status"] == "in_force" else "would hit"
    if of_imports := [row for row in known if row["reason"] is None]:
        has_one_period = len({_period(row) for row in of_imports}) == 1
        shares = [
            f"{row['commodity_code']} {_up_to(row['exposed_share_high'])}"
            + ("" if has_one_period else f" in {_period(row)}")
            for row in of_imports
        ]
        yield f"{hits} {_values(of_imports)}: {first_of(shares, 4)}"
    for reason, known_by in _KNOWN_BY.items():
        if of_reason := [row for row in known if row["reason"] == reason]:
            codes = first_of([row["commodity_code"] for row in of_reason])
            yield f"{hits} {_values(of_reason)}, {known_by}: {codes}"
    # Beside what it was meant to hit what it hits now, where that is not the same trade.
    newer = [row for row in known if row["current_reason"] is None and _is_newer(row)]
    if newer:
        yield f"by the newest trade {hits} {_newest_values(newer)}: {first_of(_newest(newer), 4)}"


def _is_known(row: Row) -> bool:
    """Whether there are figures of what was meant to be hit, or of what is hit now."""
    return row["reason"] != "no_figures" or row["current_reason"] is None


def _is_newer(row: Row) -> bool:
    return row["current_to"] != row["baseline_to"] or row["reason"] is not None


def _newest(rows: Sequence[Row]) -> list[str]:
    """The shares of codes by the newest trade, the largest first."""
    has_one_period = len({_newest_period(row) for row in rows}) == 1
    return [
        f"{row['commodity_code']} {_up_to(row['current_exposed_share_high'])}"
        + ("" if has_one_period else f" in {_newest_period(row)}")
        for row in sorted(rows, key=lambda row: -row["current_exposed_value_high_usd"])
    ]


def _up_to(share: float) -> str:
    """`up to 12.3 %`, of nothing `none`."""
    if not share:
        return "none"
    return f"up to {percent(share)}" if share >= 0.0005 else "under 0.05 %"


def _newest_values(rows: Sequence[Row]) -> str:
    low = sum(row["current_exposed_value_low_usd"] for row in rows)
    high = sum(row["current_exposed_value_high_usd"] for row in rows)
    periods = ", ".join(sorted({_newest_period(row) for row in rows}))
    return f"{_bounds(millions(low), millions(high))} of {periods}"


def _newest_period(row: Row) -> str:
    return _between(row["current_from"], row["current_to"])


def _values(rows: Sequence[Row]) -> str:
    """`USD 1.2 m to USD 3.4 m of 2022, 2024`, of rows that have values."""
    low = sum(row["exposed_value_low_usd"] for row in rows)
    high = sum(row["exposed_value_high_usd"] for row in rows)
    periods = ", ".join(sorted({_period(row) for row in rows}))
    return f"{_bounds(millions(low), millions(high))} of {periods}"


def _together(row: Row, excludes: Mapping[str, str | None]) -> str:
    """A line of what clauses hit together, by share where the imports are known."""
    parts = []
    if row["reason"] is None:
        hit = _bounds(percent(row["exposed_share_low"]), percent(row["exposed_share_high"]))
        parts.append(f"{hit} of {_period(row)}")
    elif row["reason"] != "no_figures":
        hit = _bounds(
            millions(row["exposed_value_low_usd"]), millions(row["exposed_value_high_usd"])
        )
        parts.append(f"{hit} of {_period(row)}, of which all imports are not known")
    if row["current_reason"] is None and _is_newer(row):
        shares = (row["current_exposed_share_low"], row["current_exposed_share_high"])
        parts.append(f"{_bounds(*map(percent, shares))} of {_newest_period(row)}")
    # Of clauses without figures of before them the newest trade can be known all the same.
    is_told = row["reason"] == "no_figures" and row["current_reason"] is None
    without = [] if is_told else row["clauses_without_figures"]
    return (
        f"{row['name'] or row['commodity_code']}: {'; '.join(parts)} "
        f"({', '.join(row['clause_ids'])})"
        + (f"; no figures at hand of {', '.join(without)}" if without else "")
        + "".join(
            f"; {clause} leaves out {excludes[clause]}"
            for clause in row["clause_ids"]
            if excludes.get(clause)
        )
    )


def _of_others(others: Sequence[Row]) -> str:
    """`others: Australia 12.0 % of world exports of 2024, Estonia 3.1 %`."""
    first, *more = [f"{row['name']} {percent(row['share_of_world'])}" for row in others]
    return ", ".join([f"others: {first} of world exports of {others[0]['year']}", *more])


def _bounds(low: str, high: str) -> str:
    return high if low == high else f"{low} to {high}"


def _period(row: Row) -> str:
    """The year of a baseline, or its first and last month."""
    return _between(row["baseline_from"], row["baseline_to"])


def _between(first: date, last: date) -> str:
    if (first.month, first.day, last.month, last.day, last.year) == (1, 1, 12, 31, first.year):
        return str(first.year)
    return f"{first:%Y-%m} to {last:%Y-%m}"


def first_of(items: Sequence[str], most: int = 6) -> str:
    """The first items, and the number of the others."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")


def millions(value: float) -> str:
    """`USD 12.3 m`, or of less than a tenth of a million `USD 45,678`."""
    return f"USD {value / 1e6:,.1f} m" if value >= 1e5 else f"USD {value:,.0f}"
