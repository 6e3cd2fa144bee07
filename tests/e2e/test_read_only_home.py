"""A home on a disk that is read-only: every command that writes ends in one sentence.

`kido clean` is left out: it writes nothing in a home that has nothing old.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment

COMMANDS = {
    "land": ("land", "ecb", "{folder}/rates.csv"),
    "fetch": ("fetch", "ecb"),
    "withdraw": ("withdraw", "{snapshot}", "--because", "a slip"),
    "compact": ("compact",),
    "rollback": ("rollback",),
    "accept": ("accept", "20260101T000000-abcdef"),
    "build": ("build", "--full"),
    "backup": ("backup", "{folder}/backups"),
    "restore": ("restore", "{folder}/backups"),
}

IN_ONE_PROCESS = """
import sys
from dagster_project import cli
for line in sys.stdin.read().splitlines():
    name, *arguments = line.split("\\t")
    sys.argv = ["kido", *arguments]
    print(f"== {{name}}", file=sys.stderr, flush=True)
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code
    print(f"== exit code {{code}}", file=sys.stderr, flush=True)
"""
MOUNTED = """
set -e
mount --bind {home} {home}
mount -o remount,ro,bind {home}
KIDO_HOME={home} {python} -c '{program}'
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="a mount needs unshare (Linux)")
def test_a_read_only_home_ends_every_command_in_one_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("Date,USD,JPY,CNY\n2026-11-26,1.26,175.68,7.4326\n")
    (snapshot,) = (path.name for path in (home / "landing" / "ecb").glob("ecb-*"))
    backups = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "backup", str(tmp_path / "backups")],
        env={**clean_environment(), "KIDO_HOME": str(home)}, check=True, capture_output=True,
    )  # fmt: skip
    assert backups.returncode == 0
    lines = [
        "\t".join([name, *(part.format(folder=tmp_path, snapshot=snapshot) for part in command)])
        for name, command in COMMANDS.items()
    ]
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    script = MOUNTED.format(home=home, python=sys.executable, program=IN_ONE_PROCESS.format())
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=CHECKOUT, input="\n".join(lines), text=True,
        capture_output=True, check=False, timeout=300, env=clean_environment(),
    )  # fmt: skip
    if "== " not in done.stderr:
        pytest.skip(f"a folder cannot be mounted read-only here: {done.stderr[-200:]}")
    outputs = done.stderr.split("\n== exit code ")
    for name, output in zip(COMMANDS, outputs, strict=False):
        *_, sentence = output.splitlines()
        assert sentence.startswith("kido: "), (name, output)
        assert "Traceback" not in output, (name, output)
        # Refused before anything is written: no such release, and a home that is not empty.
        is_refused = name in ("accept", "restore")
        assert is_refused or f"The folder {home}" in sentence, (name, output)
        assert is_refused or "cannot be written to" in sentence, (name, output)
    assert done.stderr.count("== exit code 1") == len(COMMANDS), done.stderr
    after = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    assert after == before
