"""Scenarios and the published file: what a scenario may name, and its results.

What a file alone can tell is checked where it is read; the results are computed in dbt.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dagster_project.errors import UnknownCodeError, listed, shortened
from dagster_project.lake.build_file import connect
from dagster_project.serving.catalog import Ask, Row, asking
from dagster_project.serving.dictionary import has_table
from dagster_project.serving.wording.english.parts import MISSING, percent
from dagster_project.sources.scenarios import ReadChange, Scenario

_SUPPLIED = """
select supplier_iso3, period_start, share
from dependency.supplier_shares
where
    importer_iso3 = $importer
    and frequency = 'A'
    and list_contains($groups, mineral_group)
    and share > 0
qualify rank() over (partition by mineral_group order by period_start desc) = 1
order by all
"""

_PROJECTS = """
select
    relief.scenario, relief.mineral_group, relief.importer_iso3, projects.economy_iso3,
    max(relief.year) as last_year
from exposure.relief_scenarios as relief
inner join reference.supply_projects as projects on relief.project = projects.project
where relief.project = $project
group by all
order by all
"""

_ROWS_OF_PROJECT = (
    "select status, start_year from reference.supply_projects where project = $project"
)

_RESULTS = """
select *
from dependency.scenario_results
where scenario = $scenario
order by mineral_group, measure, year, metric, supplier_iso3
"""


def require_possible(published_file: Path, scenario: Scenario) -> None:
    """Raise UnknownCodeError for what a change names and the published file does not have.

    That is a clause, a supply project or its scenario (unless the file is of a version without
    them), or a supplier that loses supply but delivered nothing in the newest year.
    """
    with connect(published_file, read_only=True) as connection:
        ask = asking(connection)
        has_projects = has_table(connection, "exposure", "relief_scenarios")
        for change in scenario.changes:
            match change.columns["kind"]:
                case "lift" | "extend":
                    _require_known_clause(ask, change)
                case "cut" | "shift":
                    _require_supplier(ask, scenario.importer, change)
                case "add" if has_projects and change.columns["project"]:
                    _require_known_project(ask, scenario.importer, change)


def _require_known_clause(ask: Ask, change: ReadChange) -> None:
    kind, clause = change.columns["kind"], change.columns["clause_id"]
    if not ask("from exposure.measures where clause_id = $clause limit 1", clause=clause):
        raise UnknownCodeError(
            f"{change.at(kind)}: `{kind}` is {clause!r}, which is no clause of exposure.measures."
        )


def _require_known_project(ask: Ask, importer: str, change: ReadChange) -> None:
    project, relief = change.columns["project"], change.columns["relief_scenario"]
    rows = ask(_PROJECTS, project=project)
    if not rows:
        if of_project := ask(_ROWS_OF_PROJECT, project=project):
            raise UnknownCodeError(
                f"{change.at('project')}: `project` is {project!r}, which "
                f"{_why_without_tonnes(of_project)}: it has no tonnes in exposure.relief_scenarios."
            )
        raise UnknownCodeError(
            f"{change.at('project')}: `project` is {project!r}, which is no supply project of "
            "exposure.relief_scenarios."
        )
    known = list(dict.fromkeys(str(row["scenario"]) for row in rows))
    if relief not in known:
        raise UnknownCodeError(
            f"{change.at('relief')}: `relief` is {relief!r}; the scenarios of {shortened(project)} "
            f"are {listed(known)}."
        )
    groups = change.columns["mineral_groups"]
    last_years = [
        row["last_year"]
        for row in rows
        if row["scenario"] == relief
        and row["mineral_group"] in groups
        and row["importer_iso3"] in (None, importer)
    ]
    if not last_years:
        raise UnknownCodeError(
            f"{change.at('project')}: {shortened(project)} adds nothing of {' or '.join(groups)} "
            f"for {importer}."
        )
    begins = change.columns["from_date"]
    if relief == "trial" and begins and begins.year > max(last_years):
        raise UnknownCodeError(
            f"{change.at('from')}: `from` is {begins:%Y-%m}, but the trial ends with "
            f"{max(last_years)}."
        )
    economies = {row["economy_iso3"] for row in rows}
    if change.columns["supplier_iso3"] not in economies:
        raise UnknownCodeError(
            f"{change.at('add')}: `add` is {change.columns['supplier_iso3']!r}, but "
            f"{shortened(project)} is in {listed(sorted(map(str, economies)))}."
        )


def _why_without_tonnes(of_project: Sequence[Row]) -> str:
    """Why a project of `reference.supply_projects` has no scenario of relief."""
    statuses = {row["status"] for row in of_project}
    if statuses == {"operating"}:
        return "operates already"
    if statuses == {"proposed"}:
        return "is only proposed"
    if all(row["start_year"] is None for row in of_project):
        return "has no year"
    return "has no published capacity of oxides, metal or magnets"


def _require_supplier(ask: Ask, importer: str, change: ReadChange) -> None:
    columns = change.columns
    kind, supplier, groups = columns["kind"], columns["supplier_iso3"], columns["mineral_groups"]
    rows = ask(_SUPPLIED, importer=importer, groups=list(groups))
    if supplier in {row["supplier_iso3"] for row in rows}:
        return
    where, goods = f"{change.at(kind)}: `{kind}`", " or ".join(groups)
    if not rows:
        raise UnknownCodeError(
            f"{where} is {supplier!r}, but no imports of {goods} by {importer} are known."
        )
    year = max(row["period_start"].year for row in rows)
    shares = [row["share"] for row in rows if row["supplier_iso3"] == "_X"]
    if shares:
        unpublished = percent(max(0.001, *shares))
        raise UnknownCodeError(
            f"{where} is {supplier!r}, which is not among the published suppliers of {goods} to "
            f"{importer} in {year}; up to {unpublished} are of suppliers that are not "
            "published."
        )
    raise UnknownCodeError(
        f"{where} is {supplier!r}, which supplied no {goods} to {importer} in {year}."
    )


def results_of(published_file: Path, scenario: str) -> Sequence[Row] | None:
    """The rows of a scenario in `dependency.scenario_results`, by group, measure, year and metric.

    None if the file is of a version without results.
    """
    with connect(published_file, read_only=True) as connection:
        if not has_table(connection, "dependency", "scenario_results"):
            return None
        return asking(connection)(_RESULTS, scenario=scenario)


def print_results(scenario: str, rows: Sequence[Row] | None) -> None:
    """The results of a scenario for a terminal: a table for each group and measure, with a row per
    metric and a column per year. Suppliers of less than a hundredth are left out. The baseline of
    `exposed_` metrics may be of another year than the one in the header.
    """
    from dagster_project.serving.terminal import Column, print_table, print_text

    if not rows:
        what = "results of scenarios" if rows is None else f"result of {scenario}"
        print_text(f"The published file has no {what}.")
        return
    for group, measure in dict.fromkeys((row["mineral_group"], row["measure"]) for row in rows):
        of_series = [
            row for row in rows if row["mineral_group"] == group and row["measure"] == measure
        ]
        importer = of_series[0]["importer_iso3"]
        print_text(f"{scenario}: {group} into {importer}, {measure}", style="bold")
        years = sorted({row["year"] for row in of_series})
        metrics = _metrics_shown(of_series)
        by_year = {(row["metric"], row["year"]): row for row in of_series}
        first_rows = {row["metric"]: row for row in reversed(of_series)}
        baseline = next(
            (f" {row['baseline_year']}" for row in of_series if row["baseline_year"]), ""
        )
        print_table(
            [
                Column("metric", metrics, False),
                Column(
                    f"baseline{baseline}",
                    [_figure(first_rows[name], "baseline_value") for name in metrics],
                    True,
                ),
                *(
                    Column(str(year), [_span(by_year.get((name, year))) for name in metrics], True)
                    for year in years
                ),
            ],
            hint="kido query has all of it: from dependency.scenario_results.",
        )
        print_text("")
    print_text(f"Assumptions: {rows[0]['assumptions']}.")


_ORDER = (
    "total_", "lost_", "added_", "uncovered_t", "uncovered_usd", "uncovered_share", "hhi",
    "top_supplier_share", "exposed_", "supplier_share_",
)  # fmt: skip
"""How metrics begin, in the order in which they are printed."""

_LEAST_SHARE = 0.01


def _metrics_shown(rows: Sequence[Row]) -> Sequence[str]:
    """The metrics of a series in their order, suppliers by their largest share."""
    largest: dict[str, float] = {}
    for row in rows:
        values = (row["baseline_value"], row["scenario_value"], row["value_at_high_supply"])
        known = [value for value in values if value is not None]
        largest[row["metric"]] = max([largest.get(row["metric"], 0), *known])

    def rank(metric: str) -> int:
        places = [place for place, start in enumerate(_ORDER) if metric.startswith(start)]
        return places[0] if places else len(_ORDER)

    shown = [
        metric
        for metric, share in largest.items()
        if not metric.startswith("supplier_share_") or share >= _LEAST_SHARE
    ]
    return sorted(
        shown,
        key=lambda metric: (
            rank(metric),
            -largest[metric] if metric.startswith("supplier_share_") else 0,
            metric,
        ),
    )


def _figure(row: Row, column: str) -> str:
    value: float | None = row[column]
    if value is None:
        return MISSING
    if "share" in row["metric"]:
        return percent(value)
    return f"{value:.3f}" if row["metric"] == "hhi" else f"{value:,.0f}"


def _span(row: Row | None) -> str:
    """The figure of a year, with the one at the most supply where that is another."""
    if row is None:
        return MISSING
    least, most = _figure(row, "scenario_value"), _figure(row, "value_at_high_supply")
    return least if most in (least, MISSING) else f"{least} to {most}"
