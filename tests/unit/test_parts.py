"""In which parts tests run by day and at night, what is repeated, and in which order.

With tiny commands in place of the real parts.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests import order, parts
from tests.conftest import CHECKOUT
from tests.parts import NIGHT, Part, State, by_day, by_night, code_version, night_files


def command(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def part(name: str, *, log: Path, code: int = 0) -> Part:
    """A part that writes its name and ends with a code."""
    return Part(name, (command(f"open({str(log)!r}, 'a').write('{name} '); exit({code})"),))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log"
    file.touch()
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "parts.json"


def test_the_day_ends_at_the_first_part_that_fails(log: Path, file: Path) -> None:
    asked = [part("lint", log=log), part("units", log=log, code=1), part("stories", log=log)]
    lines = by_day(asked, State(file, "code"))
    assert log.read_text() == "lint units "
    assert [line.split()[0::2] for line in lines] == [
        ["lint", "passed"], ["units", "FAILED"], ["stories", "run"],
    ]  # fmt: skip


def test_a_part_of_several_commands_fails_if_one_of_them_fails(log: Path, file: Path) -> None:
    two = Part("types", (*part("a", log=log, code=1).commands, *part("b", log=log).commands))
    assert "FAILED" in by_day([two], State(file, "code"))[0]
    assert sorted(log.read_text().split()) == ["a", "b"]


def test_the_night_does_not_repeat_what_has_passed(log: Path, file: Path) -> None:
    kills, slips = part("kills", log=log), part("slips", log=log, code=1)
    by_night([kills, slips], State(file, "code"))
    lines = by_night([kills, part("slips", log=log)], State(file, "code"))
    assert log.read_text() == "kills slips slips "
    assert [line.split(maxsplit=2)[2] for line in lines] == ["passed before", "passed"]


def test_the_night_of_other_code_begins_anew(log: Path, file: Path) -> None:
    by_night([part("kills", log=log)], State(file, "code"))
    by_night([part("kills", log=log)], State(file, "other"))
    assert log.read_text() == "kills kills "


def test_a_night_that_is_killed_goes_on_after_the_last_part_passed(log: Path, file: Path) -> None:
    def die(line: str) -> None:
        raise KeyboardInterrupt

    both = [part("kills", log=log), part("slips", log=log)]
    with pytest.raises(KeyboardInterrupt):
        by_night(both, State(file, "code"), die)
    by_night(both, State(file, "code"))
    assert log.read_text() == "kills slips "


def test_a_part_in_which_nothing_is_left_to_the_night_passes(log: Path, file: Path) -> None:
    (line,) = by_night([part("others", log=log, code=5)], State(file, "code"))
    assert line.endswith("passed")


def test_a_part_is_too_long_beyond_eight_times_the_day(log: Path, file: Path) -> None:
    state = State(file, "code")
    state.day_s = 1e-6
    (line,) = by_night([part("kills", log=log)], state)
    assert line.endswith("TOO LONG, at most 8")


def test_each_file_of_tests_is_in_one_part_of_the_night() -> None:
    files = Counter(file for of in night_files().values() for file in of)
    assert files == Counter(
        path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "tests").rglob("test_*.py")
    )
    assert [part for part, of in night_files().items() if not of] == []
    assert list(NIGHT)[-1] == "others"


def test_the_version_of_the_code_changes_with_a_file_not_yet_committed(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "tests").mkdir()
    first = code_version(tmp_path)
    (tmp_path / "tests" / "test_new.py").touch()
    second = code_version(tmp_path)
    (tmp_path / "tests" / "test_new.py").write_text("pass")
    (tmp_path / "notes.txt").touch()
    assert len({first, second, code_version(tmp_path)}) == 3


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (None, {"by_draw", "plain"}),
        ("--nightly", {"by_draw", "marked", "plain"}),
        ("--rest", {"by_draw", "marked"}),
    ],
)
def test_the_night_tries_what_the_day_has_left(
    option: str | None, expected: set[str], tmp_path: Path
) -> None:
    (tmp_path / "test_small.py").write_text(
        "from hypothesis import given, strategies as st\n"
        "from tests.nightly import nightly\n"
        "@nightly\ndef test_marked(): pass\n"
        "def test_plain(): pass\n"
        "@given(st.integers())\ndef test_by_draw(n): pass\n"
    )
    assert collected(tmp_path, *([option] if option else [])) == expected


def test_a_file_that_asks_how_much_to_try_is_for_the_night(tmp_path: Path) -> None:
    (tmp_path / "test_small.py").write_text(
        "from tests.nightly import times\nN = times(2, 1)\ndef test_plain(): pass\n"
    )
    (tmp_path / "test_helped.py").write_text(
        "from tests.integration import killing\ndef test_helped(): pass\n"
    )
    assert collected(tmp_path, "--rest") == {"plain", "helped"}


def collected(folder: Path, *options: str) -> set[str]:
    listed = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "tests.conftest", "--collect-only", "-q",
            "--rootdir", str(folder), "-c", "/dev/null", str(folder), *options,
        ],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return set(re.findall(r"::test_(\w+)", listed.stdout))


def test_the_files_that_take_longest_come_first() -> None:
    class Item:
        def __init__(self, nodeid: str) -> None:
            self.nodeid = nodeid

    items = [Item(name) for name in ("short.py::b", "short.py::a", "long.py::a", "longer.py::a")]
    order.longest_first(items, {"long.py": 10, "longer.py": 90})  # type: ignore[arg-type]
    assert [item.nodeid for item in items] == [
        "longer.py::a", "long.py::a", "short.py::b", "short.py::a",
    ]  # fmt: skip


def test_the_workflow_and_its_script_agree_on_the_limit() -> None:
    (workflow,) = (CHECKOUT / ".github" / "workflows").glob("*.yml")
    job = yaml.safe_load(workflow.read_text())["jobs"]["checks"]
    script = (CHECKOUT / ".ci" / "run").read_text()
    assert re.findall(r"\btimeout .*?(\d+)m \.ci/run", script) == [str(job["timeout-minutes"])]


def test_every_part_of_the_day_runs_a_tool_that_is_installed() -> None:
    commands = [command for each in parts.DAY for command in each.commands]
    assert [command[0] for command in commands if not Path(command[0]).exists()] == []


def test_seconds_of_files_that_have_run_are_written_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "tests" / "seconds.csv"
    table.parent.mkdir()
    for name in ("test_a.py", "test_b.py", "test_short.py"):
        (table.parent / name).touch()
    table.write_text("file,seconds\ntests/test_b.py,40\ntests/test_gone.py,90\n")
    monkeypatch.setattr(order, "TABLE", table)
    seconds = order.Seconds()
    for name, when, duration in (
        ("test_a", "setup", 7.0), ("test_a", "call", 5.4), ("test_short", "call", 9.9),
    ):  # fmt: skip
        seconds.pytest_runtest_logreport(
            pytest.TestReport(
                f"tests/{name}.py::test_it", ("", 0, ""), {}, "passed", None, when, (), duration
            )  # type: ignore[call-overload]
        )
    seconds.pytest_sessionfinish()
    assert table.read_text() == "file,seconds\ntests/test_a.py,12\ntests/test_b.py,40\n"
