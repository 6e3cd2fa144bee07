"""A record is the truth; the index is a copy that is never believed against it."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from dagster_project.lake.records import INDEX, Records
from dagster_project.lake.store import Store
from tests.nightly import times


class Figure(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: int


FOLDERS = "/origin.json"
FILES = ".json"
MANY = 40
"""Enough for an index to be written, with a few records after it."""


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    here = str(tmp_path / "store")
    return Store(here if request.param == "folder" else f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def records(store: Store, suffix: str = FOLDERS) -> Records[Figure]:
    """As another process would open them."""
    return Records(store, "ecb", Figure, suffix, remedy="Restore it.")


def fill(store: Store, suffix: str = FOLDERS, many: int = MANY) -> Records[Figure]:
    some = records(store, suffix)
    for number in range(many):
        some.add(f"r{number:03}", Figure(value=number))
    records(store, suffix).all()  # the first to look writes the index
    return some


def values(some: Records[Figure]) -> dict[str, int]:
    return {name: record.value for name, record in some.all().items()}


def counting_reads(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    plain = store.read
    monkeypatch.setattr(store, "read", lambda name: (read.append(name), plain(name))[1])
    return read


@pytest.mark.parametrize("suffix", [FOLDERS, FILES])
def test_what_is_added_is_read_by_another_instance_in_the_order_of_the_names(
    store: Store, suffix: str
) -> None:
    some = records(store, suffix)
    for name in ("b", "c", "a"):
        some.add(name, Figure(value=ord(name)))
    for each in (some, records(store, suffix)):
        assert list(each.all()) == ["a", "b", "c"]
        assert values(each) == {"a": 97, "b": 98, "c": 99}


def test_where_nothing_was_added_there_is_nothing(store: Store) -> None:
    assert values(records(store)) == {}


@pytest.mark.parametrize("suffix", [FOLDERS, FILES])
def test_many_records_are_read_in_a_few_reads(
    store: Store, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    fill(store, suffix, 200)
    expected = {f"r{number:03}": number for number in range(200)}
    read = counting_reads(store, monkeypatch)
    assert values(records(store, suffix)) == expected
    assert read == [f"ecb/{INDEX}"]


def test_a_few_records_make_no_index(local: Store) -> None:
    some = fill(local, many=16)
    assert not local.exists(f"ecb/{INDEX}")
    some.add("r016", Figure(value=16))
    records(local).all()
    assert local.exists(f"ecb/{INDEX}")


def test_a_read_only_store_gets_no_index(local: Store) -> None:
    some = records(local)
    for number in range(MANY):
        some.add(f"r{number:03}", Figure(value=number))
    assert len(records(Store(local.url, is_read_only=True)).all()) == MANY
    assert not local.exists(f"ecb/{INDEX}")
    assert len(records(local).all()) == MANY
    assert local.exists(f"ecb/{INDEX}")


def test_the_index_is_no_record(store: Store) -> None:
    fill(store, FILES)
    assert store.exists(f"ecb/{INDEX}")
    assert len(values(records(store, FILES))) == MANY


def test_without_the_index_everything_is_still_there(store: Store) -> None:
    fill(store)
    store.remove(f"ecb/{INDEX}")
    assert values(records(store)) == {f"r{number:03}": number for number in range(MANY)}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b'{"r000": {"value": 7',
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        json.dumps({"r000": {"value": 7, "of_another_version": True}}).encode(),
        json.dumps({"r000": {}}).encode(),
    ],
)
def test_a_damaged_index_is_ignored(store: Store, damage: bytes) -> None:
    fill(store)
    store.write(f"ecb/{INDEX}", damage)
    assert values(records(store)) == {f"r{number:03}": number for number in range(MANY)}


def test_an_index_that_was_damaged_is_written_anew(store: Store) -> None:
    fill(store)
    store.write(f"ecb/{INDEX}", b"damaged")
    records(store).all()
    assert b"damaged" not in store.read(f"ecb/{INDEX}")
    assert values(records(store)) == {f"r{number:03}": number for number in range(MANY)}


def test_a_record_removed_by_hand_is_gone_for_every_instance(local: Store) -> None:
    some = fill(local)
    shutil.rmtree(local.path("ecb/r000"))
    shutil.rmtree(local.path(f"ecb/r{MANY - 1:03}"))
    expected = {f"r{number:03}": number for number in range(1, MANY - 1)}
    assert values(records(local)) == expected
    assert values(some) == expected


def test_a_record_removed_by_hand_and_added_again_is_read_anew(local: Store) -> None:
    some = fill(local)
    shutil.rmtree(local.path("ecb/r000"))
    assert "r000" not in values(some)
    some.add("r000", Figure(value=1000))
    assert values(records(local))["r000"] == 1000


def test_a_folder_whose_record_was_never_written_does_not_count(store: Store) -> None:
    fill(store)
    store.write("ecb/under-way/part.json", b"{}")
    assert "under-way" not in values(records(store))
    store.write("ecb/under-way/origin.json", b'{"value": 5}')
    assert values(records(store))["under-way"] == 5


def test_a_stray_file_among_the_folders_does_not_count(store: Store) -> None:
    fill(store, many=3)
    store.write("ecb/notes.txt", b"mine")
    assert list(values(records(store))) == ["r000", "r001", "r002"]


def test_a_record_of_another_instance_is_seen_by_one_that_has_read_before(store: Store) -> None:
    mine = fill(store)
    assert len(values(mine)) == MANY
    records(store).add("zz", Figure(value=1))
    assert values(mine)["zz"] == 1


@pytest.mark.parametrize("suffix", [FOLDERS, FILES])
def test_a_record_that_is_overwritten_is_read_anew(store: Store, suffix: str) -> None:
    fill(store, suffix)
    records(store, suffix).add("r000", Figure(value=1000))
    assert values(records(store, suffix))["r000"] == 1000


@pytest.mark.parametrize("suffix", [FOLDERS, FILES])
def test_a_record_that_is_removed_and_added_again_is_read_anew(store: Store, suffix: str) -> None:
    fill(store, suffix)
    records(store, suffix).remove("r000")
    assert "r000" not in values(records(store, suffix))
    records(store, suffix).add("r000", Figure(value=1000))
    assert values(records(store, suffix))["r000"] == 1000


def test_a_record_overwritten_by_an_instance_older_than_the_index_is_read_anew(
    store: Store,
) -> None:
    early = records(store)
    early.add("a", Figure(value=1))
    fill(store)
    early.add("r000", Figure(value=1000))
    assert values(records(store))["r000"] == 1000


def test_what_an_instance_remembers_never_becomes_the_index(store: Store) -> None:
    remembers, other = records(store), records(store)
    remembers.add("r000", Figure(value=1))
    other.add("r000", Figure(value=2))
    for number in range(1, MANY):
        other.add(f"r{number:03}", Figure(value=number))
    remembers.all()
    assert values(records(store))["r000"] == 2
    assert values(records(store))["r000"] == 2


def test_a_record_removed_by_an_instance_older_than_the_index_and_added_again_is_read_anew(
    store: Store,
) -> None:
    early = records(store)
    early.add("a", Figure(value=1))
    fill(store)
    early.remove("r000")
    early.add("r000", Figure(value=1000))
    assert values(records(store))["r000"] == 1000


def test_removing_what_is_not_there_changes_nothing(store: Store) -> None:
    fill(store)
    records(store).remove("never-there")
    assert len(values(records(store))) == MANY


def test_a_removed_record_takes_nothing_else_along(store: Store) -> None:
    fill(store, many=2)
    store.write("ecb/r000/payload", b"kept")
    records(store).remove("r000")
    assert list(values(records(store))) == ["r001"]
    assert store.read("ecb/r000/payload") == b"kept"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "remove by hand", "read", "read anew", "lose the index"]),
        st.integers(0, 1),
        st.integers(0, 29),
        st.integers(0, 9),
    ),
    max_size=25,
)


@settings(max_examples=times(at_night=80, by_day=20), suppress_health_check=[HealthCheck.too_slow])
@given(suffix=st.sampled_from([FOLDERS, FILES]), steps=STEPS)
def test_whatever_two_instances_do_a_third_reads_what_is_there(
    suffix: str, steps: list[tuple[str, int, int, int]]
) -> None:
    store = Store(f"memory://{uuid.uuid4().hex}")
    two = (records(store, suffix), records(store, suffix))
    assert values(two[1]) == {}
    for number in range(20):
        two[0].add(f"r{number:02}", Figure(value=number))
    there = {f"r{number:02}": number for number in range(20)}
    for what, who, number, value in steps:
        name = f"r{number:02}"
        if what == "add":
            two[who].add(name, Figure(value=value))
            there[name] = value
        elif what == "remove":
            two[who].remove(name)
            there.pop(name, None)
        elif what == "remove by hand" and name in there:
            store.remove(f"ecb/{name}{suffix}".removesuffix("/origin.json"))
            del there[name]
        elif what == "read":
            assert set(values(two[who])) == set(there)
        elif what == "read anew":
            assert values(records(store, suffix)) == there
        elif what == "lose the index":
            store.remove(f"ecb/{INDEX}")
    assert values(records(store, suffix)) == there
