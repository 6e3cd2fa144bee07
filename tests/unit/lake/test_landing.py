"""Snapshots are kept as received; unchanged bytes make no new vintage; nothing is lost."""

from datetime import datetime
from pathlib import Path

import pytest

from dagster_project.errors import KidoError
from dagster_project.lake.landing import Landing, Origin, Snapshot
from dagster_project.lake.store import Store

ORIGIN = Origin(
    producer="European Central Bank",
    citation="ECB, euro reference rates",
    licence="free with attribution",
    licence_url="https://example.org/licence",
    url="https://example.org/rates",
)


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


def test_a_snapshot_holds_the_bytes_and_where_they_came_from(landing: Landing) -> None:
    snapshot, is_new = add(landing, b"abc")
    assert is_new
    # The hash of "abc", from FIPS 180.
    assert snapshot.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert snapshot.bytes == 3
    assert landing.payload(snapshot) == b"abc"
    assert landing.snapshots("ecb") == [snapshot]


def test_unchanged_bytes_make_no_new_vintage(landing: Landing) -> None:
    first, _ = add(landing, b"abc")
    again, is_new = add(landing, b"abc")
    assert not is_new
    assert again == first


def test_the_same_file_under_another_name_makes_no_new_vintage(landing: Landing) -> None:
    add(landing, b"abc")
    _, is_new = add(landing, b"abc", document="rates (1).zip")
    assert not is_new


def test_a_return_to_earlier_bytes_is_a_new_vintage_that_sorts_last(landing: Landing) -> None:
    add(landing, b"abc")
    add(landing, b"abd")
    third, is_new = add(landing, b"abc")
    assert is_new
    assert [snapshot.snapshot_id for snapshot in landing.snapshots("ecb")][-1] == third.snapshot_id
    assert len(landing.snapshots("ecb")) == 3


def test_a_payload_without_its_record_does_not_exist(landing: Landing, tmp_path: Path) -> None:
    snapshot, _ = add(landing, b"abc")
    (tmp_path / "landing" / "ecb" / snapshot.snapshot_id / "origin.json").unlink()
    assert landing.snapshots("ecb") == []


def test_bytes_changed_after_landing_are_noticed(landing: Landing, tmp_path: Path) -> None:
    snapshot, _ = add(landing, b"abc")
    (tmp_path / "landing" / "ecb" / snapshot.snapshot_id / "rates.zip").write_bytes(b"abd")
    with pytest.raises(KidoError, match="was changed after it was received"):
        landing.payload(snapshot)


def test_a_snapshot_set_aside_keeps_its_bytes_and_the_reason(
    landing: Landing, tmp_path: Path
) -> None:
    snapshot, _ = add(landing, b"abc")
    folder = landing.set_aside(snapshot, tmp_path / "quarantine", "ecb: not a zip.")
    assert landing.snapshots("ecb") == []
    assert (folder / "rates.zip").read_bytes() == b"abc"
    assert (folder / "reason.txt").read_text() == "ecb: not a zip.\n"


def test_a_document_name_cannot_leave_its_folder(landing: Landing, tmp_path: Path) -> None:
    snapshot, _ = add(landing, b"abc", document="../../../escape.csv")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(
        (tmp_path / "landing" / "ecb" / snapshot.snapshot_id) in path.parents for path in files
    )
    assert landing.payload(snapshot) == b"abc"


def test_a_file_landed_under_a_bundled_name_stays_the_newer_one(landing: Landing) -> None:
    add(landing, b"ours", is_bundled=True)
    mine, is_new = add(landing, b"mine")
    assert is_new
    # The next build lands the bundled file again, unchanged.
    _, is_new = add(landing, b"ours", is_bundled=True)
    assert not is_new
    assert landing.snapshots("ecb")[-1] == mine
