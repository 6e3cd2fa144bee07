"""A notice on gallium of today, from MOFCOM's list to the page, and gone after one line of YAML."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.keys import PUBLISHED
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.e2e.conftest import BUNDLED, run_kido, start_kido
from tests.e2e.work import ACT, KNOWN, NUMBER, TITLE, TODAY, Work, fetch_notices, with_lists
from tests.fakes.mofcom import Entry
from tests.nightly import nightly

CATALOGUE = CHECKOUT / "dagster_project" / "bundled" / "catalogue"
LINE = f"  - {{source: mofcom, notices: ['{NUMBER}'], reason: a test, decided: {TODAY}}}\n"


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
    key = dg.AssetCheckKey(PUBLISHED, "notices_are_read")
    with open_instance(Settings.load(home=home)) as instance:
        [newest] = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert newest.event is not None
    evaluation = newest.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    assert evaluation.passed
    return evaluation.metadata["to_be_read"].value


WARNINGS = "from exposure.early_warnings where signal = 'new_notice'"


def test_a_notice_of_today_is_to_be_read(work: Work) -> None:
    states = work.query(
        "select notice_id, state, clause_id, act from exposure.notices where source = 'mofcom' "
        "order by 1"
    )
    assert states == [
        ("2026-1", "known", "CN-2026-1", "MOFCOM 2026-1"),
        (f"2026-{ACT}", "to_be_read", None, f"MOFCOM 2026-{ACT}"),
        ("2026-986", "not_relevant", None, "MOFCOM 2026-986"),
        (NUMBER, "to_be_read", None, f"MOFCOM {NUMBER}"),
    ]
    printed, built = work.printed["notices"].stdout, work.printed["build"]
    assert f"{TODAY}  mofcom {NUMBER}" in printed
    assert "42 notices to be read." in printed
    assert f"mofcom {NUMBER} of {TODAY} (gallium)" in built.stdout
    assert "42 official notices are to be read: kido notices" in built.stderr
    assert unread_by_the_check(work.home) == 42
    of_japan = work.query(
        f"select commodity_code, value {WARNINGS} and importer_iso3 = 'JPN' "
        "and explanation like '%987%'"
    )
    assert ("811292", 1.0) in of_japan
    assert work.query(f"select distinct supplier_iso3 {WARNINGS}") == [("CHN",)]
    assert f"mofcom {NUMBER} is to be read: {TITLE}"[:60] in built.stdout
    assert f"mofcom {NUMBER} is to be read" in shown_on_the_published_asset(work.home)


@nightly
def test_a_notice_is_to_be_read_until_one_line_decides(work: Work, tmp_path: Path) -> None:
    (tmp_path / BUNDLED).symlink_to(work.folder / BUNDLED)
    home = Path(shutil.copytree(work.home, tmp_path / "home"))
    decided = tmp_path / "notices.yaml"
    text = (CATALOGUE / "notices.yaml").read_text("utf8")
    decided.write_text(text.replace("\n...\n", f"\n{LINE}\n...\n"), "utf8")
    landed = run_kido(home, "land", "catalogue", str(decided))
    assert landed.returncode == 0, landed.stderr
    prepare = partial(with_lists, work.folder / "economies.csv")
    built = start_kido(home, "build", prepare=prepare).wait()
    assert built.returncode == 0, built.stderr

    assert asked(
        home, f"select state, because from exposure.notices where notice_id = '{NUMBER}'"
    ) == [("not_relevant", "a test")]
    assert NUMBER not in run_kido(home, "notices").stdout
    assert NUMBER not in built.stdout
    line = "JPN: Official notices to be read"
    # Among them are those of a private source, of which no figure is passed on.
    assert news_of_the_release(home) == [("figure", line, None, None)]
    assert "41 official notices are to be read: kido notices" in built.stderr
    assert unread_by_the_check(home) == 41
    assert asked(home, f"select count(*) {WARNINGS} and explanation like '%987%'") == [(0,)]


@nightly
def test_a_replay_knows_what_was_public_though_it_was_retrieved_later(
    home: Path, tmp_path: Path
) -> None:
    """Retrieved and decided today: a build of a month ago shows the notice of that day, unread."""
    day, before, after = (datetime.now(UTC).date() - timedelta(days=n) for n in (30, 31, 29))
    titles = [
        Entry(f"商务部公告2026年第{number}号 公布对镓相关物项实施出口管制的决定", f"{published}")
        for number, published in ((981, before), (982, before), (983, after))
    ]
    fetched = fetch_notices(home, *titles, KNOWN)
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
