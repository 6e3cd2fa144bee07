"""`docs/extending.md` says how many files each addition touches: counted on its examples."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

ROW = re.compile(r"^\| (an? [^|]+) \| (\d+) \| `([^`]+)` \|", re.MULTILINE)
ROWS = {
    addition: (int(number), example)
    for addition, number, example in ROW.findall(
        (CHECKOUT / "docs" / "extending.md").read_text("utf8")
    )
}

COUNTED = ("dagster_project", "dbt", "tests/unit", "tests/integration")
GENERATED = {"__pycache__", "target", "logs", "generated"}


def files() -> Iterator[Path]:
    for place in COUNTED:
        for file in (CHECKOUT / place).rglob("*.*"):
            if file.suffix in {".py", ".sql", ".yml", ".yaml", ".csv"} and not (
                GENERATED & set(file.parts)
            ):
                yield file.relative_to(CHECKOUT)


def files_of(example: str, *, command: bool = False) -> set[str]:
    """Files that have the name, lie in a folder of this name, or name it."""
    text = rf'def {example}\(|\["{example}", ' if command else rf"(?<![\w-]){example}(?![\w-])"
    named = re.compile(text)
    return {
        file.as_posix()
        for file in files()
        if (not command and (file.stem == example or file.parent.name == example))
        or named.search((CHECKOUT / file).read_text("utf8"))
    }


@pytest.mark.parametrize("addition", ROWS)
def test_an_addition_touches_the_number_of_files_that_is_said(addition: str) -> None:
    number, example = ROWS[addition]
    touched = files_of(example, command=addition == "a command")
    assert len(touched) == number, sorted(touched)


def test_each_kind_of_addition_is_counted() -> None:
    assert set(ROWS) == {
        "a mart", "a column of a mart", "a check of a mart", "a check of a lake table",
        "a source", "a claim", "a clause", "a command",
    }  # fmt: skip
