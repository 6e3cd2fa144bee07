"""`kido verify` names files that a program can still read, but that are not what was written."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.orchestration import builds
from dagster_project.orchestration.verify import verify
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.unit.serving.test_publication import build, publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with two releases, and a build that waits to be accepted."""
    settings = Settings.load(home=tmp_path / "home")
    publish(settings, 0, 150.0, "a")
    release = publish(settings, 1, 160.0, "a", "b")
    waiting = builds.Build(settings.build_dir / "waiting")
    waiting.start(release, "inputs", "models")
    shutil.move(build(waiting.directory, release, 170.0, ["a"]), waiting.file)
    for stage in builds.STAGES:
        waiting.keep_checks(stage, [])
    waiting.seal()
    waiting.block("A price would change.")
    return settings


def faults(settings: Settings) -> list[str]:
    return [finding.finding for finding in verify(settings) if finding.status == "failure"]


def write_into(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("update market.prices set close = close * 1000")


@pytest.mark.parametrize("name", ["kept", "published", "build"])
def test_a_file_that_a_program_wrote_into_is_named(settings: Settings, name: str) -> None:
    assert faults(settings) == []
    kept = sorted(settings.releases_dir.glob("[!.]*/kido.duckdb"))
    files = {
        "kept": kept[0],
        "published": settings.published_file,
        "build": settings.build_dir / "waiting" / "kido.duckdb",
    }
    write_into(files[name])
    (fault,) = faults(settings)
    assert fault.startswith(f"{files[name]} was changed after ")


def test_a_kept_release_in_the_place_of_another_is_named(settings: Settings) -> None:
    first, second = sorted(settings.releases_dir.glob("[!.]*/kido.duckdb"))
    shutil.copyfile(second, first)
    (fault,) = faults(settings)
    assert fault == (
        f"{first} was changed after it was published. Remove the folder {first.parent}: that "
        "release can be restored no more."
    )


def test_a_seal_that_was_changed_is_named(settings: Settings) -> None:
    seal = settings.build_dir / "waiting" / builds.SEAL
    seal.write_bytes(seal.read_bytes().replace(b"kido", b"kidp", 1))
    (fault,) = faults(settings)
    assert fault.startswith(f"{seal} was changed after it was written.")


def test_a_release_of_an_earlier_version_has_no_hash_to_compare(settings: Settings) -> None:
    folder = sorted(settings.releases_dir.glob("[!.]*/"))[0]
    release = next(
        each for each in publication.published_releases(settings) if each.release_id == folder.name
    )
    (folder / "release.json").write_text(release.model_dump_json())
    write_into(folder / "kido.duckdb")
    assert faults(settings) == []


@pytest.mark.parametrize("is_missing", [False, True])
def test_a_damaged_record_of_the_current_release_is_named_once(
    settings: Settings, is_missing: bool
) -> None:
    *_, folder = sorted(settings.releases_dir.glob("[!.]*/"))
    record = folder / "release.json"
    if is_missing:
        record.unlink()
    else:
        record.write_bytes(record.read_bytes().replace(b"code", b"cope", 1))
    (fault,) = faults(settings)
    assert fault.startswith(f"{record} ")
