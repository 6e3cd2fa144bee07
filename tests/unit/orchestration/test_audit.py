"""The audit in a process beside: the same results, or the audit is held here."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lake.scope import CommodityScope
from dagster_project.orchestration import audit as audits
from dagster_project.orchestration.audit import Ahead, Audit
from dagster_project.quality.mart_suites import MART_SUITES
from dagster_project.quality.results import CheckResult, to_json

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


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    made = Ahead()
    yield made
    made.end()


@pytest.fixture
def held_here(monkeypatch: pytest.MonkeyPatch) -> list[Audit]:
    """The audits that were held in this process."""
    held: list[Audit] = []
    here = Audit.held_here

    def note(audit: Audit) -> Any:
        held.append(audit)
        return here(audit)

    monkeypatch.setattr(Audit, "held_here", note)
    return held


def in_words(found: Any) -> dict[str, list[dict[str, Any]]]:
    pairs: Iterator[tuple[str, list[CheckResult]]] = iter(found)
    return {name: to_json(results) for name, results in pairs}


def test_the_process_beside_finds_what_is_found_here(
    audit: Audit, ahead: Ahead, held_here: list[Audit]
) -> None:
    ahead.begin(audit)
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


def test_its_results_are_taken_once(audit: Audit, ahead: Ahead, held_here: list[Audit]) -> None:
    ahead.begin(audit)
    first = in_words(audit.held())
    assert in_words(audit.held()) == first
    assert held_here == [audit]


def test_an_audit_of_another_day_is_held_here(
    audit: Audit, ahead: Ahead, held_here: list[Audit]
) -> None:
    ahead.begin(audit)
    tomorrow = replace(audit, today=date(2026, 11, 26))
    assert list(in_words(tomorrow.held())) == list(MART_SUITES)
    assert held_here == [tomorrow]


@pytest.mark.parametrize("is_asked_first", [True, False])
def test_where_it_is_killed_the_audit_is_held_here(
    audit: Audit, ahead: Ahead, held_here: list[Audit], is_asked_first: bool
) -> None:
    kill: Callable[[], None] = ahead._process.kill
    if is_asked_first:
        ahead.begin(audit)
        kill()
    else:
        kill()
        ahead._process.wait()
        ahead.begin(audit)
    assert list(in_words(audit.held())) == list(MART_SUITES)
    assert held_here == [audit]


def test_what_fails_there_fails_here_and_is_told(audit: Audit, ahead: Ahead) -> None:
    audit.file.unlink()
    ahead.begin(audit)
    with pytest.raises(duckdb.IOException, match="does not exist"):
        list(audit.held())


def test_it_is_stopped_at_once(ahead: Ahead) -> None:
    ahead.end()
    assert ahead._process.returncode is not None
    ahead.end()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("seconds", [0, 6])
def test_it_ends_with_the_process_that_started_it(seconds: int) -> None:
    script = (
        "import os, time; from dagster_project.orchestration.audit import Ahead\n"
        f"print(Ahead()._process.pid, flush=True); time.sleep({seconds}); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    number = int(ended.stdout)
    until = time.monotonic() + 60
    while is_running(number) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(number)


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_there_is_none_with_one_core_or_where_the_import_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    monkeypatch.setattr(audits.Ahead, "__init__", lambda self: made.append("one"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.delitem(sys.modules, "great_expectations", raising=False)
    assert Ahead.if_worthwhile()
    assert made == ["one"]
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert Ahead.if_worthwhile() is None
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setitem(sys.modules, "great_expectations", sys)
    assert Ahead.if_worthwhile() is None
    assert made == ["one"]
