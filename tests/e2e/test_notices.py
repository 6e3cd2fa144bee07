"""A notice on gallium of today, from MOFCOM's list to the page, and gone after one line of YAML."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.keys import PUBLISHED
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.e2e.conftest import run_kido
from tests.fakes.mofcom import COLUMN, Entry, FakeMofcom

CATALOGUE = CHECKOUT / "dagster_project" / "bundled" / "catalogue"
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
NUMBER = f"{datetime.now(UTC):%Y}-987"
TITLE = f"商务部 海关总署公告{NUMBER[:4]}年第987号 公布对镓相关物项实施出口管制的决定"
KNOWN = Entry("商务部公告2026年第1号 关于加强两用物项对日本出口管制的公告", "2026-01-06")
TYRES = Entry("商务部公告2026年第986号 关于轮胎反倾销调查的公告", "2026-01-08")
LINE = f"  - {{source: mofcom, notices: ['{NUMBER}'], reason: a test, decided: {TODAY}}}\n"
NOT_ONE = "Nothing is to be read of mofcom.\n"


def asked(home: Path, sql: str, file: str = "kido.duckdb") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def news_of_the_release(home: Path) -> list[tuple[Any, ...]]:
    """All that `catalog.changes` says of the current release."""
    return asked(
        home,
        "select kind, subject, before, after from catalog.changes "
        "where release_id = (select max(release_id) from catalog.releases) order by position",
    )


def shown_on_the_published_asset(home: Path) -> str:
    """What is new, as the UI shows it with the newest release."""
    with open_instance(Settings.load(home=home)) as instance:
        newest = instance.get_latest_materialization_event(PUBLISHED)
    assert newest is not None
    assert newest.asset_materialization is not None
    return str(newest.asset_materialization.metadata["changes"].value)


def unread_by_the_check(home: Path) -> object:
    """What the check of the newest run shows in the UI."""
    key = dg.AssetCheckKey(dg.AssetKey(["exposure", "notices"]), "notices_are_read")
    with open_instance(Settings.load(home=home)) as instance:
        [newest] = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert newest.event is not None
    evaluation = newest.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    assert evaluation.passed
    return evaluation.metadata["to_be_read"].value


def test_a_notice_of_today_is_to_be_read_until_one_line_decides(home: Path, tmp_path: Path) -> None:
    with FakeMofcom() as ministry:
        ministry.columns[COLUMN] = [Entry(TITLE, TODAY), TYRES, KNOWN]
        fetched = run_kido(
            home, "fetch", "mofcom",
            KIDO_MOFCOM_URL=ministry.base_url, KIDO_MOFCOM_CALLS_PER_MINUTE="6000",
        )  # fmt: skip
    assert fetched.returncode == 0, fetched.stderr
    built = run_kido(home, "build")
    assert built.returncode == 0, built.stderr

    states = asked(home, "select notice_id, state, clause_id, act from exposure.notices order by 1")
    assert states == [
        ("2026-1", "known", "CN-2026-1", "MOFCOM 2026-1"),
        ("2026-986", "not_relevant", None, "MOFCOM 2026-986"),
        (NUMBER, "to_be_read", None, f"MOFCOM {NUMBER}"),
    ]
    printed = run_kido(home, "notices").stdout
    assert f"{TODAY}  mofcom {NUMBER}" in printed
    assert "1 notice to be read." in printed
    assert f"mofcom {NUMBER} of {TODAY} (gallium)" in built.stdout
    assert "1 official notice is to be read: kido notices" in built.stderr
    assert unread_by_the_check(home) == 1
    warnings = "from exposure.early_warnings where signal = 'new_notice'"
    of_japan = asked(home, f"select commodity_code, value {warnings} and importer_iso3 = 'JPN'")
    assert ("811292", 1.0) in of_japan
    assert asked(home, f"select distinct supplier_iso3 {warnings}") == [("CHN",)]
    assert news_of_the_release(home) == [("notice", f"mofcom {NUMBER}", None, "to_be_read")]
    assert f"mofcom {NUMBER} is to be read: {TITLE}"[:60] in built.stdout
    assert f"mofcom {NUMBER} is to be read" in shown_on_the_published_asset(home)

    decided = tmp_path / "notices.yaml"
    text = (CATALOGUE / "notices.yaml").read_text("utf8")
    decided.write_text(text.replace("\n...\n", f"\n{LINE}\n...\n"), "utf8")
    landed = run_kido(home, "land", "catalogue", str(decided))
    assert landed.returncode == 0, landed.stderr
    built = run_kido(home, "build")
    assert built.returncode == 0, built.stderr

    assert asked(
        home, f"select state, because from exposure.notices where notice_id = '{NUMBER}'"
    ) == [("not_relevant", "a test")]
    assert run_kido(home, "notices").stdout == NOT_ONE
    assert "every notice on a mineral is known or not relevant" in built.stdout
    line = "JPN: Official notices to be read"
    assert news_of_the_release(home) == [
        ("figure", line, f"1 notice ({TODAY})", f"0 notices ({TODAY})")
    ]
    assert "to be read: kido notices" not in built.stderr
    assert unread_by_the_check(home) == 0
    assert asked(home, f"select count(*) {warnings}") == [(0,)]


def test_a_replay_knows_what_was_public_though_it_was_retrieved_later(
    home: Path, tmp_path: Path
) -> None:
    """Retrieved and decided today: a build of a month ago shows the notice of that day, unread."""
    day, before, after = (datetime.now(UTC).date() - timedelta(days=n) for n in (30, 31, 29))
    titles = [
        Entry(f"商务部公告2026年第{number}号 公布对镓相关物项实施出口管制的决定", f"{published}")
        for number, published in ((981, before), (982, before), (983, after))
    ]
    with FakeMofcom() as ministry:
        ministry.columns[COLUMN] = [*titles, KNOWN]
        fetched = run_kido(
            home, "fetch", "mofcom",
            KIDO_MOFCOM_URL=ministry.base_url, KIDO_MOFCOM_CALLS_PER_MINUTE="6000",
        )  # fmt: skip
    assert fetched.returncode == 0, fetched.stderr
    decided = tmp_path / "notices.yaml"
    lines = "".join(
        f"  - {{source: mofcom, notices: ['2026-{number}'], reason: a test, decided: {known}}}\n"
        for number, known in ((981, before), (982, TODAY))
    )
    text = (CATALOGUE / "notices.yaml").read_text("utf8")
    decided.write_text(text.replace("\n...\n", f"\n{lines}\n...\n"), "utf8")
    landed = run_kido(home, "land", "catalogue", str(decided))
    assert landed.returncode == 0, landed.stderr
    built = run_kido(home, "build", "--as-of", f"{day}")
    assert built.returncode == 0, built.stderr

    states = asked(
        home, "select notice_id, state from exposure.notices order by 1",
        f"as_of/kido-{day}.duckdb",
    )  # fmt: skip
    assert states == [
        ("2026-1", "known"), ("2026-981", "not_relevant"), ("2026-982", "to_be_read"),
    ]  # fmt: skip
    printed = run_kido(home, "notices", "--as-of", f"{day}").stdout
    assert f"{before}  mofcom 2026-982" in printed
    assert "1 notice to be read." in printed
    assert f"mofcom 2026-982 of {before} (gallium)" in built.stdout
