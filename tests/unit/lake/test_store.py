"""A file is whole or absent, wherever the store lies."""

import os
import uuid
from pathlib import Path

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.lake.store import Store


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path) if request.param == "folder" else f"memory://{uuid.uuid4().hex}")


def test_what_is_written_is_read_back_and_listed(store: Store) -> None:
    store.write("a/b/one.txt", b"1")
    store.write("a/b/two.txt", b"2")
    store.write("a/b/one.txt", b"3")
    assert store.names("a/b") == ["one.txt", "two.txt"]
    assert store.names("a") == ["b"]
    assert store.names("nowhere") == []
    assert store.read("a/b/one.txt") == b"3"


def test_removing_a_folder_takes_what_is_in_it_and_nothing_else(store: Store) -> None:
    store.write("a/b/one.txt", b"1")
    store.write("a/c/two.txt", b"2")
    store.remove("a/b")
    store.remove("a/never-there")
    assert not store.exists("a/b/one.txt")
    assert store.exists("a/c/two.txt")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    store.write("figures.csv", b"old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.write("figures.csv", b"new and much longer")
    assert store.read("figures.csv") == b"old"
    assert os.listdir(tmp_path) == ["figures.csv"]


def test_an_address_nothing_can_read_is_named() -> None:
    with pytest.raises(ConfigurationError, match="nosuch://bucket"):
        Store("nosuch://bucket")
