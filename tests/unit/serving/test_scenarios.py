"""What a scenario may name, and how its results are printed, on small files made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project.errors import UnknownCodeError
from dagster_project.serving.scenarios import print_results, require_possible, results_of
from dagster_project.sources.card import Document
from dagster_project.sources.scenarios import Scenario, read_scenario

_TABLES = """
create schema dependency;
create schema exposure;
create table dependency.supplier_shares as
    select * from (values
        ('JPN', 'rare_earths', 'A', date '2024-01-01', 'CHN', 0.71::double),
        ('JPN', 'rare_earths', 'A', date '2024-01-01', 'THA', 0.0),
        ('JPN', 'rare_earths', 'A', date '2023-01-01', 'EST', 0.02),
        ('JPN', 'rare_earths', 'M', date '2026-07-01', 'USA', 0.1),
        ('JPN', 'permanent_magnets', 'A', date '2023-01-01', 'PHL', 0.1),
        ('DEU', 'rare_earths', 'A', date '2024-01-01', 'AUT', 0.3)
    ) as shares (importer_iso3, mineral_group, frequency, period_start, supplier_iso3, share);
create table exposure.measures as select 'CN-2025-18' as clause_id;
"""
_PROJECTS = """
create table exposure.relief_scenarios as
    select * from (values
        ('MINAMITORISHIMA', 'trial', 2027, 'rare_earths', 'JPN'),
        ('MINAMITORISHIMA', 'commercial', 2030, 'rare_earths', 'JPN'),
        ('MINAMITORISHIMA', 'commercial', 2031, 'rare_earths', 'JPN'),
        ('MP_10X', 'as_announced', 2028, 'permanent_magnets', 'USA'),
        ('NARVA', 'as_announced', 2026, 'permanent_magnets', null)
    ) as scenarios (project, scenario, year, mineral_group, importer_iso3);
create schema reference;
create table reference.supply_projects as
    select * from (values
        ('MINAMITORISHIMA', 'JPN', 'trial', 2027), ('MP_10X', 'USA', 'planned', 2028),
        ('NARVA', 'EST', 'building', 2026), ('NARVA_2', 'EST', 'planned', null),
        ('SILMET', 'EST', 'operating', null), ('KINGSTON', 'AUS', 'proposed', null),
        ('BENSON', 'USA', 'planned', 2027)
    ) as projects (project, economy_iso3, status, start_year);
"""
_RESULTS = """
create schema if not exists dependency;
create table dependency.scenario_results (
    scenario varchar, importer_iso3 varchar, mineral_group varchar, measure varchar, year integer,
    metric varchar, supplier_iso3 varchar, baseline_value double, scenario_value double,
    value_at_high_supply double, change double, assumptions varchar,
    baseline_year integer
);
insert into dependency.scenario_results values
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2027, 'hhi', null, 0.52, 0.31, 0.31, -0.21,
     'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2028, 'hhi', null, 0.52, null, null, null,
     'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2027, 'supplier_share_CHN', 'CHN', 0.7133, 0,
     0, -0.7133, 'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2028, 'supplier_share_CHN', 'CHN', 0.7133, 0,
     0, -0.7133, 'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2027, 'supplier_share_AUT', 'AUT', 0.001, 0.009,
     0.009, 0.008, 'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2027, 'uncovered_t', null, 0, 15981.5, 14000,
     15981.5, 'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2028, 'uncovered_t', null, 0, 15981.5, 12000,
     15981.5, 'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'net_weight_kg', 2028, 'supplier_share_FRA', 'FRA', 0, 0.2, 0.2,
     0.2, 'cut CHN', 2024),
    ('mine', 'JPN', 'rare_earths', 'value_usd', 2027, 'hhi', null, 0.25, 0.26, 0.26, 0.01, null,
     2024),
    ('other', 'JPN', 'gallium', 'value_usd', 2027, 'hhi', null, 1, 2, null, 1, 'none', 2024);
"""


def file_of(folder: Path, *statements: str) -> Path:
    file = folder / "kido.duckdb"
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    return file


def scenario(*changes: str) -> Scenario:
    """A scenario of these changes, the first of which is on line 6."""
    head = "scenario: mine\ntitle: t\nimporter: JPN\ngroups: [rare_earths, permanent_magnets]\n"
    listed = "".join(f"  - {change}\n" for change in changes)
    document = Document("mine.yaml", datetime(2026, 12, 1), is_bundled=False)
    return read_scenario(f"{head}changes:\n{listed}".encode(), document)


POSSIBLE = (
    "{cut: CHN, from: 2027-01}",
    "{cut: PHL, from: 2027-01}",
    "{shift: CHN, to: NOR, share: 0.1, from: 2027-01}",
    "{add: NOR, tonnes: 5, from: 2027-01, groups: [rare_earths]}",
    "{add: JPN, project: MINAMITORISHIMA, relief: commercial}",
    "{add: EST, project: NARVA, relief: as_announced}",
    "{lift: CN-2025-18, on: 2027-03-31}",
)


def test_a_scenario_of_what_is_published_is_possible(tmp_path: Path) -> None:
    require_possible(file_of(tmp_path, _TABLES, _PROJECTS), scenario(*POSSIBLE))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["{lift: CN-1999-1, on: 2027-03-31}"],
         "line 6: change 1: `lift` is 'CN-1999-1', which is no clause of exposure.measures."),
        (["{extend: CN-1999-1, until: 2027-03-31}"],
         "line 6: change 1: `extend` is 'CN-1999-1', which is no clause of exposure.measures."),
        (["{add: JPN, project: ATLANTIS, relief: commercial}"],
         "line 6: change 1: `project` is 'ATLANTIS', which is no supply project of "
         "exposure.relief_scenarios."),
        (["{add: EST, project: NARVA_2, relief: as_announced}"],
         "line 6: change 1: `project` is 'NARVA_2', which has no year: it has no tonnes in "
         "exposure.relief_scenarios."),
        (["{add: EST, project: SILMET, relief: as_announced}"],
         "line 6: change 1: `project` is 'SILMET', which operates already: it has no tonnes in "
         "exposure.relief_scenarios."),
        (["{add: AUS, project: KINGSTON, relief: as_announced}"],
         "line 6: change 1: `project` is 'KINGSTON', which is only proposed: it has no tonnes in "
         "exposure.relief_scenarios."),
        (["{add: USA, project: BENSON, relief: as_announced}"],
         "line 6: change 1: `project` is 'BENSON', which has no published capacity of oxides, "
         "metal or magnets: it has no tonnes in exposure.relief_scenarios."),
        (["{add: JPN, project: MINAMITORISHIMA, relief: trial, from: 2028-01}"],
         "line 6: change 1: `from` is 2028-01, but the trial ends with 2027."),
        (["{add: JPN,\n     project: MINAMITORISHIMA,\n     relief: comercial}"],
         "line 8: change 1: `relief` is 'comercial'; the scenarios of MINAMITORISHIMA are "
         "commercial, trial."),
        (["{add: USA, project: MP_10X, relief: as_announced}"],
         "line 6: change 1: MP_10X adds nothing of permanent_magnets or rare_earths for JPN."),
        (["{add: JPN, project: MINAMITORISHIMA, relief: commercial, groups: [permanent_magnets]}",
          "{cut: CHN, from: 2027-01}"],
         "line 6: change 1: MINAMITORISHIMA adds nothing of permanent_magnets for JPN."),
        (["{add: CHN, project: NARVA, relief: as_announced}"],
         "line 6: change 1: `add` is 'CHN', but NARVA is in EST."),
        ([*POSSIBLE, "{cut: AUT, from: 2027-01}"],
         "line 13: change 8: `cut` is 'AUT', which supplied no permanent_magnets or "
         "rare_earths to JPN in 2024."),
        # A supplier of an earlier year, of a month, and one with a share of 0.
        (["{shift: EST, to: NOR, share: 0.1, from: 2027-01, groups: [rare_earths]}",
          "{cut: CHN, from: 2027-01}"],
         "line 6: change 1: `shift` is 'EST', which supplied no rare_earths to JPN in 2024."),
        (["{cut: USA, from: 2027-01}"],
         "line 6: change 1: `cut` is 'USA', which supplied no permanent_magnets or rare_earths "
         "to JPN in 2024."),
        (["{cut: THA, from: 2027-01}"],
         "line 6: change 1: `cut` is 'THA', which supplied no permanent_magnets or rare_earths "
         "to JPN in 2024."),
    ],
)  # fmt: skip
def test_what_is_not_published_is_refused_with_its_line(
    tmp_path: Path, changes: Sequence[str], message: str
) -> None:
    with pytest.raises(UnknownCodeError) as caught:
        require_possible(file_of(tmp_path, _TABLES, _PROJECTS), scenario(*changes))
    assert caught.value.message == f"scenarios: {message}"


@pytest.mark.parametrize(("share", "printed"), [(0.19, "19.0 %"), (0.00002, "0.1 %")])
def test_one_who_may_be_among_the_unpublished_is_not_said_to_supply_nothing(
    tmp_path: Path, share: float, printed: str
) -> None:
    file = file_of(
        tmp_path, _TABLES,
        "insert into dependency.supplier_shares values "
        f"('JPN', 'rare_earths', 'A', date '2024-01-01', '_X', {share / 2}), "
        f"('JPN', 'rare_earths', 'A', date '2024-01-01', '_X', {share})",
    )  # fmt: skip
    with pytest.raises(UnknownCodeError) as caught:
        require_possible(file, scenario("{cut: MYS, from: 2027-01}"))
    assert caught.value.message == (
        "scenarios: line 6: change 1: `cut` is 'MYS', which is not among the published suppliers "
        f"of permanent_magnets or rare_earths to JPN in 2024; up to {printed} are of suppliers "
        "that are not published."
    )


def test_without_known_imports_nobody_can_be_cut(tmp_path: Path) -> None:
    file = file_of(tmp_path, _TABLES, "delete from dependency.supplier_shares")
    with pytest.raises(UnknownCodeError) as caught:
        require_possible(file, scenario(POSSIBLE[0]))
    assert caught.value.message == (
        "scenarios: line 6: change 1: `cut` is 'CHN', but no imports of permanent_magnets or "
        "rare_earths by JPN are known."
    )


def test_a_file_of_a_version_without_projects_says_nothing_of_them(tmp_path: Path) -> None:
    require_possible(file_of(tmp_path, _TABLES), scenario("{add: JPN, project: X, relief: y}"))


def test_results_are_printed_a_metric_a_row_and_a_year_a_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_results("mine", results_of(file_of(tmp_path, _RESULTS), "mine"))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "mine: rare_earths into JPN, net_weight_kg",
        "metric              baseline 2024              2027              2028",
        "uncovered_t                     0  15,982 to 14,000  15,982 to 12,000",
        "hhi                         0.520             0.310                 –",
        "supplier_share_CHN         71.3 %             0.0 %             0.0 %",
        "supplier_share_FRA          0.0 %                 –            20.0 %",
        "",
        "mine: rare_earths into JPN, value_usd",
        "metric  baseline 2024   2027",
        "hhi             0.250  0.260",
        "",
        "Assumptions: cut CHN.",
    ]


def test_a_file_without_results_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_results("mine", results_of(file_of(tmp_path, _TABLES), "mine"))
    with duckdb.connect(str(tmp_path / "kido.duckdb")) as connection:
        connection.execute(_RESULTS)
    print_results("theirs", results_of(tmp_path / "kido.duckdb", "theirs"))
    assert capsys.readouterr().out.splitlines() == [
        "The published file has no results of scenarios.",
        "The published file has no result of theirs.",
    ]
