"""Each kind of file of a home, damaged in each way: the same figures, or a sentence that names it.

The kinds are those of the files of a built home. By day a few of the cases, by night all. Files
are not made read-only: root writes into them all the same. A read-only disk is in
`test_read_only_home`.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from tests.e2e.conftest import run_kido
from tests.e2e.test_gate import equal, tables
from tests.kinds_of_files import kind_of
from tests.nightly import is_night

FAULTS = ("cut", "emptied", "flipped", "deleted")

OF_THE_PUBLISHED_FILE = {"kido.duckdb", "releases/<release>/kido.duckdb"}
"""Kinds of files that a build without news does not read: `kido verify` names the fault."""

BY_DAY = {
    ("lake/<table>/<source>/<snapshot>.<written>.parquet", "flipped"),
    ("landing/<source>/<snapshot>/origin.json", "cut"),
    ("landing/<source>/<snapshot>/<payload>", "deleted"),
    ("releases/.current.json", "flipped"),
    ("releases/<release>/kido.duckdb", "flipped"),
}
"""An emptied `release.json` is in `test_damaged_releases`."""

LEFT_OVER = (".new-*", ".gone-*", ".kido.duckdb.*", "*.tmp")


def kinds(home: Path, chance: random.Random) -> dict[str, str]:
    """A file of each kind that has any content."""
    files: dict[str, list[str]] = {}
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.stat().st_size:
            name = str(path.relative_to(home))
            files.setdefault(kind_of(name), []).append(name)
    return {kind: chance.choice(names) for kind, names in files.items()}


def damage(file: Path, fault: str, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    if fault == "flipped":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.unlink()
    if fault != "deleted":
        size = {"cut": len(content) // 2, "emptied": 0}.get(fault, len(content))
        file.write_bytes(content[:size])


def outcome_of(home: Path, file: str, expected: dict[str, pl.DataFrame]) -> str:
    """What `kido build` and `kido verify` make of a damaged home; raises AssertionError."""
    is_published = kind_of(file) in OF_THE_PUBLISHED_FILE
    built = run_kido(home, "build")
    output = built.stdout + built.stderr
    assert "Traceback" not in output, output[-3000:]
    left = [path.name for pattern in LEFT_OVER for path in home.rglob(pattern)]
    assert not left, left
    if built.returncode:
        assert file in output, output[-3000:]
        assert re.search(r"Restore|Remove|remove|rollback|open", output), output[-3000:]
        if file != "kido.duckdb":
            equal(tables(home), expected)
        return "named by the build, nothing changed"
    try:
        equal(tables(home), expected)
        figures = "same figures"
    except (AssertionError, duckdb.Error):
        assert is_published
        figures = "readers see the fault"
    verified = run_kido(home, "verify")
    assert "Traceback" not in verified.stdout + verified.stderr, verified.stderr
    if verified.returncode:
        assert file in verified.stdout.replace("\n", "").replace(" ", ""), verified.stdout
        return f"{figures}, named by verify"
    assert figures == "same figures", verified.stdout
    return "same figures, repaired" if "made again" in output else "same figures"


def test_a_damaged_file_of_any_kind_changes_no_figure_without_a_word(
    small: Path, folder: Path, record_property: Callable[[str, object], None]
) -> None:
    chance, expected = random.Random(37), tables(small)
    known, outcomes, failures = kinds(small, chance), Counter[str](), []
    assert {(kind, fault) for kind in known for fault in FAULTS} >= BY_DAY
    for kind, file in known.items():
        for fault in FAULTS:
            if not is_night() and (kind, fault) not in BY_DAY:
                continue
            home = Path(shutil.copytree(small, folder / "home"))
            damage(home / file, fault, chance)
            try:
                outcome = outcome_of(home, file, expected)
            except (AssertionError, duckdb.Error) as error:
                outcome = "failed"
                failures.append(f"{kind} {fault}: {str(error)[-1500:]}")
            outcomes[f"{fault}: {outcome}"] += 1
            shutil.rmtree(home)
    for outcome, count in sorted(outcomes.items()):
        record_property(f"{len(known)} kinds of files, {outcome}", count)
    assert not failures, "\n\n".join(failures)
