"""The version of a source's parser: where it changes, snapshots are parsed again.

It is a hash of the source's module, the modules of `sources/` that it imports, the columns and keys
of its tables, and the lists it reads. Code that every row passes through (`lake/`, `batch.py`) is
not hashed: whoever changes the rows that it makes raises ROWS_VERSION.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

from dagster_project.lake import vocabulary
from dagster_project.lake.corrections import corrections
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.vocabulary import LIST_FILES, ListName
from dagster_project.quality.rules import lists_of
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.sources.card import Source

ROWS_VERSION = 1
"""To be raised with a change of the code that conforms, corrects or names all rows."""

_CARDS = Path(inspect.getfile(Source))
"""The types of cards: without effect on rows."""

_SOURCES, _PREFIX = _CARDS.parent, f"{Source.__module__.rpartition('.')[0]}."


def parser_version(source: Source) -> str:
    """Twelve hex digits that change when a source's documents have to be parsed again."""
    card = source.CARD
    digest = hashlib.sha256(f"{ROWS_VERSION}".encode())
    for path in modules_of(Path(inspect.getfile(cast(ModuleType, source)))):
        name = path.relative_to(_SOURCES) if path.is_relative_to(_SOURCES) else path.name
        digest.update(f"\n{name}\n".encode())
        digest.update(path.read_bytes())
    for name in card.tables:
        digest.update(repr(_structure(LAKE_TABLES[name])).encode())
    for name in sorted(lists_read_by(source)):
        digest.update(_digest_of(LIST_FILES[name]))
    for file in (vocabulary.labels_file(card.name), vocabulary.price_labels_file(card.name)):
        digest.update(_digest_of(file) if file.exists() else b"")
    digest.update(repr(corrections(card.name)).encode())
    return digest.hexdigest()[:12]


def lists_read_by(source: Source) -> set[ListName]:
    """The lists that a source's rows depend on: those on its card, and of its tables' rules."""
    of_rules = (lists_of(LAKE_SUITES[name]) for name in source.CARD.tables)
    return set(source.CARD.lists).union(*of_rules)


def depends_on_scope(source: Source) -> bool:
    """Whether a source's rows depend on the commodity scope."""
    return not {"commodities", "mineral_groups"}.isdisjoint(lists_read_by(source))


@cache
def modules_of(module: Path) -> tuple[Path, ...]:
    """A source's files (of a package all of them), and the modules of `sources/` they import."""
    modules: set[Path] = set()
    waiting = [module]
    while waiting:
        path = waiting.pop()
        if path in modules or path == _CARDS:
            continue
        modules.add(path)
        if path.name == "__init__.py":
            waiting += path.parent.glob("*.py")
        waiting += _imported_by(path)
    return tuple(sorted(modules))


def _imported_by(path: Path) -> Iterator[Path]:
    """The modules of `sources/` that a module imports."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                inside = name.removeprefix(_PREFIX).replace(".", "/")
                if name.startswith(_PREFIX):
                    files = (_SOURCES / f"{inside}.py", _SOURCES / inside / "__init__.py")
                    yield from (file for file in files if file.exists())


@cache
def _digest_of(file: Path) -> bytes:
    # A list is read once per process; so is its digest.
    return hashlib.sha256(file.read_bytes()).digest()


def _structure(table: LakeTable) -> object:
    """The parts of a declared table that affect its rows: not the descriptions."""
    columns = [
        (name, repr(column.dtype), column.nullable) for name, column in table.columns.items()
    ]
    return [table.name, columns, table.key, table.vintage_slice]
