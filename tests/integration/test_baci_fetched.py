"""CEPII's yearly archive, fetched by name: whole, once, and from where it broke off."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project import partial_body
from dagster_project.errors import ConfigurationError
from dagster_project.intake import ask, compare
from dagster_project.intake import batch as batches
from dagster_project.intake.command import fetch_and_report, report_requests
from dagster_project.intake.conform import conform
from dagster_project.intake.due import is_fetched, why_not_asked
from dagster_project.intake.fetch import SourceFetch
from dagster_project.intake.land import land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import RECONCILED_TRADE
from dagster_project.settings import Settings
from dagster_project.sources import baci
from dagster_project.sources.registry import source_named
from tests.fakes.baci import PAGE, ROWS, FakeCepii, archive, cut_after, file_of
from tests.fakes.server import (
    Handler,
    Reply,
    failing,
    maintenance_page,
    not_found,
    once,
)
from tests.integration.asking import start_fetch

BACI = source_named("baci")
NAME, NEWER = "BACI_HS17_V202601.zip", "BACI_HS17_V202701.zip"
ITEM = PAGE.rpartition("/")[2]
MIB = 1 << 20


@pytest.fixture(autouse=True)
def without_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The million bundled flows are compared in other tests."""
    monkeypatch.setattr(compare, "bundled_files", lambda source: [])


@pytest.fixture
def cepii() -> Iterator[FakeCepii]:
    with FakeCepii() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cepii: FakeCepii) -> Settings:
    given = {"HOME": str(tmp_path / "home"), "BACI_URL": cepii.root, "TIMEOUT_S": "5"}
    for name, value in given.items():
        monkeypatch.setenv(f"KIDO_{name}", value)
    return Settings.load()


@pytest.fixture
def fetch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`kido fetch baci`: its lines, the exit code last; without a wait between attempts."""
    monkeypatch.setattr("dagster_project.http.time.sleep", lambda seconds: None)
    run = SourceFetch.run
    monkeypatch.setattr(
        SourceFetch,
        "run",
        lambda self, plan, *given, **named: run(
            self, plan, *given, **{"sleep": lambda seconds: None, **named}
        ),
    )

    def command(**options: Any) -> list[str]:
        lines: list[str] = []
        code = fetch_and_report(settings, BACI, write=lines.append, **options)
        return [*lines, str(code)]

    return command


def snapshots(settings: Settings) -> list[Snapshot]:
    return landing_of(settings).snapshots("baci")


def rows(settings: Settings) -> pl.DataFrame:
    found = lake_of(settings).rows(RECONCILED_TRADE, "baci")
    assert found is not None
    return found.collect().sort(RECONCILED_TRADE.key)


def downloads(settings: Settings) -> list[str]:
    """What is left of downloads, with their notes."""
    return sorted(path.name for path in settings.intake_dir.glob("*.part*"))


def quarantined(settings: Settings) -> dict[str, bytes]:
    folder = settings.quarantine_dir / "baci"
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What is landed.


def test_the_newest_archive_of_hs_2017_is_landed_under_its_own_name(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]]
) -> None:
    older = file_of(archive({2024: ["2024,156,392,850511,1.000,1.000"]}, "V202501"))
    cepii.files |= {"BACI_HS17_V202501b.zip": older, "BACI_HS22_V202601.zip": older}
    said = fetch()
    assert cepii.asked == [ITEM, NAME]
    assert said[-3:] == [
        "  [1/1] BACI_HS17.zip: new, 5 rows",
        "baci: 1 new, with 2 calls.",
        "0",
    ]
    (snapshot,) = snapshots(settings)
    assert (snapshot.document, snapshot.was_fetched) == (NAME, True)
    (part,) = snapshot.parts
    assert (part.document, part.file) == (NAME, f"0001-{NAME}")
    found = rows(settings)
    assert found["document"].unique().to_list() == [NAME]
    assert found["edition"].unique().to_list() == [202601]
    assert found["hs_revision"].unique().to_list() == ["HS2017"]
    flow = found.filter(pl.col("exporter_iso3") == "NAM").to_dicts()[0]
    assert (flow["value_usd"], flow["net_weight_kg"]) == (12_500, None)
    assert (flow["hs6_code"], flow["period_start"]) == ("261210", date(2023, 1, 1))


def test_what_is_fetched_is_what_would_be_landed_by_hand(
    settings: Settings, fetch: Callable[..., list[str]], tmp_path: Path
) -> None:
    fetch()
    by_hand = Settings.load(home=tmp_path / "by hand")
    (tmp_path / NAME).write_bytes(archive())
    land_files(by_hand, BACI, [tmp_path / NAME])
    apart = ("snapshot_id", "vintage_at")
    assert_frame_equal(rows(settings).drop(apart), rows(by_hand).drop(apart))
    # The bytes are known: landing them here as well makes no further snapshot.
    assert not land_files(settings, BACI, [tmp_path / NAME]).is_new


def test_a_newer_release_is_a_snapshot_of_its_own_and_counts(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]]
) -> None:
    fetch()
    revised = {**ROWS, 2024: ["2024,156,392,850511,180000.000,4000.000", ROWS[2024][1]]}
    cepii.files[NEWER] = file_of(archive(revised, "V202701"))
    fetch(again=True)
    assert [snapshot.document for snapshot in snapshots(settings)] == [NAME, NEWER]
    assert sorted(rows(settings)["edition"].unique()) == [202601, 202701]


def test_equal_bytes_are_unchanged_and_not_parsed_again(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetch()
    assert fetch()[0].startswith("baci: nothing to request")
    for name in ("parse", "parse_blocks"):
        monkeypatch.setattr(baci, name, lambda *given: pytest.fail("was parsed"))
    assert "  [1/1] BACI_HS17.zip: unchanged, 5 rows" in fetch(again=True)
    assert len(snapshots(settings)) == 1
    assert not list((Path(settings.landing_url) / "baci" / ".unfinished").glob("*"))


def test_equal_bytes_are_new_again_after_another_file_was_landed(
    settings: Settings, fetch: Callable[..., list[str]], tmp_path: Path
) -> None:
    fetch()
    other = {2024: [ROWS[2024][0], "2024,704,392,850511,170001.000,2700.000"]}
    (tmp_path / NAME).write_bytes(archive(other))
    land_files(settings, BACI, [tmp_path / NAME])
    assert "  [1/1] BACI_HS17.zip: new, 5 rows" in fetch(again=True)
    assert len(snapshots(settings)) == 3


# What is not.


@pytest.mark.parametrize("page", ["maintenance", "other editions"])
def test_a_page_without_the_archive_is_one_sentence(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]], page: str
) -> None:
    if page == "maintenance":
        cepii.always(maintenance_page())
    else:
        cepii.files = {"BACI_HS22_V202601.zip": cepii.files[NAME]}
    said = fetch()
    assert said[1] == (
        "  [1/1] BACI_HS17.zip: rejected: baci: the page names no archive like "
        "BACI_HS17_V202601.zip. Fetch it from http://www.cepii.fr/CEPII/en/bdd_modele/"
        "bdd_modele_item.asp?id=37 by hand: kido land baci FILE."
    )
    assert said[-1] == "1"
    assert b"<html>" in quarantined(settings)["answer"]
    assert snapshots(settings) == []


def test_an_archive_that_is_gone_is_looked_for_anew_the_next_time(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]]
) -> None:
    cepii.when(lambda seen: seen.path.endswith(NAME), once(not_found()))
    assert "answered 404" in fetch()[1]
    cepii.files[NEWER] = file_of(archive(version="V202701"))
    fetch()
    assert cepii.asked == [ITEM, NAME, ITEM, NEWER]
    assert [snapshot.document for snapshot in snapshots(settings)] == [NEWER]


def test_a_page_in_place_of_the_archive_is_rejected(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]]
) -> None:
    cepii.when(lambda seen: seen.path.endswith(NAME), maintenance_page())
    assert "sent an HTML page where ZIP was expected" in fetch()[1]
    assert b"Maintenance" in quarantined(settings)["answer"]
    assert downloads(settings) == []


@pytest.mark.parametrize("is_large", [False, True])
def test_a_damaged_archive_is_quarantined_as_it_came(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    is_large: bool,
) -> None:
    if is_large:
        monkeypatch.setattr(batches, "LARGE_DOCUMENT_BYTES", 1)
    damaged = bytearray(archive(padding=3_000))
    damaged[60] ^= 255
    cepii.files[NAME] = file_of(bytes(damaged))
    assert "rejected: baci: " in fetch()[1]
    assert quarantined(settings)[f"0001-{NAME}"] == bytes(damaged)
    assert snapshots(settings) == []
    assert lake_of(settings).rows(RECONCILED_TRADE, "baci") is None


@pytest.mark.parametrize("is_large", [False, True])
def test_an_archive_that_would_shrink_known_figures_is_not_landed(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    is_large: bool,
) -> None:
    many = [f"2024,{at},392,850511,{at}.000,9.000" for at in (156, 608, 704, 410, 516)]
    cepii.files[NAME] = file_of(archive({2024: many}))
    fetch()
    if is_large:
        monkeypatch.setattr(batches, "LARGE_DOCUMENT_BYTES", 1)
        monkeypatch.setattr(batches, "MAX_ROWS_IN_MEMORY", 0)
    cepii.files[NEWER] = file_of(archive({2024: many[:1]}, "V202701"))
    said = fetch(again=True)
    assert "would replace 5 rows of 850511 2024" in said[1]
    assert f"kido land baci 0001-{NEWER} --replace" in said[1]
    assert [snapshot.document for snapshot in snapshots(settings)] == [NAME]
    assert quarantined(settings)[f"0001-{NEWER}"] == cepii.files[NEWER].body
    assert not settings.spool_dir.exists() or not list(settings.spool_dir.iterdir())


# What breaks off.


def serve_a_thousand_bytes_a_time(cepii: FakeCepii, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transfer of the archive (over 20,000 bytes) ends after a thousand."""
    monkeypatch.setattr(partial_body, "LEAST_BYTES", 1_000)
    cepii.files[NAME] = file_of(archive(padding=20_000))
    cepii.when(lambda seen: seen.path.endswith(NAME), cut_after(1_000))


def test_a_transfer_that_keeps_breaking_goes_on_with_the_next_command(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_a_thousand_bytes_a_time(cepii, monkeypatch)
    said = fetch()
    # Five attempts of a thousand bytes each.
    assert "no answer: " in said[1]
    assert "after 5 attempts: " in said[1]
    assert "; 0.005 of " in said[1]
    (part, note) = downloads(settings)
    assert (settings.intake_dir / part).read_bytes() == cepii.files[NAME].body[:5_000]
    assert note == f"{part}.json"

    cepii.always(None)
    before = len(cepii.requests)
    assert "  [1/1] BACI_HS17.zip: new, 5 rows" in fetch()
    assert cepii.asked[before:] == [f"{NAME} bytes=5000-"]
    assert downloads(settings) == []
    (snapshot,) = snapshots(settings)
    path = Path(settings.landing_url) / "baci" / snapshot.snapshot_id / snapshot.parts[0].file
    assert path.read_bytes() == cepii.files[NAME].body


def test_a_small_answer_that_breaks_off_leaves_nothing(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]]
) -> None:
    cepii.when(lambda seen: seen.path.endswith(NAME), cut_after(500))
    assert "no answer: " in fetch()[1]
    assert downloads(settings) == []


def test_a_killed_fetch_goes_on_from_the_bytes_on_the_disk(
    settings: Settings, cepii: FakeCepii, fetch: Callable[..., list[str]]
) -> None:
    body = archive(padding=9 * MIB)
    cepii.files[NAME] = file_of(body)
    process: list[Any] = []

    def kill_in_the_middle(handler: Handler, reply: Reply) -> None:
        handler.write_head(reply)
        handler.wfile.write(reply.body[: 5 * MIB])
        handler.wfile.flush()
        for _ in range(2_000):
            part = next(iter(settings.intake_dir.glob("*.part")), None)
            if part and part.stat().st_size >= 4 * MIB:
                break
            handler.publisher.stopping.wait(0.01)
        process[0].kill()
        handler.close_connection = True

    cepii.when(lambda seen: seen.path.endswith(NAME), once(kill_in_the_middle))
    environment = {"KIDO_HOME": str(settings.home), "KIDO_BACI_URL": cepii.root}
    process.append(start_fetch("dagster_project.sources.baci", environment))
    process[0].join(120)
    assert process[0].exitcode == -9
    (part, _note) = downloads(settings)
    received = (settings.intake_dir / part).stat().st_size
    assert 4 * MIB <= received <= 5 * MIB

    fetch()
    assert cepii.asked == [ITEM, NAME, f"{NAME} bytes={received}-"]
    (snapshot,) = snapshots(settings)
    assert (snapshot.bytes, snapshot.sha256) == (len(body), sha256(body))
    assert downloads(settings) == []


def test_an_archive_that_changed_since_the_kill_is_fetched_whole(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_a_thousand_bytes_a_time(cepii, monkeypatch)
    fetch()
    cepii.always(None)
    corrected = archive({2024: ["2024,156,392,850511,7.000,1.000"]}, padding=20_000)
    cepii.files[NAME] = file_of(corrected)
    assert "  [1/1] BACI_HS17.zip: new, 1 row" in fetch()
    assert snapshots(settings)[0].sha256 == sha256(corrected)


def test_a_part_that_is_too_old_to_go_on_with_is_removed(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_a_thousand_bytes_a_time(cepii, monkeypatch)
    fetch()
    assert len(downloads(settings)) == 2
    monkeypatch.setattr(ask, "RESUMABLE_FOR", timedelta())
    cepii.always(failing(503))
    fetch()
    assert cepii.asked[-1] == ITEM
    assert downloads(settings) == []


# What is too large for memory.


def test_an_archive_is_read_by_blocks_as_it_is_read_at_once(
    settings: Settings,
    cepii: FakeCepii,
    fetch: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("KIDO_SCOPE", "all")
    numbers = ("156", "392", "410", "608", "704")
    lines = {
        year: [
            f"{year},{one},{other},{code},{at}.125,{year - 2000}.5"
            for at, code in enumerate(("850511", "010121", "870323"), start=1)
            for one in numbers for other in numbers if one != other
        ]
        for year in (2023, 2024)
    }  # fmt: skip
    cepii.files[NAME] = file_of(archive(lines))
    at_once = Settings.load(home=tmp_path / "at once")
    whole = SourceFetch(at_once, BACI)
    assert whole.run(whole.plan_due()).landed_rows == 2 * 5 * 4 * 3
    conform(at_once, BACI)
    monkeypatch.setattr(batches, "LARGE_DOCUMENT_BYTES", 1)
    monkeypatch.setattr(batches, "MAX_ROWS_IN_MEMORY", 10)
    by_blocks = SourceFetch(Settings.load(), BACI)
    (result,) = by_blocks.run(by_blocks.plan_due()).settled
    assert (result.outcome, result.rows) == ("new", 2 * 5 * 4 * 3)
    assert conform(Settings.load(), BACI).parsed == 0
    apart = ("snapshot_id", "vintage_at")
    assert_frame_equal(rows(settings).drop(apart), rows(at_once).drop(apart))
    assert not list(settings.spool_dir.iterdir())
    # Read again from the landing, in another scope: by blocks, too.
    monkeypatch.setenv("KIDO_SCOPE", "87")
    monkeypatch.setattr(baci, "parse", lambda *given: pytest.fail("was read at once"))
    assert conform(Settings.load(), BACI).rows == {"reconciled_trade": 2 * 5 * 4 * 2}
    again = SourceFetch(Settings.load(), BACI)
    (result,) = again.run(again.plan_windows((), again=True)).settled
    assert (result.outcome, result.rows) == ("unchanged", 2 * 5 * 4 * 2)


def test_memory_does_not_grow_with_the_archive(settings: Settings, cepii: FakeCepii) -> None:
    def peak_mib(packed: int) -> float:
        cepii.files[NAME] = file_of(archive(padding=packed * MIB))
        one = SourceFetch(settings, BACI)
        plan = one.plan_windows((), again=True)
        tracemalloc.start()
        fetched = one.run(plan)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert not fetched.failed
        return peak / MIB

    peak_mib(17)  # with what is imported and cached once
    small, large = peak_mib(18), peak_mib(68)
    assert large < small + 10, (small, large)


# How it is offered.


def test_it_is_asked_only_by_name(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_fetched(settings, BACI)
    assert why_not_asked(settings, BACI) == "only by name: kido fetch baci"
    monkeypatch.setenv("KIDO_BACI_ENABLED", "true")
    with pytest.raises(ConfigurationError, match="type kido fetch baci"):
        is_fetched(Settings.load(), BACI)


def test_a_dry_run_names_what_would_be_asked(settings: Settings, cepii: FakeCepii) -> None:
    lines: list[str] = []
    report_requests(settings, BACI, write=lines.append)
    assert lines[0] == (
        "baci: BACI_HS17.zip: 1 call, and more where an answer has pages or leads to files."
    )
    assert cepii.requests == []


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
