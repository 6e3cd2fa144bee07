"""The line of a file on which a mistake in a hand-edited entry is."""

from __future__ import annotations

import pytest
import yaml

from dagster_project.lake.entries import PlainLoader, line_of, line_of_field

NOTICE = yaml.load(
    """\
id: CN-1
title: A ban
clauses:
  - codes: ["280530"]
  - codes: ["280530"]
    effective: soon
""",
    PlainLoader,
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("title",), 1),
        (("clauses", 0, "codes"), 4),
        (("clauses", 1, "effective"), 5),
        (("clauses", 2, "codes"), 1),  # a list of two has no third
        (("clauses", "codes"), 1),
    ],
)
def test_the_line_is_that_of_the_innermost_fields(path: tuple[str | int, ...], line: int) -> None:
    assert line_of(NOTICE, path) == line


def test_the_line_of_a_field_is_its_own_or_that_of_the_entry() -> None:
    assert line_of_field(NOTICE, ("clauses", 0)) == 3
    assert line_of_field(NOTICE["clauses"][1], ("effective",)) == 6
    assert line_of_field(NOTICE, ("untitled",)) == 1
