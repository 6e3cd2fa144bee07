"""A file is whole or absent, in every kind of store."""

import errno
import os
import uuid
from pathlib import Path

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.lake.store import Store


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    here = str(tmp_path / "store")
    return Store(here if request.param == "folder" else f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def download(tmp_path: Path) -> Path:
    file = tmp_path / "intake" / "answer.part"
    file.parent.mkdir()
    file.write_bytes(b"figures")
    return file


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_written_is_read_back_and_listed(store: Store) -> None:
    store.write("a/b/one.txt", b"1")
    store.write("a/b/two.txt", b"2")
    store.write("a/b/one.txt", b"3")
    assert store.names("a/b") == ["one.txt", "two.txt"]
    assert store.names("a") == ["b"]
    assert store.names("nowhere") == []
    assert store.read("a/b/one.txt") == b"3"


def test_names_that_begin_with_a_dot_are_not_listed(store: Store) -> None:
    store.write("a/.ledger/one.json", b"1")
    store.write("a/.index.json", b"1")
    store.write("a/b/one.json", b"1")
    assert store.names("a") == ["b"]
    assert store.names("a/.ledger") == ["one.json"]


def test_what_another_writes_is_listed_at_once(store: Store) -> None:
    store.write("a/one.txt", b"1")
    assert store.names("a") == ["one.txt"]
    Store(store.url).write("a/two.txt", b"2")
    assert store.names("a") == ["one.txt", "two.txt"]


def test_what_is_absent_is_not_found(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("a/never-there")
    assert not store.exists("a/never-there")


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
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.write("figures.csv", b"new and much longer")
    assert store.read("figures.csv") == b"old"
    assert os.listdir(tmp_path) == ["figures.csv"]


def test_a_file_that_is_taken_is_in_the_store_and_nowhere_else(
    store: Store, download: Path
) -> None:
    store.move_in(download, "ecb/s1/rates.csv")
    assert store.read("ecb/s1/rates.csv") == b"figures"
    assert store.names("ecb/s1") == ["rates.csv"]
    assert not download.exists()


def test_a_file_that_is_taken_replaces_one_of_the_same_name(store: Store, download: Path) -> None:
    store.write("ecb/s1/rates.csv", b"of an attempt that was interrupted")
    store.move_in(download, "ecb/s1/rates.csv")
    assert store.read("ecb/s1/rates.csv") == b"figures"


def test_a_file_is_taken_from_another_disk_too(
    tmp_path: Path, download: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path / "store"))
    rename = os.replace

    def other_disk(source: Path, target: Path) -> None:
        if Path(source) == download:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "replace", other_disk)
    store.move_in(download, "ecb/s1/rates.csv")
    assert store.read("ecb/s1/rates.csv") == b"figures"
    assert files_under(tmp_path) == ["store/ecb/s1/rates.csv"]


def test_a_full_disk_leaves_a_file_that_was_to_be_taken_where_it_is(
    tmp_path: Path, download: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path / "store"))

    def other_disk(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", other_disk)
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.move_in(download, "ecb/s1/rates.csv")
    assert download.read_bytes() == b"figures"
    assert files_under(tmp_path / "store") == []


def test_taking_a_file_that_is_not_there_is_reported(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.move_in(tmp_path / "never-there", "ecb/s1/rates.csv")
    assert not store.exists("ecb/s1/rates.csv")


def test_an_address_is_a_path_for_a_folder_and_full_elsewhere(tmp_path: Path) -> None:
    assert Store(str(tmp_path)).address("a/b.csv") == f"{tmp_path}/a/b.csv"
    assert Store("memory://lake").address("a/b.csv") == "memory:///lake/a/b.csv"


def test_an_address_nothing_can_read_is_named() -> None:
    with pytest.raises(ConfigurationError, match="nosuch://bucket"):
        Store("nosuch://bucket")
