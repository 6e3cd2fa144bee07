"""The audit in the process beside: the same results, or the audit is held here."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lake.scope import CommodityScope
from dagster_project.orchestration import beside
from dagster_project.orchestration.audit import Audit
from dagster_project.orchestration.beside import Beside
from dagster_project.quality.results import CheckResult, to_json
from dagster_project.quality.suites import MART_SUITES
from tests.unit.orchestration.test_beside import without_rules

MEMORY = 1_000_000_000


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Marts with a row that breaks a rule, and others in which none can be decided."""
    file = tmp_path / "kido.duckdb"
    with duckdb.connect(str(file)) as connection:
        for name in MART_SUITES:
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.execute(f"create table {name} as select 1.5 as share, 'X' as measure")
    return Audit(file, date(2026, 11, 25), CommodityScope(), MEMORY)


@pytest.fixture(scope="module")
def running() -> Iterator[Beside]:
    """One process for all that ask it and let it be: each asks for another file."""
    made = Beside()
    yield made
    made.end()


@pytest.fixture
def process(running: Beside, monkeypatch: pytest.MonkeyPatch) -> Beside:
    monkeypatch.setattr(beside, "_at_hand", [running])
    return running


@pytest.fixture
def to_be_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    monkeypatch.setenv("PYTHONPATH", str(without_rules(tmp_path / "without_rules")))
    made = Beside()
    monkeypatch.setattr(beside, "_at_hand", [made])
    yield made
    made.end()


@pytest.fixture
def held_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The marts whose audits were held in this process."""
    held: list[str] = []
    here = Audit.held_here

    def note(audit: Audit) -> Any:
        held.extend(audit.marts)
        return here(audit)

    monkeypatch.setattr(Audit, "held_here", note)
    return held


def in_words(found: Any) -> dict[str, list[dict[str, Any]]]:
    pairs: Iterator[tuple[str, list[CheckResult]]] = iter(found)
    return {name: to_json(results) for name, results in pairs}


def test_the_process_beside_finds_what_is_found_here(
    audit: Audit, process: Beside, held_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Audit] = []
    monkeypatch.setattr(process, "ask", lambda job, ask=process.ask: (asked.append(job), ask(job)))
    audit.begin()
    assert sorted(name for share in asked for name in share.marts) == sorted(MART_SUITES)
    assert len(asked) > 1
    found = in_words(audit.held())
    assert held_here == []
    assert found == in_words(audit.held_here())
    assert list(found) == list(MART_SUITES)
    failed = {
        result["check_name"]: result["sample"]
        for result in found["dependency.supplier_shares"]
        if result["status"] == "failed"
    }
    assert failed["measure_is_value_or_weight"] == [
        {"row_number": 1, "share": "1.5", "measure": "X"}
    ]


def test_its_results_are_taken_once(audit: Audit, process: Beside, held_here: list[str]) -> None:
    audit.begin()
    first = in_words(audit.held())
    assert in_words(audit.held()) == first
    assert sorted(held_here) == sorted(MART_SUITES)


def test_an_audit_of_another_day_is_held_here(
    audit: Audit, process: Beside, held_here: list[str]
) -> None:
    audit.begin()
    tomorrow = replace(audit, today=date(2026, 11, 26))
    assert list(in_words(tomorrow.held())) == list(MART_SUITES)
    assert sorted(held_here) == sorted(MART_SUITES)


@pytest.mark.parametrize("is_asked_first", [True, False])
def test_where_it_is_killed_the_audit_is_held_here(
    audit: Audit, to_be_killed: Beside, held_here: list[str], is_asked_first: bool
) -> None:
    kill: Callable[[], None] = to_be_killed._process.kill
    if is_asked_first:
        audit.begin()
        kill()
    else:
        kill()
        to_be_killed._process.wait()
        audit.begin()
    assert list(in_words(audit.held())) == list(MART_SUITES)
    assert sorted(held_here) == sorted(MART_SUITES)


def test_what_fails_there_fails_here_and_is_reported(audit: Audit, process: Beside) -> None:
    audit.file.unlink()
    audit.begin()
    with pytest.raises(duckdb.IOException, match="does not exist"):
        list(audit.held())
