"""Another list of economies in place of the project's, as after a person has added a code to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dagster_project.intake import versions
from dagster_project.lake import vocabulary

Replace = Callable[[object, str, object], None]


def economies_with(file: Path, column: str, code: str, economy: str) -> Path:
    """Write a copy of the list in which an economy has one more code in a column."""
    header, *lines = vocabulary.ECONOMIES_FILE.read_text("utf8").splitlines(keepends=True)
    position = header.strip().split(",").index(column)
    for number, line in enumerate(lines):
        cells = line.split(",")
        if cells[0] == economy:
            cells[position] = f"{cells[position]} {code}".strip()
            lines[number] = ",".join(cells)
    file.write_text("".join([header, *lines]), "utf8")
    return file


def use_economies(file: Path, replace: Replace = setattr) -> None:
    """Let this process read the economies from a file."""
    replace(vocabulary, "ECONOMIES_FILE", file)
    replace(versions, "LIST_FILES", {**versions.LIST_FILES, "economies": file})
    forget_lists()


def forget_lists() -> None:
    """Let this process read its lists again."""
    for function in vars(vocabulary).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()
