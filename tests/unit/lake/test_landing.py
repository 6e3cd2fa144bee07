"""Snapshots are kept as received; unchanged bytes make no new vintage; nothing is lost."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.errors import KidoError
from dagster_project.lake import landing as landing_module
from dagster_project.lake.landing import (
    LEFTOVER_AGE,
    AskedSlices,
    Landing,
    Origin,
    Part,
    Period,
    Snapshot,
    file_name,
)
from dagster_project.lake.store import Store

ORIGIN = Origin(
    producer="European Central Bank",
    citation="ECB, euro reference rates",
    licence="free with attribution",
    licence_url="https://example.org/licence",
    url="https://example.org/rates",
)
# The hash of "abc", from FIPS 180.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

BEFORE_PARTS = """{
  "snapshot_id": "ecb-20260204T101112000001-ba7816bf",
  "source": "ecb",
  "document": "EUR rates (hist).zip",
  "retrieved_at": "2026-02-04T10:11:12",
  "landed_at": "2026-02-04T10:11:12.000001",
  "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "bytes": 3,
  "media_type": "application/zip",
  "request": "GET https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip",
  "is_bundled": false,
  "origin": {
    "producer": "European Central Bank",
    "citation": "ECB, euro reference rates",
    "licence": "free with attribution",
    "licence_url": "https://example.org/licence",
    "url": "https://example.org/rates",
    "left_out": ""
  },
  "headers": {
    "content-type": "application/zip"
  }
}"""
"""An origin record as the version before wrote it: without parts, windows and what was asked."""


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(Store(str(tmp_path / "landing")))


def add(
    landing: Landing, payload: bytes, document: str = "rates.zip", *, is_bundled: bool = False
) -> tuple[Snapshot, bool]:
    return landing.add(
        payload,
        source="ecb",
        document=document,
        origin=ORIGIN,
        request="GET https://example.org/rates.zip",
        media_type="application/zip",
        retrieved_at=datetime(2026, 10, 30, 16),
        is_bundled=is_bundled,
    )


def part(payload: bytes, file: str, hour: int = 16) -> Part:
    return Part(
        file=file,
        sha256=hashlib.sha256(payload).hexdigest(),
        bytes=len(payload),
        media_type="application/json",
        request=f"GET https://example.org/{file}",
        retrieved_at=datetime(2026, 10, 30, hour),
    )


def add_extract(
    landing: Landing, *payloads: bytes, windows: tuple[Period, ...] = (), is_recorded: bool = True
) -> Snapshot:
    """An extract in several parts, as `intake` lands it."""
    snapshot_id = landing.new_snapshot_id("ecb")
    parts = [part(payload, f"{number:04}-x") for number, payload in enumerate(payloads, start=1)]
    for one, payload in zip(parts, payloads, strict=True):
        landing.store.write(f"ecb/{snapshot_id}/{one.file}", payload)
    snapshot = landing.describe(
        snapshot_id,
        "ecb",
        "x.json",
        parts,
        ORIGIN,
        windows=windows,
        asked=[AskedSlices(table="t", reporters=["JPN"], flows=[], commodity_codes=["280530"])],
        retrieved_at=datetime(2026, 10, 30, 17),
    )
    if is_recorded:
        landing.record(snapshot)
    return snapshot


def again(landing: Landing) -> Landing:
    """As another process opens it."""
    return Landing(Store(landing.store.url))


def test_a_snapshot_holds_the_bytes_and_where_they_came_from(landing: Landing) -> None:
    snapshot, is_new = add(landing, b"abc")
    assert is_new
    assert snapshot.sha256 == ABC
    assert snapshot.bytes == 3
    assert b"".join(landing.payloads(snapshot)) == b"abc"
    assert landing.snapshots("ecb") == [snapshot]
    assert again(landing).snapshots("ecb") == [snapshot]


def test_snapshots_of_one_source_are_not_those_of_another(landing: Landing) -> None:
    add(landing, b"abc")
    assert landing.snapshots("fred") == []


def test_unchanged_bytes_make_no_new_vintage(landing: Landing) -> None:
    first, _ = add(landing, b"abc")
    for each in (landing, again(landing)):
        repeated, is_new = add(each, b"abc")
        assert not is_new
        assert repeated == first
    assert again(landing).snapshots("ecb") == [first]


def test_the_same_file_under_another_name_makes_no_new_vintage(landing: Landing) -> None:
    add(landing, b"abc")
    _, is_new = add(landing, b"abc", document="rates (1).zip")
    assert not is_new


def test_bytes_of_another_document_are_news_of_a_document_that_is_known(landing: Landing) -> None:
    add(landing, b"abc", document="a.csv")
    add(landing, b"abd", document="b.csv")
    _, is_new = add(landing, b"abc", document="b.csv")
    assert is_new


def test_a_return_to_earlier_bytes_is_a_new_vintage_that_sorts_last(landing: Landing) -> None:
    add(landing, b"abc")
    add(landing, b"abd")
    third, is_new = add(landing, b"abc")
    assert is_new
    assert [snapshot.snapshot_id for snapshot in landing.snapshots("ecb")][-1] == third.snapshot_id
    assert len(landing.snapshots("ecb")) == 3


def test_many_snapshots_are_all_there_oldest_first(landing: Landing) -> None:
    added = [add(landing, b"%d" % number)[0] for number in range(45)]
    assert landing.snapshots("ecb") == added
    assert again(landing).snapshots("ecb") == added


def test_a_payload_without_its_record_does_not_exist(landing: Landing, tmp_path: Path) -> None:
    snapshot, _ = add(landing, b"abc")
    (tmp_path / "landing" / "ecb" / snapshot.snapshot_id / "origin.json").unlink()
    assert again(landing).snapshots("ecb") == []


def test_a_snapshot_whose_folder_was_removed_is_landed_again(
    landing: Landing, tmp_path: Path
) -> None:
    snapshot, _ = add(landing, b"abc")
    shutil.rmtree(tmp_path / "landing" / "ecb" / snapshot.snapshot_id)
    assert landing.snapshots("ecb") == []
    second, is_new = add(again(landing), b"abc")
    assert is_new
    assert second.snapshot_id != snapshot.snapshot_id


def test_bytes_changed_after_landing_are_noticed(landing: Landing, tmp_path: Path) -> None:
    snapshot, _ = add(landing, b"abc")
    file = tmp_path / "landing" / "ecb" / snapshot.snapshot_id / "rates.zip"
    file.write_bytes(b"abd")
    with pytest.raises(KidoError) as caught:
        b"".join(landing.payloads(snapshot))
    assert caught.value.message == f"{file} was changed after it was received."


def test_a_document_name_cannot_leave_its_folder(landing: Landing, tmp_path: Path) -> None:
    snapshot, _ = add(landing, b"abc", document="../../../escape.csv")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(
        (tmp_path / "landing" / "ecb" / snapshot.snapshot_id) in path.parents for path in files
    )
    assert b"".join(landing.payloads(snapshot)) == b"abc"


@pytest.mark.parametrize("document", ["品別国別表", "...", "///", "", "a b/c?.csv", "-rf"])
def test_any_document_name_makes_a_plain_file_name(document: str) -> None:
    name = file_name(document)
    assert name
    assert not name.startswith(".")
    assert name.isascii()
    assert not set(name) & set("/\\ ?*:")


def test_snapshot_ids_of_a_source_sort_by_age_and_differ(landing: Landing) -> None:
    ids = [landing.new_snapshot_id("ecb") for _ in range(50)]
    assert len(set(ids)) == 50
    assert [one[:26] for one in ids] == sorted(one[:26] for one in ids)
    assert all(one.startswith("ecb-") for one in ids)


def test_a_snapshot_follows_all_of_its_source_whatever_the_clock_said(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [datetime(2027, 11, 29)]
    monkeypatch.setattr(landing_module, "_now", lambda: clock[0])
    ahead, _ = add(landing, b"ahead")
    clock[0] = datetime(2026, 11, 29)
    later = [add(each, b"%d" % n)[0] for n, each in enumerate((landing, again(landing)))]
    assert landing.snapshots("ecb") == [ahead, *later]
    landing.withdraw(later[1], by="me", reason="wrong")
    assert landing.new_snapshot_id("ecb") > later[1].snapshot_id
    assert landing.new_snapshot_id("fred").startswith("fred-20261129T000000000000-")


@pytest.mark.parametrize(
    "name", ["ecb-99991231T235959999999-abcdef01", "ecb-20269999T000000000000-abcdef01", "by hand"]
)
def test_a_folder_without_a_usable_instant_moves_no_other(landing: Landing, name: str) -> None:
    landing.store.write(f"ecb/{name}/x", b"x")
    assert landing.new_snapshot_id("ecb") < f"ecb-{datetime.now(UTC) + timedelta(days=1):%Y%m%d}"


# Bundled files.


def test_a_file_landed_under_a_bundled_name_stays_the_newer_one(landing: Landing) -> None:
    add(landing, b"ours", is_bundled=True)
    mine, is_new = add(landing, b"mine")
    assert is_new
    # The next build lands the bundled file again, unchanged.
    for each in (landing, again(landing)):
        _, is_new = add(each, b"ours", is_bundled=True)
        assert not is_new
    assert landing.snapshots("ecb")[-1] == mine


def test_a_landed_file_that_equals_the_bundled_one_makes_no_new_vintage(landing: Landing) -> None:
    bundled, _ = add(landing, b"ours", is_bundled=True)
    assert add(landing, b"ours") == (bundled, False)


def test_going_back_to_the_bundled_bytes_after_ones_own_is_a_new_vintage(landing: Landing) -> None:
    add(landing, b"ours", is_bundled=True)
    add(landing, b"mine")
    back, is_new = add(landing, b"ours")
    assert is_new
    assert not back.is_bundled
    assert landing.snapshots("ecb")[-1] == back


def test_a_bundled_file_that_a_release_changed_is_a_new_vintage(landing: Landing) -> None:
    add(landing, b"ours", is_bundled=True)
    add(landing, b"mine")
    newer, is_new = add(landing, b"ours, revised", is_bundled=True)
    assert is_new
    assert add(landing, b"ours, revised") == (newer, False)


# Extracts: several parts, windows, what was asked.


def test_an_extract_keeps_its_parts_windows_and_what_was_asked(landing: Landing) -> None:
    windows = (
        Period(frequency="A", start=date(2024, 1, 1)),
        Period(frequency="M", start=date(2024, 5, 1)),
    )
    snapshot = add_extract(landing, b"one", b"two", windows=windows)
    (found,) = again(landing).snapshots("ecb")
    assert found == snapshot
    assert list(landing.payloads(found)) == [b"one", b"two"]
    assert found.bytes == 6
    assert found.windows == windows
    assert found.asked[0].reporters == ["JPN"]
    assert found.retrieved_at == datetime(2026, 10, 30, 17)
    hashes = [hashlib.sha256(payload).hexdigest() for payload in (b"one", b"two")]
    assert found.sha256 == hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def test_the_hash_of_an_extract_in_one_part_is_that_of_its_bytes(landing: Landing) -> None:
    assert add_extract(landing, b"abc").sha256 == ABC


def test_the_hash_of_an_extract_depends_on_every_part_and_their_order(landing: Landing) -> None:
    hashes = {
        add_extract(landing, *payloads).sha256
        for payloads in [(b"a", b"b"), (b"b", b"a"), (b"a",), (b"ab",), (b"a", b"b", b"")]
    }
    assert len(hashes) == 5


def test_an_extract_does_not_count_before_its_record(landing: Landing) -> None:
    snapshot = add_extract(landing, b"one", b"two", is_recorded=False)
    assert landing.snapshots("ecb") == []
    landing.record(snapshot)
    assert landing.snapshots("ecb") == [snapshot]
    assert again(landing).snapshots("ecb") == [snapshot]


def test_an_extract_that_found_nothing_has_no_bytes_and_reports_what_was_asked(
    landing: Landing,
) -> None:
    snapshot = add_extract(landing, windows=(Period(frequency="A", start=date(2024, 1, 1)),))
    (found,) = again(landing).snapshots("ecb")
    assert list(landing.payloads(found)) == []
    assert found.bytes == 0
    assert found == snapshot


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_a_byte_changed_in_any_part_is_noticed(landing: Landing, changed: int) -> None:
    snapshot = add_extract(landing, b"one", b"two", b"six")
    name = f"ecb/{snapshot.snapshot_id}/{snapshot.parts[changed].file}"
    landing.store.write(name, b"sIx")
    with pytest.raises(KidoError, match="was changed after it was received"):
        list(landing.payloads(snapshot))


def test_of_an_extract_the_last_part_gives_when_it_was_retrieved_unless_it_is_given(
    landing: Landing,
) -> None:
    parts = [part(b"one", "1", hour=9), part(b"two", "2", hour=11), part(b"six", "3", hour=10)]
    described = landing.describe("ecb-1", "ecb", "x.json", parts, ORIGIN)
    assert described.retrieved_at == datetime(2026, 10, 30, 11)


@pytest.mark.parametrize("address", ["folder", "memory"])
def test_snapshots_are_kept_wherever_the_landing_is(address: str, tmp_path: Path) -> None:
    here = str(tmp_path / "l") if address == "folder" else f"memory://{uuid.uuid4().hex}"
    landing = Landing(Store(here))
    single, _ = add(landing, b"abc")
    several = add_extract(landing, b"one", b"two")
    assert again(landing).snapshots("ecb") == [single, several]
    assert list(again(landing).payloads(several)) == [b"one", b"two"]


# Records of the version before.


def test_a_record_of_the_version_before_is_read_and_its_payload_found(landing: Landing) -> None:
    folder = "ecb/ecb-20260204T101112000001-ba7816bf"
    landing.store.write(f"{folder}/EUR_rates_hist_.zip", b"abc")
    landing.store.write(f"{folder}/origin.json", BEFORE_PARTS.encode())
    (snapshot,) = landing.snapshots("ecb")
    assert snapshot.retrieved_at == datetime(2026, 2, 4, 10, 11, 12)
    assert snapshot.origin.producer == "European Central Bank"
    assert (snapshot.parts, snapshot.windows, snapshot.asked) == ((), (), ())
    assert b"".join(landing.payloads(snapshot)) == b"abc"
    assert list(landing.payloads(snapshot)) == [b"abc"]


def test_equal_bytes_make_no_new_vintage_of_a_record_of_the_version_before(
    landing: Landing,
) -> None:
    folder = "ecb/ecb-20260204T101112000001-ba7816bf"
    landing.store.write(f"{folder}/EUR_rates_hist_.zip", b"abc")
    landing.store.write(f"{folder}/origin.json", BEFORE_PARTS.encode())
    known, is_new = add(landing, b"abc", document="EUR rates (hist).zip")
    assert not is_new
    assert known.snapshot_id == "ecb-20260204T101112000001-ba7816bf"
    newer, _ = add(landing, b"abd", document="EUR rates (hist).zip")
    assert [one.snapshot_id for one in landing.snapshots("ecb")] == [
        known.snapshot_id,
        newer.snapshot_id,
    ]


def test_changed_bytes_of_a_record_of_the_version_before_are_noticed(landing: Landing) -> None:
    folder = "ecb/ecb-20260204T101112000001-ba7816bf"
    landing.store.write(f"{folder}/EUR_rates_hist_.zip", b"abX")
    landing.store.write(f"{folder}/origin.json", BEFORE_PARTS.encode())
    with pytest.raises(KidoError, match="was changed after it was received"):
        b"".join(landing.payloads(landing.snapshots("ecb")[0]))


def test_a_record_of_an_earlier_version_can_be_quarantined(
    landing: Landing, tmp_path: Path
) -> None:
    folder = "ecb/ecb-20260204T101112000001-ba7816bf"
    landing.store.write(f"{folder}/EUR_rates_hist_.zip", b"abc")
    landing.store.write(f"{folder}/origin.json", BEFORE_PARTS.encode())
    kept = landing.quarantine(landing.snapshots("ecb")[0], tmp_path / "quarantine", "no zip")
    assert (kept / "EUR_rates_hist_.zip").read_bytes() == b"abc"
    assert landing.snapshots("ecb") == []


# Quarantining, discarding, sweeping.


def test_a_snapshot_quarantined_keeps_its_bytes_and_the_reason(
    landing: Landing, tmp_path: Path
) -> None:
    snapshot, _ = add(landing, b"abc")
    folder = landing.quarantine(snapshot, tmp_path / "quarantine", "ecb: not a zip.")
    assert landing.snapshots("ecb") == []
    assert again(landing).snapshots("ecb") == []
    assert (folder / "rates.zip").read_bytes() == b"abc"
    assert (folder / "reason.txt").read_text() == "ecb: not a zip.\n"
    assert json.loads((folder / "origin.json").read_text())["sha256"] == ABC
    assert not landing.store.exists(f"ecb/{snapshot.snapshot_id}")


def test_all_parts_of_an_extract_are_quarantined(landing: Landing, tmp_path: Path) -> None:
    snapshot = add_extract(landing, b"one", b"two")
    folder = landing.quarantine(snapshot, tmp_path / "quarantine", "ecb: rejected.")
    assert {path.name: path.read_bytes() for path in folder.glob("0*")} == {
        "0001-x": b"one",
        "0002-x": b"two",
    }


def test_bytes_that_are_rejected_again_lie_in_the_quarantine_once(
    landing: Landing, tmp_path: Path
) -> None:
    folders = set()
    for _ in range(2):
        snapshot, is_new = add(landing, b"abc")
        assert is_new
        folders.add(landing.quarantine(snapshot, tmp_path / "quarantine", "ecb: not a zip."))
    assert len(folders) == 1


def test_setting_a_snapshot_aside_brings_the_one_before_back(
    landing: Landing, tmp_path: Path
) -> None:
    first, _ = add(landing, b"abc")
    second, _ = add(landing, b"abd")
    landing.quarantine(second, tmp_path / "quarantine", "ecb: not a zip.")
    assert add(landing, b"abc") == (first, False)


def leftover(landing: Landing, age: timedelta) -> str:
    """A folder of an extract that was never finished."""
    begun = datetime.now(UTC) - age
    name = f"ecb-{begun:%Y%m%dT%H%M%S%f}-0123abcd"
    landing.store.write(f"ecb/{name}/0001-x", b"one")
    return name


def test_only_old_folders_without_a_record_are_swept(landing: Landing) -> None:
    old = leftover(landing, LEFTOVER_AGE + timedelta(hours=1))
    recent = leftover(landing, LEFTOVER_AGE - timedelta(hours=1))
    landing.store.write("ecb/ecb-20260204T101112000001-ba7816bf/EUR_rates_hist_.zip", b"abc")
    landing.store.write("ecb/ecb-20260204T101112000001-ba7816bf/origin.json", BEFORE_PARTS.encode())
    kept, _ = add(landing, b"newest")
    landing.sweep("ecb")
    assert landing.store.names("ecb") == sorted(
        ["ecb-20260204T101112000001-ba7816bf", recent, kept.snapshot_id]
    )
    assert not landing.store.exists(f"ecb/{old}")


def test_a_folder_that_was_begun_a_moment_before_is_unrecorded(landing: Landing) -> None:
    name = leftover(landing, timedelta(0))
    begun = datetime.strptime(name.split("-")[1], "%Y%m%dT%H%M%S%f")
    assert landing.unrecorded("ecb", begun) == []
    assert landing.unrecorded("ecb", begun + timedelta(microseconds=1)) == [name]


def test_a_sweep_leaves_what_is_no_snapshot_alone(landing: Landing) -> None:
    landing.store.write("ecb/NOTES.txt", b"mine")
    landing.store.write("ecb/backup/rates.zip", b"mine")
    landing.store.write("ecb/.ledger/20200101T000000000000-abc.json", b"{}")
    landing.sweep("ecb")
    assert landing.store.names("ecb") == ["NOTES.txt", "backup"]
    assert landing.store.names("ecb/.ledger") == ["20200101T000000000000-abc.json"]


# A landing that fails.


@pytest.mark.parametrize("is_recorded", [True, False])
def test_of_a_landing_that_fails_nothing_is_left(landing: Landing, is_recorded: bool) -> None:
    known, _ = add(landing, b"known")
    failed = add_extract(landing, b"failed", is_recorded=is_recorded)
    landing.remove(failed)
    for each in (landing, Landing(Store(landing.store.url))):
        assert each.snapshots("ecb") == [known]
        assert each.equal_to(failed.sha256, source="ecb", document=failed.document) is None
    assert landing.store.names("ecb") == [known.snapshot_id]


def test_what_is_discarded_is_gone(landing: Landing) -> None:
    snapshot = add_extract(landing, b"one", is_recorded=False)
    landing.discard("ecb", snapshot.snapshot_id)
    landing.discard("ecb", snapshot.snapshot_id)
    assert landing.store.names("ecb") == []
