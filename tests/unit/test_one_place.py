"""What is written once stays written once: a mart, and a list of words."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from dagster_project import words
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.serving.release_catalog import RELEASE_TABLES
from dagster_project.settings import DBT_PROJECT
from tests import contract
from tests.conftest import CHECKOUT

PRODUCT = CHECKOUT / "dagster_project"
MARTS = DBT_PROJECT / "models" / "marts"
CASES = CHECKOUT / "tests" / "unit" / "quality" / "suites" / "marts"

NAMES_MARTS: Mapping[str, str] = {
    "serving/answers.py": "the page of answers draws from the marts it names",
    "serving/measures.py": "the page of measures draws from the marts it names",
    "serving/notices.py": "what is to be read, and who was asked, are in marts",
    "serving/changes.py": "the pages begin with what changed in the marts it names",
    "serving/pictures.py": "the picture of the markets draws from the marts it names",
    "serving/risk_picture.py": "the picture of the risks draws from the marts it names",
    "serving/scenarios.py": "a scenario names what is in marts, and its results are in one",
    "serving/catalog.py": "releases and snapshots of a file are in its catalog",
    "serving/tables.py": "what a file says of its tables is in its catalog",
    "serving/trace.py": "snapshots lead to their publishers",
    "serving/dictionary.py": "codes get the names of the lists, tables their rows",
    "serving/publication.py": "the release of a file is in its catalog",
    "serving/release_catalog.py": "what describes a release is made with it",
    "serving/release_changes.py": "what is new is compared in the marts it names",
    "serving/show_changes.py": "releases of a file are in its catalog",
    "serving/export.py": "terms, snapshots and lineage of a file are in its catalog",
    "serving/passing_on.py": "snapshots lead to sources",
}
"""Product code that may name marts, and why. Anything else takes them as it finds them."""

NAMES_OF_MORE = {"import_reliance", "mineral_groups", "reconciled_flows", "supply_risk"}
"""Names of marts that are also those of lists of codes, of modules or of columns, which code may
name."""


def files_of(mart: str) -> set[Path]:
    place = mart.replace(".", "/")
    files = {MARTS / f"{place}.yml", CASES / f"{place}.py"}
    return files if mart in RELEASE_TABLES else {*files, MARTS / f"{place}.sql"}


def test_a_mart_is_its_sql_its_yml_and_the_cases_of_its_rules() -> None:
    found = {
        path
        for folder in (MARTS, CASES)
        for path in folder.rglob("*.*")
        if path.suffix in {".sql", ".yml", ".py"} and path.name != "__init__.py"
    }
    assert found == set().union(*map(files_of, contract.published()))


@pytest.mark.parametrize("mart", contract.published())
def test_a_mart_is_named_in_its_own_files_and_where_it_is_read(mart: str) -> None:
    """A model that reads it names it by `ref`; a description may point to it."""
    _, table = mart.split(".")
    name = re.compile(rf"(?<![\w.]){mart.replace('.', '[./]')}\b")
    in_code = name if is_common(table) else re.compile(rf"\b{table}\b")
    for path in PRODUCT.rglob("*.py"):
        if path not in files_of(mart) and path.relative_to(PRODUCT).as_posix() not in NAMES_MARTS:
            assert not in_code.search(code_of(path)), f"{path} names {mart}: {ADVICE}"
    for folder in ("models", "macros", "tests"):
        for path in (DBT_PROJECT / folder).rglob("*.sql"):
            assert not name.search(path.read_text("utf8")), f"{path} names {mart}: use ref()."


ADVICE = (
    "a mart is its .sql, its .yml and its cases. Derive what is needed from these, or give the "
    "reason in NAMES_MARTS."
)


def is_common(table: str) -> bool:
    """Whether code has other things by the name of the table: it then counts with its schema."""
    return "_" not in table or table in LAKE_TABLES or table in NAMES_OF_MORE


def test_only_code_that_names_marts_is_exempt() -> None:
    for path in NAMES_MARTS:
        text = code_of(PRODUCT / path)
        assert any(mart in text for mart in contract.published()), f"{path} is exempt for nothing."


WORDS: Mapping[tuple[object, ...], str] = {
    found: name
    for name, found in vars(words).items()
    if name.isupper() and isinstance(found, tuple) and len(found) > 2
}


def test_no_list_of_words_is_written_out_a_second_time() -> None:
    """In its order: in another order the same words say something else, e.g. what is worst."""
    again = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno} writes out words.{WORDS[found]}"
        for path in PRODUCT.rglob("*.py")
        if path != PRODUCT / "words.py"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Tuple | ast.List | ast.Set)
        for found in [tuple(texts_in(node))]
        if found in WORDS
    ]
    assert again == []


def texts_in(node: ast.Tuple | ast.List | ast.Set) -> Iterator[object]:
    """The words of a Literal are a tuple too."""
    return (one.value if isinstance(one, ast.Constant) else None for one in node.elts)


@cache
def code_of(path: Path) -> str:
    """A module without comments and docstrings."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [one for one in body if not is_docstring(one)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


NOT_NAMES = {"found", "one", "of"}
"""A variable says what it holds."""


def test_no_variable_is_named_found_one_or_of() -> None:
    named = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno} names a variable {name}"
        for path in sorted(PRODUCT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Name | ast.arg)
        for name in [name_bound_by(node)]
        if name in NOT_NAMES
    ]
    assert named == []


def name_bound_by(node: ast.Name | ast.arg) -> str:
    """The variable or parameter that is bound here; empty where a name is only read.

    The targets of loops and comprehensions are stored names too.
    """
    if isinstance(node, ast.arg):
        return node.arg
    return node.id if isinstance(node.ctx, ast.Store) else ""
