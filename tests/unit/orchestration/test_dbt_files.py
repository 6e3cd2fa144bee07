"""Generated files of the dbt project: current, whole, and part of its version."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dagster_project.orchestration import dbt_files, dbt_runner
from dagster_project.orchestration.dbt_files import generate, generated, written_by_hand
from tests.conftest import CHECKOUT


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_that_is_current_is_not_written_to(tmp_path: Path) -> None:
    generate(tmp_path)
    assert _content(tmp_path) == generated()
    tmp_path.chmod(0o500)
    before = {path.name: path.stat() for path in tmp_path.iterdir()}
    generate(tmp_path)
    after = {path.name: path.stat() for path in tmp_path.iterdir()}
    assert {name: (at.st_ino, at.st_mtime_ns) for name, at in after.items()} == {
        name: (at.st_ino, at.st_mtime_ns) for name, at in before.items()
    }
    tmp_path.chmod(0o700)


def test_edited_removed_and_outdated_files_are_generated_again(
    tmp_path: Path,
) -> None:
    generate(tmp_path)
    (tmp_path / "stg_lake__trade_flows.sql").write_text("select 1", "utf8")
    (tmp_path / "stg_lake__coverage.yml").unlink()
    (tmp_path / "stg_lake__of_a_table_that_has_gone.sql").write_text("select 1", "utf8")
    untouched = (tmp_path / "stg_lake__claims.sql").stat().st_ino
    generate(tmp_path)
    assert _content(tmp_path) == generated()
    assert (tmp_path / "stg_lake__claims.sql").stat().st_ino == untouched


def test_two_processes_that_generate_at_once_never_show_half_a_file(
    tmp_path: Path,
) -> None:
    """Both go on removing a file and writing it again; a reader sees a whole one or none."""
    script = (
        "import sys; from pathlib import Path\n"
        "from dagster_project.orchestration.dbt_files import generate\n"
        "folder = Path(sys.argv[1])\n"
        "for _ in range(100):\n"
        "    (folder / '_lake__sources.yml').unlink(missing_ok=True); generate(folder)\n"
    )
    seen: list[bytes] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            try:
                seen.append((tmp_path / "_lake__sources.yml").read_bytes())
            except FileNotFoundError:
                continue

    reader = threading.Thread(target=read)
    reader.start()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], cwd=CHECKOUT, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    errors = [writer.communicate()[1] for writer in writers]
    is_over.set()
    reader.join()
    assert errors == [b"", b""]
    assert set(seen) == {generated()["_lake__sources.yml"]}
    assert _content(tmp_path) == generated()


def test_the_version_of_the_project_covers_what_is_generated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = dbt_runner.project_version()
    changed = dict(generated())
    changed["stg_lake__claims.sql"] += b"-- another rule"
    monkeypatch.setattr(dbt_runner, "generated", lambda: changed)
    assert dbt_runner.project_version() != version


def test_generated_files_are_not_written_by_hand_and_ignored_by_git() -> None:
    by_hand = written_by_hand()
    assert dbt_files.DBT_PROJECT / "macros" / "vintages.sql" in by_hand
    assert dbt_files.DBT_PROJECT / "models" / "staging" / "unit_tests.yml" in by_hand
    assert set(dbt_files.DBT_PROJECT.glob("tests/fixtures/**/*.*")) <= set(by_hand)
    generated_files = [dbt_files.GENERATED / name for name in generated()]
    assert not set(generated_files) & set(by_hand)
    ignored = (CHECKOUT / ".gitignore").read_text("utf8").splitlines()
    assert f"{dbt_files.GENERATED.relative_to(CHECKOUT).as_posix()}/" in ignored
