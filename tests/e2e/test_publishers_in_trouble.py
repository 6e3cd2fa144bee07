"""One publisher stops nobody else: a build with a silent one, one that sends HTML, a good one.

The catalogue was edited since the build before: what is new of it is published all the same.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.orchestration.keys import landing_key
from tests.e2e.conftest import BUNDLED, copy_of, start_kido
from tests.fakes import paged
from tests.fakes.comtrade import FakeComtrade, as_json, flows_for
from tests.fakes.ecb import FakeEcb
from tests.fakes.paged import FakePaged
from tests.fakes.server import repeating, silent
from tests.nightly import nightly

PASSWORD = "pa55word-of-the-mirror"
BASIC = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
FLOWS = [("JPN", "CHN", "284690", 75.0), ("JPN", "VNM", "284690", 25.0)]


@dataclass
class Publishers:
    silent: FakeComtrade
    confused: FakeEcb
    well: FakePaged

    @property
    def environment(self) -> dict[str, str]:
        return {
            "KIDO_CHECK_NAMES": "false",
            "KIDO_TIMEOUT_S": "1",
            "KIDO_COMTRADE_URL": self.silent.root,
            "KIDO_COMTRADE_KEY": "secret",
            "KIDO_ECB_URL": self.confused.root.replace("://", f"://reader:{PASSWORD}@"),
            "KIDO_ECB_ENABLED": "true",
            "KIDO_MADE_UP_URL": self.well.root,
            "KIDO_MADE_UP_ENABLED": "true",
        }


@pytest.fixture(scope="module")
def publishers() -> Iterator[Publishers]:
    with (
        FakeComtrade(key="secret") as no_answer,
        FakeEcb() as confused,
        FakePaged({"2024": FLOWS, "2025": FLOWS}) as well,
    ):
        no_answer.always(silent())
        confused.always(repeating(f"Maintenance for {PASSWORD}, Basic {BASIC}", 200, "text/html"))
        yield Publishers(no_answer, confused, well)


def kido(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return start_kido(home, *arguments, prepare=paged.add, **environment).wait()


ADDED = """
  - measure: CN-2026-99
    title: Export licensing of cerium compounds
    implementer: CHN
    official_reference: 99/2026
    direction: restrict
    gta_code: "35"
    clauses:
      - clause: CN-2026-99
        announced: 2026-11-20
        effective: 2026-11-24
        evidence: official
        scope:
          - codes: ["284610"]
            minerals: [cerium]
            share: [1, 1]
            basis: whole_code
"""


def with_a_measure_more(source: Path, folder: Path) -> None:
    """Bundled files like those of `source`, with one edit of the catalogue."""
    folder.mkdir()
    for item in source.iterdir():
        if item.name == "catalogue":
            shutil.copytree(item, folder / item.name)
        else:
            (folder / item.name).symlink_to(item)
    measures = folder / "catalogue" / "measures.yaml"
    text = measures.read_text("utf8")
    assert text.endswith("\n...\n")
    measures.write_text(text.removesuffix("...\n") + ADDED + "...\n", "utf8")


@pytest.fixture(scope="module")
def built(
    publishers: Publishers, few_flows: Path, small: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A build in a home that is published already: what is bundled is landed and typed there."""
    folder = tmp_path_factory.mktemp("trouble")
    with_a_measure_more(few_flows, folder / BUNDLED)
    home = copy_of(small, folder)
    return home, kido(home, "build", **publishers.environment)


def ask(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_the_build_publishes_with_the_figures_of_the_one_that_is_well(
    built: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, result = built
    assert result.returncode == 0, result.stderr
    assert ask(
        home,
        "select partner_iso3, value_usd from trade.reported_flows where source = 'made_up' "
        "and period_start = '2024-01-01' order by all",
    ) == [("CHN", 75.0), ("VNM", 25.0)]
    # The bundled figures of the two others are there as before.
    assert ask(home, "select count(*) > 10000 from market.prices where source = 'ecb'") == [(True,)]


def test_no_file_of_the_warehouse_holds_what_a_server_repeated_of_its_password(
    publishers: Publishers, built: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    home, result = built
    assert any(
        request.headers.get("authorization") == f"Basic {BASIC}"
        for request in publishers.confused.requests
    )
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)  # the event log
    for words in (PASSWORD, BASIC):
        assert words not in result.stdout + result.stderr
        assert [path for path in files if words.encode() in path.read_bytes()] == []


def test_the_catalog_reports_how_each_of_them_answered(
    built: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, _ = built
    assert ask(
        home,
        "select source, last_answer, last_asked_at is not null from catalog.sources "
        "where source in ('comtrade', 'ecb', 'made_up', 'baci') order by source",
    ) == [
        ("baci", "not_asked", False),
        ("comtrade", "no_answer", True),
        ("ecb", "rejected", True),
        ("made_up", "ok", True),
    ]


def test_the_failures_are_red_checks_with_the_reason(
    built: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, result = built
    output = " ".join(result.stderr.split())
    assert "✗ landing/comtrade: publisher_answered: no answer" in output
    assert "did not answer in time" in output
    assert "✗ landing/ecb: publisher_answered: rejected" in output
    assert "HTML page" in output
    assert "landing/made_up: publisher_answered" not in output
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
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
    built: tuple[Path, subprocess.CompletedProcess[str]], publishers: Publishers
) -> None:
    home, _ = built
    assert len(publishers.silent.requests) == 1
    (folder,) = (home / "quarantine" / "ecb").iterdir()
    assert b"<html>" in (folder / "answer").read_bytes()
    assert "HTML" in (folder / "reason.txt").read_text()


def test_a_measure_is_one_edit_of_the_catalogue_and_a_build(
    built: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, _ = built
    assert ask(
        home,
        "select status, valid_from::varchar, valid_to::varchar, hs6_codes, minerals "
        "from exposure.measure_timeline where clause_id = 'CN-2026-99' order by valid_from",
    ) == [
        ("announced", "2026-11-20", "2026-11-24", ["284610"], ["cerium"]),
        ("in_force", "2026-11-24", None, ["284610"], ["cerium"]),
    ]
    ((low, high, bought),) = ask(
        home,
        "select exposed_value_low_usd, exposed_value_high_usd, baseline_value_usd "
        "from exposure.importer_exposure "
        "where clause_id = 'CN-2026-99' and importer_iso3 = 'DEU'",
    )
    # The whole code is under licence: all that Germany bought of China in 2024. Of Japan there is a
    # newer year, which was asked for cerium and has none.
    ((expected,),) = ask(
        home,
        "select sum(value_usd) from trade.baci_flows where exporter_iso3 = 'CHN' "
        "and importer_iso3 = 'DEU' and hs6_code = '284610' and year = 2024",
    )
    assert low == high == bought == pytest.approx(expected)


@nightly
def test_landed_rows_count_whether_or_not_the_source_is_switched_on(
    built: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    home, _ = built
    file = tmp_path / "japan.json"
    flows = flows_for([392], [156, 704, 842], ["284690"], ["2019"], gaps=0)
    imports = sum(flow.flow == "M" for flow in flows)
    assert imports > 1
    file.write_bytes(as_json(flows))
    landed = kido(home, "land", "comtrade", str(file), KIDO_CHECK_NAMES="false")
    assert landed.returncode == 0, landed.stderr
    result = kido(home, "build", KIDO_CHECK_NAMES="false")
    assert result.returncode == 0, result.stderr
    assert ask(
        home,
        "select count(*) from trade.reported_flows where source = 'comtrade' "
        "and period_start = '2019-01-01' and flow = 'import'",
    ) == [(imports,)]
    assert ask(home, "select enabled from catalog.sources where source = 'comtrade'") == [(True,)]


@nightly
def test_asking_again_without_news_publishes_nothing_anew(
    publishers: Publishers, built: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """One of them is still silent, so it is asked again; the published file shows it already."""
    (tmp_path / BUNDLED).symlink_to(built[0].parent / BUNDLED)
    home = Path(shutil.copytree(built[0], tmp_path / "home"))
    published = (home / "kido.duckdb").read_bytes()
    asked = len(publishers.silent.requests)
    again = kido(home, "build", **publishers.environment)
    assert again.returncode == 0, again.stderr
    assert "Nothing is new since the published release." in again.stderr
    assert "marts built" not in again.stderr
    assert len(publishers.silent.requests) > asked
    assert (home / "kido.duckdb").read_bytes() == published
    # Who insists gets a build.
    forced = kido(home, "build", "--force", **publishers.environment)
    assert "marts built" in forced.stderr
