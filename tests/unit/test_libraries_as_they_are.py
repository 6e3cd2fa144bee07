"""Nothing reaches into the private parts of another package, and no library is patched."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

OURS = "dagster_project"
EXCEPTIONS: Mapping[str, str] = {
    "dagster_project/orchestration/execute.py: dagster._core.execution.plan.active":
        "the logger whose warnings of skipped checks a build without news would print; it goes "
        "when Dagster no longer warns of checks that were not evaluated",
}  # fmt: skip
"""What is used nevertheless, by module, and when it is removed."""


def code_files() -> list[Path]:
    folders = ("dagster_project", "benchmarks", "dbt/models", "dbt/macros")
    return sorted(path for name in folders for path in (CHECKOUT / name).rglob("*.py"))


def is_private(name: str) -> bool:
    return any(
        part.startswith("_") and not (part.startswith("__") and part.endswith("__"))
        for part in name.split(".")
    )


def reached_into(tree: ast.AST) -> Iterator[str]:
    """Private names of other packages that a module uses, in code or as the name of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(OURS):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from filter(is_private, names)
        elif isinstance(node, ast.Import):
            yield from filter(is_private, (alias.name for alias in node.names))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = node.value.split(".")
            is_path = len(parts) > 1 and parts[0] and all(map(str.isidentifier, parts))
            if is_path and not is_private(parts[0]) and is_private(node.value):
                yield node.value


def patched(tree: ast.AST) -> Iterator[str]:
    """Attributes of imported modules, classes and functions of others that a module sets."""
    theirs = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        or (isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(OURS))
        for alias in node.names
        if not alias.name.startswith(OURS)
    }
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign | ast.Delete):
            targets = list(node.targets)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr"):
            targets = [ast.Attribute(node.args[0], "?")]
        for target in targets:
            root: ast.expr = target
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            is_name = isinstance(target, ast.Attribute) and isinstance(root, ast.Name)
            if is_name and ast.unparse(root) in theirs:
                yield ast.unparse(target)


def test_only_the_exceptions_use_private_parts_of_another_package() -> None:
    used = {
        f"{path.relative_to(CHECKOUT).as_posix()}: {name}"
        for path in code_files()
        for name in reached_into(ast.parse(path.read_bytes()))
    }
    assert used == set(EXCEPTIONS)


def test_no_library_is_patched() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in code_files()
        for name in patched(ast.parse(path.read_bytes()))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from dagster._core import storage", "dagster._core.storage"),
        ("import dagster._utils", "dagster._utils"),
        ("frame._df", "frame._df"),
        ("get_logger('dagster._core.events')", "dagster._core.events"),
    ],
)
def test_each_way_into_private_parts_is_seen(code: str, name: str) -> None:
    assert list(reached_into(ast.parse(code))) == [name]


@pytest.mark.parametrize(
    "code",
    [
        "import duckdb\nduckdb.sql = None",
        "from dagster import RunStorage\nRunStorage.connect = lambda self: None",
        "import polars as pl\nsetattr(pl.DataFrame, 'filter', None)",
        "import polars as pl\ndel pl.DataFrame.filter",
    ],
)
def test_each_way_to_patch_a_library_is_seen(code: str) -> None:
    assert list(patched(ast.parse(code)))


def test_what_is_ours_is_no_private_part_of_others() -> None:
    code = "from dagster_project.lake._x import _y\nself._z = '_a b._c'\nx.__name__"
    assert list(reached_into(ast.parse(code))) == []
