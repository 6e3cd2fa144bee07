"""A full disk, on a small file system of its own: the output of `kido`, and the files it leaves."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment
from tests.nightly import nightly

ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size={size}k tmpfs {disk}
KIDO_HOME={disk} {python} -c "
import sys
from dagster_project.intake import fetch, land
from dagster_project.lake import space
from dagster_project.orchestration import builds
if {is_unchecked}:
    builds.LEAST_ROOM = space.LEAST_ROOM_TO_LAND = space.ROOM_PER_PAYLOAD = 0
from dagster_project import cli
sys.argv = ['kido', {arguments}]
cli.main()
" || echo "exit code $?" >&2
find {disk} -type f >&2
"""


def on_a_small_disk(
    disk: Path, size: int, *arguments: str, is_unchecked: bool = False
) -> tuple[str, list[str]]:
    """The output of `kido` on a file system of this many kB, and the files afterwards."""
    disk.mkdir()
    script = ON_A_SMALL_DISK.format(
        disk=disk,
        size=size,
        python=sys.executable,
        is_unchecked=is_unchecked,
        arguments=", ".join(f"'{argument}'" for argument in arguments),
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=CHECKOUT, capture_output=True, text=True,
        check=False, timeout=300, env=clean_environment(),
    )  # fmt: skip
    if "exit code" not in done.stderr:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr[-200:]}")
    output, _, files = done.stderr.partition("exit code ")
    assert files.splitlines()[0] == "1"
    return output, files.splitlines()[1:]


needs_unshare = pytest.mark.skipif(
    shutil.which("unshare") is None, reason="a small file system needs unshare (Linux)"
)


@needs_unshare
def test_a_build_on_a_small_disk_is_not_begun(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    output, files = on_a_small_disk(disk, 20_000, "build")
    assert output == f"kido: The disk of {disk} has 20 MB left; a build needs about 70 MB.\n"
    assert files == []


@needs_unshare
@pytest.mark.parametrize(
    "size",
    [
        # While something is landed: by day a landing alone is tried, below.
        pytest.param(2_500, marks=nightly),
        7_000,
    ],
)
def test_a_disk_that_fills_in_the_middle_ends_a_build_in_a_sentence(
    size: int, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    output, files = on_a_small_disk(disk, size, "build", is_unchecked=True)
    assert f"The disk of {disk} is full" in output
    assert "Make room, then run it again." in output
    assert "Traceback" not in output
    assert "INSERT" not in output
    assert f"{disk}/kido.duckdb" not in files


@needs_unshare
def test_a_disk_that_fills_in_the_middle_keeps_nothing_of_a_landing(tmp_path: Path) -> None:
    disk, brought = tmp_path / "disk", tmp_path / "rates.csv"
    days = [f"{year}-{month:02}-05" for year in range(1999, 2026) for month in range(1, 13)]
    lines = [f"{day},1.{number % 97:02},1{number % 89:02},7" for number, day in enumerate(days)]
    brought.write_text("\n".join(["Date,USD,JPY,CNY", *lines, ""]))
    output, files = on_a_small_disk(disk, 16, "land", "ecb", str(brought), is_unchecked=True)
    assert output.startswith(f"kido: The disk of {disk} is full")
    assert len(output.splitlines()) == 1
    assert [file for file in files if "ecb-" in file] == []
