"""The marts of a build file, checked with their suites."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.lake.scope import CommodityScope
from dagster_project.orchestration import audit, dbt_models, fingerprints
from dagster_project.orchestration.audit import results_of_marts
from dagster_project.orchestration.builds import Build, complete_build
from dagster_project.orchestration.keys import key_of
from dagster_project.orchestration.metadata import SUITE_CHECK
from dagster_project.orchestration.private_rows import PrivateRows
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.results import CheckResult, Status, to_json
from dagster_project.quality.rules import Suite, Today, report
from dagster_project.serving.publication import new_release
from dagster_project.settings import Settings
from dagster_project.words import Severity


def results(file: Path) -> dict[str, list[CheckResult]]:
    return dict(
        results_of_marts(
            file,
            mart_suites(),
            today=date(2026, 11, 25),
            scope=CommodityScope(),
            memory=1_000_000_000,
        )
    )


def test_each_mart_has_a_result_for_each_rule_and_the_rows_that_fail(tmp_path: Path) -> None:
    file = tmp_path / "kido.duckdb"
    with duckdb.connect(str(file)) as connection:
        for name in mart_suites():
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.execute(f"create table {name} as select 1.5 as share, 'X' as measure")
    of_marts = results(file)
    assert list(of_marts) == list(mart_suites())
    assert {name: [one.check_name for one in found] for name, found in of_marts.items()} == {
        name: [rule.name for rule in suite.rules] for name, suite in mart_suites().items()
    }
    of_shares = {one["check_name"]: one for one in to_json(of_marts["dependency.supplier_shares"])}
    failed = of_shares["measure_is_value_or_weight"]
    assert failed["sample"] == [{"row_number": 1, "share": "1.5", "measure": "X"}]
    # The other columns are missing: a rule on them could not run, which is no pass.
    assert of_shares["importer_is_one_economy"]["status"] == "could_not_run"


def test_rows_are_quoted_in_one_order_whatever_that_of_the_table(tmp_path: Path) -> None:
    quoted = []
    for order in ("asc", "desc"):
        file = tmp_path / f"{order}.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute("create schema dependency")
            connection.execute(
                "create table dependency.supplier_shares as "
                "select 1.5 as share, 'X' || number as measure from range(10, 100) as t(number) "
                f"order by number {order}"
            )
        [(_, found)] = results_of_marts(
            file,
            ["dependency.supplier_shares"],
            today=date(2026, 11, 25),
            scope=CommodityScope(),
            memory=1_000_000_000,
        )
        quoted.append(to_json(found))
    assert quoted[0] == quoted[1]
    of_measures = {result["check_name"]: result for result in quoted[0]}[
        "measure_is_value_or_weight"
    ]
    assert of_measures["observed"] == "90 of 90 rows, first X10; X11; X12"
    assert [row["measure"] for row in of_measures["sample"]] == [f"X{n}" for n in range(10, 30)]


def days(key: str) -> Suite:
    column = {"column": "price_date", key: Today()}
    return Suite(
        "mart", "market.prices", (report("day", "", "ExpectColumnValuesToBeBetween", **column),)
    )


@pytest.mark.parametrize(
    ("key", "status", "day", "is_due"),
    [
        ("max_value", "passed", 11, False),
        ("max_value", "passed", 9, True),
        ("max_value", "failed", 11, True),
        ("min_value", "passed", 11, False),
    ],
)
def test_what_is_not_later_than_a_day_is_not_later_than_the_next(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    status: Status,
    day: int,
    is_due: bool,
) -> None:
    monkeypatch.setattr(audit, "mart_suites", lambda: {"market.prices": days(key)})
    monkeypatch.setattr(audit, "mart_keys", lambda: [dg.AssetKey(["market", "prices"])])
    settings = Settings.load(home=tmp_path, as_of=date(2026, 11, day))
    last = Build(tmp_path / "last")
    last.start(new_release(datetime(2026, 11, 25), date(2026, 11, 10), "0.1.0"), None, "models")
    before = CheckResult(
        "mart", "market.prices", "day", "great_expectations", "warn", status, "", 0, None, ""
    )
    assert audit._due_by_day(settings, last, [before]) == ({"market.prices"} if is_due else set())
    # What is recent today may be old tomorrow: such a rule is another one each day.
    other = Settings.load(home=tmp_path, as_of=date(2026, 11, 10))
    is_another = audit.suite_fingerprints(other) != audit.suite_fingerprints(settings)
    assert is_another == (key == "min_value")


def test_a_build_without_its_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(duckdb.IOException, match="does not exist"):
        results(tmp_path / "kido.duckdb")


# What is kept of the last build.

PRICES, FLOWS = "market.prices", "trade.flows"
SUITE_OF_FLOWS = dg.AssetCheckKey(dg.AssetKey(FLOWS.split(".")), SUITE_CHECK)


def result_of(mart: str, status: Status = "passed", severity: Severity = "error") -> CheckResult:
    return CheckResult(
        "mart", mart, "rule", "great_expectations", severity, status, "", 0, None, ""
    )


@dataclass
class Audited:
    """The audit of a build in which the suite of prices is due, and that of flows is not."""

    evaluated: list[str]
    told: set[str]
    is_complete: bool
    kept: Mapping[str, CheckResult]


@pytest.fixture
def audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[CheckResult, CheckResult, bool], Audited]:
    def audit_of(prices: CheckResult, flows: CheckResult, failed_before: bool) -> Audited:
        evaluated: list[str] = []

        def evaluate(_: Path, marts: Iterable[str], **__: object) -> Iterator[Any]:
            for mart in marts:
                evaluated.append(mart)
                yield mart, [prices if mart == PRICES else result_of(FLOWS)]

        rule = report("rule", "", "ExpectColumnValuesToNotBeNull", column="x")
        suites = {mart: Suite("mart", mart, (rule,)) for mart in (PRICES, FLOWS)}
        for name, instead in (
            ("mart_suites", lambda: suites),
            ("mart_keys", lambda: [dg.AssetKey(mart.split(".")) for mart in suites]),
            ("results_of_marts", evaluate),
            ("private_rows", lambda *_: PrivateRows(frozenset(), frozenset(), [])),
        ):
            monkeypatch.setattr(audit, name, instead)
        monkeypatch.setattr(fingerprints, "suites_due", lambda *_: [PRICES])
        monkeypatch.setattr(fingerprints, "record_suites", lambda *_: None)
        last, build = Build(tmp_path / "build" / "last"), Build(tmp_path / "build" / "now")
        for each, hour in ((last, 1), (build, 2)):
            release = new_release(datetime(2026, 11, 25, hour), date(2026, 11, 25), "0.1.0")
            each.start(release, None, "models")
            each.file.touch()
            each.files[1].touch()
        of_removed = replace(flows, table_name="market.removed", severity="warn")
        last.keep_checks("marts", [flows, of_removed])
        for stage in ("lake", "dbt"):
            build.keep_checks(stage, [])
        settings = Settings.load(home=tmp_path, as_of=date(2026, 11, 25))
        checks = list(audit.audit(build, last, settings, {}))
        results = build.checks("marts")
        failed = [SUITE_OF_FLOWS] if failed_before else []
        checks += dbt_models._to_tell(audit.carried_suites(build), failed, results)
        return Audited(
            evaluated,
            {".".join(key_of(check).asset_key.path) for check in checks},
            complete_build(settings.build_dir, is_replay=settings.is_replay) == build,
            {result.table_name: result for result in results},
        )

    return audit_of


def test_a_suite_that_is_not_due_keeps_its_result_and_names_its_release(
    audited: Callable[[CheckResult, CheckResult, bool], Audited],
) -> None:
    found = audited(result_of(PRICES), result_of(FLOWS), False)
    assert (found.evaluated, found.told, found.is_complete) == ([PRICES], {PRICES}, True)
    assert found.kept.keys() == {PRICES, FLOWS}
    assert found.kept[FLOWS].checked_in < found.kept[PRICES].checked_in


@pytest.mark.parametrize(
    ("prices", "flows", "failed_before"),
    [
        (result_of(PRICES), result_of(FLOWS, "failed", "warn"), False),
        (result_of(PRICES), result_of(FLOWS), True),
        (result_of(PRICES, "failed"), result_of(FLOWS), False),
    ],
)
def test_what_is_not_due_is_told_where_somebody_would_be_misled(
    audited: Callable[[CheckResult, CheckResult, bool], Audited],
    prices: CheckResult,
    flows: CheckResult,
    failed_before: bool,
) -> None:
    """It warns; it failed in a build that came to nothing; or the step fails for another one."""
    found = audited(prices, flows, failed_before)
    assert found.evaluated == [PRICES]
    assert found.told == {PRICES, FLOWS}
    assert found.is_complete == (prices.status == "passed")


@pytest.mark.parametrize(
    "flows", [result_of(FLOWS, "could_not_run", "warn"), result_of(FLOWS, "failed")]
)
def test_no_result_is_kept_that_is_no_answer_or_blocks(
    audited: Callable[[CheckResult, CheckResult, bool], Audited], flows: CheckResult
) -> None:
    found = audited(result_of(PRICES), flows, False)
    assert sorted(found.evaluated) == [PRICES, FLOWS]
    assert found.is_complete
