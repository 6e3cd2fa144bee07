"""A home of the version before the last change of the contract, used by this version, and back.

The earlier version is taken from the history of the checkout and runs with the packages of this
one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.serving.publication import CONTRACT_VERSION
from tests.conftest import CHECKOUT
from tests.e2e.conftest import BUNDLED, clean_environment, run_kido
from tests.nightly import nightly

pytestmark = nightly

QUESTION = "from dependency.import_concentration order by all"
ROUNDED = """
select columns(*)::varchar
from (
    select importer_iso3, mineral_group, frequency, period_start, measure, top_supplier_iso3,
        round(top_supplier_share, 9), round(hhi, 9)
    from dependency.import_concentration
)
order by all
"""
"""Of two builds the last digits of a sum may differ: the rows are in files of other names."""

VERSIONS = "select distinct contract_version from catalog.releases order by all"


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.strip()


def earlier_commit() -> str:
    """The last commit with another version of the contract."""
    if not (CHECKOUT / ".git").exists() or git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("the history with the earlier version is not in this checkout")
    file = "dagster_project/serving/publication.py"
    changes = git("log", "--format=%h", f'-SCONTRACT_VERSION = "{CONTRACT_VERSION}"', "--", file)
    return f"{changes.splitlines()[-1]}^" if changes else "HEAD"


class Earlier:
    """The command line of the earlier version, with the same few bundled flows."""

    def __init__(self, folder: Path, few_flows: Path) -> None:
        self.folder = folder
        folder.mkdir()
        archive = folder.with_suffix(".tar")
        git("archive", "--output", str(archive), earlier_commit())
        subprocess.run(["tar", "xf", str(archive), "-C", str(folder)], check=True)
        for file in (few_flows / "baci").glob("*.parquet"):
            known = folder / "dagster_project/bundled/baci" / file.name
            if known.exists():
                shutil.copyfile(file, known)

    def run(self, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", *arguments],
            cwd=self.folder, env={**clean_environment(), "KIDO_HOME": str(home)},
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip

    def kido(self, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        result = self.run(home, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result


def kido(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    result = run_kido(home, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def landed(listed: str) -> set[str]:
    return {snapshot["snapshot_id"] for snapshot in json.loads(listed)}


def build(
    run: Callable[..., subprocess.CompletedProcess[str]], home: Path, *, is_held: bool
) -> None:
    """Build. Across a first number of the contract readers lose data: accepted once."""
    result = run(home, "build")
    if is_held:
        assert result.returncode == 1
        assert "The build is blocked: readers would lose data." in result.stderr
        (release,) = re.findall(r"kido accept ([\w-]+)\.$", result.stderr, re.MULTILINE)
        result = run(home, "accept", release)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_home_of_the_last_version_is_used_by_this_one_and_back(
    few_flows: Path, tmp_path: Path
) -> None:
    (tmp_path / BUNDLED).symlink_to(few_flows)
    earlier, home = Earlier(tmp_path / "earlier", few_flows), tmp_path / "home"
    earlier.kido(home, "build")
    answer = earlier.kido(home, "query", QUESTION, "--format", "csv").stdout
    versions = earlier.kido(home, "query", VERSIONS, "--format", "csv").stdout
    (old_version,) = versions.splitlines()[1:]
    snapshots = landed(earlier.kido(home, "landed", "--json").stdout)

    # This version reads it as it is, backs it up, since the earlier one may not, and builds on it.
    assert kido(home, "query", QUESTION, "--format", "csv").stdout == answer
    backup = tmp_path / "backups"
    kido(home, "backup", str(backup))
    migrated = subprocess.run(
        [str(Path(sys.executable).with_name("dagster")), "instance", "migrate"],
        env={**os.environ, "DAGSTER_HOME": str(home / "dagster")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert migrated.returncode == 0, migrated.stderr
    is_held = old_version.partition(".")[0] != CONTRACT_VERSION.partition(".")[0]
    build(run_kido, home, is_held=is_held)
    assert snapshots <= landed(kido(home, "landed", "--json").stdout)
    releases = json.loads(kido(home, "releases", "--json").stdout)
    assert [release["contract_version"] for release in releases] == [old_version, CONTRACT_VERSION]
    kido(home, "rollback")
    assert kido(home, "query", QUESTION, "--format", "csv").stdout == answer
    kido(home, "rollback", releases[-1]["release_id"])

    # The way back that the page on operation names: this version restores the backup from before,
    # then the earlier one is used.
    before = tmp_path / "before"
    kido(before, "restore", str(backup))
    assert earlier.kido(before, "query", QUESTION, "--format", "csv").stdout == answer
    assert landed(earlier.kido(before, "landed", "--json").stdout) == snapshots
    assert "Nothing has changed" in earlier.kido(before, "build").stderr
    # The earlier version also builds on the home that this one has used.
    rounded = earlier.kido(before, "query", ROUNDED, "--format", "csv").stdout
    build(earlier.run, home, is_held=is_held)
    assert earlier.kido(home, "query", ROUNDED, "--format", "csv").stdout == rounded
