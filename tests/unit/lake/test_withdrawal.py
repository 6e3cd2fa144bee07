"""A withdrawn snapshot does not count, keeps its bytes, and comes back as it was."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from dagster_project.lake.landing import Landing, Origin, Snapshot, SnapshotRows
from dagster_project.lake.store import Store

ORIGIN = Origin(
    producer="ECB",
    citation="ECB",
    licence="free",
    licence_url="https://example.org/licence",
    url="https://example.org/rates",
)


@pytest.fixture(params=["folder", "memory"])
def landing(request: pytest.FixtureRequest, tmp_path: Path) -> Landing:
    here = str(tmp_path / "landing")
    return Landing(Store(here if request.param == "folder" else f"memory://{uuid.uuid4().hex}"))


def add(
    landing: Landing, payload: bytes, document: str = "rates.zip", *, is_bundled: bool = False
) -> tuple[Snapshot, bool]:
    return landing.add(
        payload,
        source="ecb",
        document=document,
        origin=ORIGIN,
        request=f"file {document}",
        media_type="application/zip",
        retrieved_at=datetime(2026, 10, 30, 16),
        is_bundled=is_bundled,
    )


def again(landing: Landing) -> Landing:
    """As another process opens it."""
    return Landing(Store(landing.store.url))


def test_a_withdrawn_snapshot_does_not_count_and_its_bytes_are_kept(landing: Landing) -> None:
    first, _ = add(landing, b"first")
    second, _ = add(landing, b"second")
    rows = SnapshotRows(table="price_quotes", rows=3, first="2026-10-28", last="2026-10-30")
    record = landing.withdraw(second, by="ann", reason="half a file", rows=[rows])
    for each in (landing, again(landing)):
        assert each.snapshots("ecb") == [first]
        assert each.withdrawn("ecb") == {second.snapshot_id: record}
        assert each.snapshots("withdrawn") == []
    assert (record.by, record.reason, record.rows) == ("ann", "half a file", (rows,))
    store = landing.store
    assert store.read(f"withdrawn/ecb/{second.snapshot_id}/rates.zip") == b"second"
    assert store.names("ecb") == [first.snapshot_id]


def test_records_name_the_rows_as_earlier_versions_do(landing: Landing) -> None:
    first, _ = add(landing, b"first")
    rows = SnapshotRows(table="price_quotes", rows=3)
    landing.withdraw(first, by="ann", reason="half a file", rows=[rows])
    written = json.loads(landing.store.read(f"withdrawn/ecb/{first.snapshot_id}.json"))
    assert written["held"] == [{"table": "price_quotes", "rows": 3, "first": "", "last": ""}]
    assert again(landing).withdrawn("ecb")[first.snapshot_id].rows == (rows,)


def test_it_comes_back_as_it_was(landing: Landing) -> None:
    first, _ = add(landing, b"first")
    second, _ = add(landing, b"second")
    origin = landing.store.read(f"ecb/{second.snapshot_id}/origin.json")
    landing.reinstate(landing.withdraw(second, by="ann", reason="half a file"))
    for each in (landing, again(landing)):
        assert each.snapshots("ecb") == [first, second]
        assert each.withdrawn("ecb") == {}
        assert b"".join(each.payloads(second)) == b"second"
    assert landing.store.read(f"ecb/{second.snapshot_id}/origin.json") == origin
    assert landing.store.names("withdrawn/ecb") == []


@pytest.mark.parametrize("is_bundled", [True, False])
def test_withdrawn_bytes_are_not_kept_again_until_they_are_brought_back(
    landing: Landing, is_bundled: bool
) -> None:
    first, _ = add(landing, b"first", is_bundled=is_bundled)
    record = landing.withdraw(first, by="ann", reason="wrong")
    for each in (landing, again(landing)):
        for document in ("rates.zip", "other.zip"):
            assert add(each, b"first", document, is_bundled=is_bundled) == (first, False)
        assert each.snapshots("ecb") == []
    changed, is_new = add(landing, b"changed", is_bundled=is_bundled)
    assert is_new
    assert landing.snapshots("ecb") == [changed]
    landing.reinstate(record)
    assert landing.snapshots("ecb") == [first, changed]


def test_bytes_that_an_earlier_snapshot_still_holds_are_not_withdrawn_with_a_later_one(
    landing: Landing,
) -> None:
    first, _ = add(landing, b"one")
    between, _ = add(landing, b"two")
    last, is_new = add(landing, b"one")
    assert is_new
    landing.withdraw(last, by="ann", reason="put back by mistake")
    assert landing.withdrawn_bytes(first.sha256, source="ecb") is not None
    assert add(landing, b"one")[1] is False  # the newest is `two`: withdrawn as the last was
    landing.withdraw(between, by="ann", reason="wrong too")
    assert add(landing, b"one") == (first, False)
    assert landing.snapshots("ecb") == [first]


def test_of_two_withdrawals_of_the_same_bytes_the_later_is_named(landing: Landing) -> None:
    add(landing, b"one")
    add(landing, b"two")
    last, _ = add(landing, b"one")
    first = landing.snapshots("ecb")[0]
    for snapshot, reason in ((last, "earlier"), (first, "later")):
        landing.withdraw(snapshot, by="ann", reason=reason)
    found = again(landing).withdrawn_bytes(first.sha256, source="ecb")
    assert found is not None
    assert found.reason == "later"


def test_a_record_of_a_withdrawal_decides_wherever_the_bytes_are(landing: Landing) -> None:
    """As after a restore of the folder from a backup: its origin record alone does not count."""
    first, _ = add(landing, b"first")
    origin = landing.store.read(f"ecb/{first.snapshot_id}/origin.json")
    landing.withdraw(first, by="ann", reason="wrong")
    landing.store.write(f"ecb/{first.snapshot_id}/origin.json", origin)
    landing.store.write(f"ecb/{first.snapshot_id}/rates.zip", b"first")
    opened = again(landing)
    assert opened.snapshots("ecb") == []
    opened.sweep("ecb")
    assert opened.store.names("ecb") == []
    assert opened.store.read(f"withdrawn/ecb/{first.snapshot_id}/rates.zip") == b"first"


def test_many_withdrawals_are_read_by_every_process(landing: Landing) -> None:
    """More than are read without an index."""
    snapshots = [add(landing, f"{number}".encode())[0] for number in range(40)]
    for snapshot in snapshots[:30]:
        landing.withdraw(snapshot, by="ann", reason="wrong")
    assert again(landing).snapshots("ecb") == snapshots[30:]
    opened = again(landing)
    record = opened.withdrawn("ecb")[snapshots[7].snapshot_id]
    opened.reinstate(record)
    assert again(landing).snapshots("ecb") == [snapshots[7], *snapshots[30:]]
