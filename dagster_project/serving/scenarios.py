"""Scenarios and the published file: what a scenario may name, and its results.

What a file alone can tell is checked where it is read; the results are computed in dbt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dagster_project.errors import UnknownCodeError, listed, shortened
from dagster_project.lake.build_file import connect
from dagster_project.serving.catalog import Ask, Row, asking
from dagster_project.serving.dictionary import has_table
from dagster_project.sources.scenarios import ReadChange, Scenario

_SUPPLIED = """
select distinct supplier_iso3, period_start
from dependency.supplier_shares
where
    importer_iso3 = $importer
    and frequency = 'A'
    and list_contains($groups, mineral_group)
    and share > 0
qualify rank() over (partition by mineral_group order by period_start desc) = 1
order by supplier_iso3, period_start
"""

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
                    _require_known_project(ask, change)


def _require_known_clause(ask: Ask, change: ReadChange) -> None:
    kind, clause = change.columns["kind"], change.columns["clause_id"]
    if not ask("from exposure.measures where clause_id = $clause limit 1", clause=clause):
        raise UnknownCodeError(
            f"{change.at(kind)}: `{kind}` is {clause!r}, which is no clause of exposure.measures."
        )


def _require_known_project(ask: Ask, change: ReadChange) -> None:
    project, relief = change.columns["project"], change.columns["relief_scenario"]
    rows = ask(
        "select distinct scenario from exposure.relief_scenarios where project = $project "
        "order by scenario",
        project=project,
    )
    if not rows:
        raise UnknownCodeError(
            f"{change.at('project')}: `project` is {project!r}, which is no supply project of "
            "exposure.relief_scenarios."
        )
    known = [str(row["scenario"]) for row in rows]
    if relief not in known:
        raise UnknownCodeError(
            f"{change.at('relief')}: `relief` is {relief!r}; the scenarios of {shortened(project)} "
            f"are {listed(known)}."
        )


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
    """The results of a scenario for a terminal: a table for each group and measure."""
    from dagster_project.serving.terminal import Column, print_table, print_text, shown

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
        print_table(
            [
                Column(
                    heading,
                    [shown(row[name], is_year=name == "year") for row in of_series],
                    is_number,
                )
                for heading, name, is_number in _COLUMNS
                if any(row[name] is not None for row in of_series)
            ],
            hint="kido query has all of it: from dependency.scenario_results.",
        )
        print_text("")
    assumptions = list(dict.fromkeys(_assumptions(rows)))
    if assumptions:
        print_text(f"Assumptions: {', '.join(assumptions)}.")


_COLUMNS = (
    ("year", "year", True),
    ("metric", "metric", False),
    ("supplier", "supplier_iso3", False),
    ("now", "baseline_value", True),
    ("then", "scenario_value", True),
    ("at high supply", "value_at_high_supply", True),
    ("change", "change", True),
)
"""Heading and column of each column of a table, and whether it has numbers."""


def _assumptions(rows: Iterable[Row]) -> Iterable[str]:
    """Each assumption of the rows, which have a text or a list of codes."""
    for row in rows:
        value = row["assumptions"]
        for assumption in value if isinstance(value, list) else [value]:
            if assumption:
                yield str(assumption).replace("_", " ").rstrip(".")
