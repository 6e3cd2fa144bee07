"""One publisher stops nobody else: a build with a silent one, one that sends HTML, a good one.

The catalogue was edited since the build before: what is new of it is published all the same.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.orchestration.keys import landing_key
from tests.e2e.conftest import BUNDLED, start_kido
from tests.e2e.work import BASIC, PASSWORD, Work, publishers_in_trouble, with_lists
from tests.fakes.comtrade import as_json, flows_for
from tests.nightly import nightly


def test_the_build_publishes_with_the_figures_of_the_one_that_is_well(work: Work) -> None:
    assert work.query(
        "select partner_iso3, value_usd from trade.reported_flows where source = 'made_up' "
        "and period_start = '2024-01-01' order by all"
    ) == [("CHN", 75.0), ("VNM", 25.0)]
    # The bundled figures of the two others are there as before.
    assert work.query("select count(*) > 10000 from market.prices where source = 'ecb'") == [
        (True,)
    ]


def test_no_file_of_the_warehouse_holds_what_a_server_repeated_of_its_password(work: Work) -> None:
    assert any(
        request["headers"].get("authorization") == f"Basic {BASIC}"
        for request in work.seen["confused"]
    )
    # A journal that vanishes is folded into its database, which is read after it.
    files = sorted(path for path in work.home.rglob("*") if path.is_file())[::-1]
    held = {path: path.read_bytes() for path in files if path.exists()}
    assert any(path.suffix == ".db" for path in files)  # the event log
    result = work.printed["build"]
    for words in (PASSWORD, BASIC):
        assert words not in result.stdout + result.stderr
        assert [path for path, body in held.items() if words.encode() in body] == []


def test_the_catalog_reports_how_each_of_them_answered(work: Work) -> None:
    assert work.query(
        "select source, last_answer, last_asked_at is not null from catalog.sources "
        "where source in ('comtrade', 'ecb', 'made_up', 'baci') order by source"
    ) == [
        ("baci", "not_asked", False),
        ("comtrade", "no_answer", True),
        ("ecb", "rejected", True),
        ("made_up", "ok", True),
    ]


def test_the_failures_are_red_checks_with_the_reason(work: Work) -> None:
    output = " ".join(work.printed["build"].stderr.split())
    assert "✗ landing/comtrade: publisher_answered: no answer" in output
    assert "did not answer in time" in output
    assert "✗ landing/ecb: publisher_answered: rejected" in output
    assert "HTML page" in output
    assert "landing/made_up: publisher_answered" not in output
    with dg.DagsterInstance.from_config(str(work.home / "dagster")) as instance:
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(landing_key(name), "publisher_answered") for name in
             ("comtrade", "ecb", "made_up")]
        )  # fmt: skip
    results = {key.asset_key.path[-1]: record.evaluation for key, record in found.items()}
    assert {name: one.passed for name, one in results.items() if one} == {
        "comtrade": False, "ecb": False, "made_up": True,
    }  # fmt: skip
    failed = results["comtrade"]
    assert failed
    assert failed.severity == dg.AssetCheckSeverity.ERROR


def test_the_silent_one_was_asked_once_and_what_the_other_sent_is_kept_with_the_reason(
    work: Work,
) -> None:
    assert len(work.seen["silent"]) == 1
    (folder,) = (work.home / "quarantine" / "ecb").iterdir()
    assert b"<html>" in (folder / "answer").read_bytes()
    assert "HTML" in (folder / "reason.txt").read_text()


def test_a_measure_is_one_edit_of_the_catalogue_and_a_build(work: Work) -> None:
    assert work.query(
        "select status, valid_from::varchar, valid_to::varchar, hs6_codes, minerals "
        "from exposure.measure_timeline where clause_id = 'CN-2026-99' order by valid_from"
    ) == [
        ("announced", "2026-11-20", "2026-11-24", ["740311"], ["copper"]),
        ("in_force", "2026-11-24", None, ["740311"], ["copper"]),
    ]
    ((low, high, bought),) = work.query(
        "select exposed_value_low_usd, exposed_value_high_usd, baseline_value_usd "
        "from exposure.importer_exposure "
        "where clause_id = 'CN-2026-99' and importer_iso3 = 'DEU'"
    )
    # The whole code is under licence: all that Germany bought of China in 2024.
    assert low == high == bought == pytest.approx(1_345_781)


# What comes of it later.


@pytest.fixture
def later(work: Work, tmp_path: Path) -> Path:
    """A copy of the home that a test may change."""
    (tmp_path / BUNDLED).symlink_to(work.folder / BUNDLED)
    return Path(shutil.copytree(work.home, tmp_path / "home"))


def kido(
    work: Work, home: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    prepare = partial(with_lists, work.folder / "economies.csv")
    return start_kido(home, *arguments, prepare=prepare, **settings).wait()


@nightly
def test_landed_rows_count_whether_or_not_the_source_is_switched_on(
    work: Work, later: Path, tmp_path: Path
) -> None:
    file = tmp_path / "japan.json"
    flows = flows_for([392], [156, 704, 842], ["284690"], ["2019"], gaps=0)
    imports = sum(flow.flow == "M" for flow in flows)
    assert imports > 1
    file.write_bytes(as_json(flows))
    landed = kido(work, later, "land", "comtrade", str(file), KIDO_CHECK_NAMES="false")
    assert landed.returncode == 0, landed.stderr
    result = kido(work, later, "build", KIDO_CHECK_NAMES="false")
    assert result.returncode == 0, result.stderr
    with duckdb.connect(str(later / "kido.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "select count(*) from trade.reported_flows where source = 'comtrade' "
            "and period_start = '2019-01-01' and flow = 'import'"
        ).fetchall() == [(imports,)]
        assert connection.execute(
            "select enabled from catalog.sources where source = 'comtrade'"
        ).fetchall() == [(True,)]


@nightly
def test_asking_again_without_news_publishes_nothing_anew(work: Work, later: Path) -> None:
    """One of them is still silent, so it is asked again; the published file shows it already."""
    published = (later / "kido.duckdb").read_bytes()
    with publishers_in_trouble() as publishers:
        again = kido(work, later, "build", **publishers.environment)
        assert again.returncode == 0, again.stderr
        assert "Nothing is new since the published release." in again.stderr
        assert "marts built" not in again.stderr
        assert publishers.silent.requests
        assert (later / "kido.duckdb").read_bytes() == published
        # Who insists gets a build.
        forced = kido(work, later, "build", "--full", **publishers.environment)
        assert "marts built" in forced.stderr
