"""The files of the dbt project: those written by hand, and the generated ones.

The content of generated files comes from `lake/staging_models.py` and `words.py`. Imports nothing
heavy: the hash of a build's inputs is computed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dagster_project import words
from dagster_project.lake import staging_models
from dagster_project.lake.store import write_atomically
from dagster_project.settings import DBT_PROJECT

GENERATED = DBT_PROJECT / "models" / "staging" / "generated"
"""All files of this folder are generated; git ignores it."""

_SUFFIXES = {".sql", ".py", ".yml", ".csv", ".md"}


def written_by_hand() -> list[Path]:
    """Every file of the dbt project that is written by hand and affects what it builds."""
    not_by_hand = {DBT_PROJECT / "target", DBT_PROJECT / "logs", GENERATED}
    return sorted(
        path
        for path in DBT_PROJECT.rglob("*")
        if path.suffix in _SUFFIXES and not_by_hand.isdisjoint(path.parents)
    )


@cache
def generated() -> Mapping[str, bytes]:
    """The content of each generated file, by file name."""
    texts = {**staging_models.render_models(), "words.md": _words()}
    return {name: text.encode() for name, text in texts.items()}


def _words() -> str:
    """Each list of words as a block of docs, used in descriptions as `{{ doc('stages') }}`."""
    return "\n".join(
        f"{{% docs {name.lower()} %}}{words.listed(value, then='')}{{% enddocs %}}\n"
        for name, value in vars(words).items()
        if name.isupper() and isinstance(value, tuple)
    )


def generate(folder: Path = GENERATED) -> None:
    """Write the generated files to a folder and remove all others; unchanged files are not written.

    Several processes may do it at once: each file is replaced as a whole, by the same bytes.
    """
    files = generated()
    for path in folder.glob("*"):
        if path.suffix in _SUFFIXES and path.name not in files:
            path.unlink(missing_ok=True)
    for name, content in files.items():
        if _content(folder / name) != content:
            write_atomically(folder / name, content)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
