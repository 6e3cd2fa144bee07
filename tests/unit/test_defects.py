"""Seeded defects: which edits are found, that a seed repeats them, that a copy runs its code."""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests import defects
from tests.conftest import CHECKOUT
from tests.defects import NOT_TRIED, Attempt, Copy, Results, Step
from tests.seeded_defects import Defect, draw, edits_of_python, edits_of_sql, made

SQL = """\
{% set unit = 1000 %}
-- where a = 1
select a.x, min(a.y) as y, 1000 * a.z as kilograms
from {{ ref('one') }} as a
inner join two as b
    on a.id = b.id
    and a.day = b.day
where a.kind = 'x = 1'
    and a.z > 5
union all
select x, y, 0 from three
"""

PYTHON = '''\
"""Raises 30 times."""

def weigh(tonnes: float, unit: str) -> float:
    if "é" == unit and tonnes < 2.5:
        raise ValueError(f"{unit} of {tonnes > 7}")
    return tonnes * 1000
'''


DEFECT = Defect("dbt/a.sql", 1, "unit", 0, 1, "2", "2000")


def changed(text: str, edits: Sequence[tuple[int, int, str]]) -> list[tuple[str, str]]:
    return [(" ".join(text[start:end].split()), after) for start, end, after in edits]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("comparison", [("=", "<>"), ("=", "<>"), ("=", "<>"), (">", "<")]),
        ("join key", [("and a.day = b.day", "")]),
        ("unit", [("1000", "1"), ("5", "5000")]),
        ("filter", [("a.kind = 'x = 1'", "true"), ("a.z > 5", "true")]),
        ("extreme", [("min", "max")]),
        ("union", [("union all", "union")]),
    ],
)
def test_a_defect_of_sql_is_in_its_code(kind: str, expected: list[tuple[str, str]]) -> None:
    assert changed(SQL, edits_of_sql(SQL)[kind]) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("comparison", [("==", "!="), ("<", ">")]),
        ("exception", [('raise ValueError(f"{unit} of {tonnes > 7}")', "pass")]),
        ("unit", [("2.5", "2500"), ("1000", "1")]),
        ("off by one", [("1000", "1001")]),
        (
            "condition",
            [('"é" == unit and tonnes < 2.5', 'not ("é" == unit and tonnes < 2.5)')],
        ),
    ],
)
def test_a_defect_of_python_is_in_its_code(kind: str, expected: list[tuple[str, str]]) -> None:
    assert changed(PYTHON, edits_of_python(PYTHON)[kind]) == expected


def test_a_seed_draws_the_same_forty_defects_each_time() -> None:
    first = draw(CHECKOUT, 1)
    assert draw(CHECKOUT, 1) == first
    assert Counter(Path(defect.file).suffix for defect in first) == {".sql": 24, ".py": 16}
    assert len({(defect.file, defect.line) for defect in first}) == 40
    assert len({defect.kind for defect in first}) == 9
    assert not any(made(Path(defect.file)) for defect in first)
    assert len(set(first) & set(draw(CHECKOUT, 2))) < 5  # the same line by chance


def test_another_takes_the_place_of_one_that_does_not_compile() -> None:
    first = draw(CHECKOUT, 1)
    others = draw(CHECKOUT, 1, frozenset({first[0].key}))
    assert first[0] not in others
    assert len(others) == 40


def test_python_with_a_defect_parses_and_is_other_code(tmp_path: Path) -> None:
    for defect in [*draw(CHECKOUT, 1)[24:], *draw(CHECKOUT, 2)[24:]]:
        text = (CHECKOUT / defect.file).read_text("utf8")
        file = tmp_path / defect.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf8")
        defect.apply(tmp_path)
        assert ast.dump(ast.parse(file.read_text("utf8"))) != ast.dump(ast.parse(text)), defect


def test_a_copy_runs_the_code_with_the_defect_and_not_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Copy, "make_empty", lambda copy: None)
    copy = Copy(tmp_path)
    file = "dagster_project/words.py"
    text = (CHECKOUT / file).read_text("utf8")
    start = text.index("def ")
    defect = Defect(file, 1, "test", start, start, "", "IS_DEFECTIVE = True\n\n\n")
    asked = (
        "-c",
        "import os; os.chdir('/'); from dagster_project import words, settings; "
        "print(hasattr(words, 'IS_DEFECTIVE'), settings.DBT_PROJECT)",
    )
    with copy.with_defect(defect):
        assert copy.run(asked, 60) == (0, f"True {copy.root / 'dbt'}\n")
        assert not (copy.root / "dbt" / "target" / "prepared.json").exists()
    assert copy.run(asked, 60) == (0, f"False {copy.root / 'dbt'}\n")


@pytest.mark.parametrize(
    ("file", "first", "then"),
    [
        (
            "dbt/models/intermediate/int_trade__pair_reports.sql",
            ["dbt's unit tests", "integration that name it"],
            "tests/integration/test_reconciliation.py",
        ),
        (
            "dagster_project/lake/slices.py",
            ["its own tests", "its room's tests", "types"],
            "tests/unit/lake",
        ),
        ("dagster_project/sources/japan_customs/pages.py", [], "tests/unit/sources"),
    ],
)
def test_the_tests_that_are_most_likely_to_catch_come_first(
    file: str, first: list[str], then: str
) -> None:
    steps = defects.steps_for(replace(DEFECT, file=file), CHECKOUT, 1)
    assert [step.name for step in steps][: len(first)] == first
    assert then in steps[1].arguments
    assert [step.name for step in steps][-3:] == ["units", "integration", "stories"]


class Fake(Copy):
    """A copy in which the commands of steps are exit codes."""

    def __init__(self, fails_anyway: str = "") -> None:
        self.root, self.log, self.always = Path(), list[str](), fails_anyway

    @contextmanager
    def with_defect(self, defect: Defect) -> Iterator[None]:
        self.log.append("defect")
        yield

    def run(self, arguments: Sequence[str], limit: float) -> tuple[int | None, str]:
        self.log.append(" ".join(arguments))
        if arguments[1] in self.always and f"--deselect={self.always}" in arguments:
            return 0, ""
        if "pytest" in arguments:  # a test by itself, in the copy without the defect
            return int(arguments[-1] == self.always), ""
        return int(arguments[0]), f"FAILED tests/test_{arguments[1]}.py::test_it - assert\n"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        Step("near", "near", ("0", "near")),
        Step("units", "units", ("1", "units")),
        Step("stories", "all", ("1", "stories")),
    ]
    monkeypatch.setattr(defects, "steps_for", lambda defect, root, workers: made)


@pytest.mark.usefixtures("steps")
def test_the_first_test_that_fails_ends_the_attempt() -> None:
    copy = Fake()
    outcome = Attempt(copy, "all", 60, 1).on(DEFECT, NOT_TRIED)
    assert (outcome["by"], outcome["done"]) == ("tests/test_units.py::test_it", ["near"])
    assert not any("stories" in command for command in copy.log)


@pytest.mark.usefixtures("steps")
def test_a_test_that_fails_anyway_has_caught_nothing() -> None:
    copy = Fake(fails_anyway="tests/test_units.py::test_it")
    outcome = Attempt(copy, "all", 60, 1).on(DEFECT, NOT_TRIED)
    assert (outcome["by"], outcome["done"]) == (
        "tests/test_stories.py::test_it", ["near", "units"],
    )  # fmt: skip


@pytest.mark.usefixtures("steps")
def test_an_attempt_goes_on_after_the_steps_that_are_done(tmp_path: Path) -> None:
    results = Results(tmp_path / "cache" / "defects.json", "tests")
    results.put(DEFECT, Attempt(Fake(), "near", 60, 1).on(DEFECT, NOT_TRIED))
    known = Results(results.file, "tests").of[DEFECT.key]
    assert (known["by"], known["done"]) == ("", ["near"])
    copy = Fake()
    assert Attempt(copy, "all", 60, 1).on(DEFECT, known)["by"] == "tests/test_units.py::test_it"
    assert copy.log[:2] == ["defect", "1 units"]


@pytest.mark.parametrize("name", ["tests/unit/test_a.py::test_b", "tests/test_a.py::test_b[x@y]"])
@pytest.mark.parametrize("group", ["", "@tests/unit/test_a.py", "@work"])
def test_a_test_that_failed_is_known_by_its_name(name: str, group: str) -> None:
    printed = f"..F\nFAILED {name}{group} - assert 1 == 2\n1 failed\n"
    assert defects.failing(Step("units", "units", ()), printed) == name


@pytest.mark.usefixtures("steps")
def test_only_what_has_survived_is_tried_again_with_other_tests(tmp_path: Path) -> None:
    results = Results(tmp_path / "defects.json", "tests")
    caught = replace(DEFECT, line=2)
    results.put(DEFECT, Attempt(Fake(), "near", 60, 1).on(DEFECT, NOT_TRIED))
    results.put(caught, Attempt(Fake(), "units", 60, 1).on(caught, NOT_TRIED))
    assert Results(results.file, "tests").of.keys() == {DEFECT.key, caught.key}
    assert Results(results.file, "other").of.keys() == {caught.key}


def test_a_step_without_an_end_is_ended(tmp_path: Path) -> None:
    copy = Fake()
    copy.root = copy.folder = tmp_path
    assert Copy.run(copy, ("-c", "import time; time.sleep(60)"), 0.5) == (None, "")


def test_what_has_been_caught_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(tmp_path / "defects.json", "tests")
    results.put(DEFECT, {"by": "tests/test_a.py::test_b", "done": [], "seconds": 3})
    monkeypatch.setattr(defects, "Copy", lambda folder: Fake())
    asked = argparse.Namespace(jobs=1, stage="all", limit=60)
    before = results.file.stat().st_mtime_ns
    defects.try_all({1: DEFECT}, results, asked, again=False)
    assert results.file.stat().st_mtime_ns == before
