"""`make defects`: puts seeded defects into copies of the checkout and runs tests until one fails.

Which defects these are says `tests/seeded_defects.py`. Near tests run first: dbt's unit tests of a
model, the unit tests of a module. Outcomes are kept for a seed and the code as it is; what has
survived is tried again when the tests change.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from dagster_project.orchestration import dbt_runner
from dagster_project.orchestration.dbt_runner import STAMP
from tests.parts import CHECKOUT, STATE, code_version
from tests.seeded_defects import Defect, draw

SEED = 57
LEAST_S, LIMIT_S = 1, 7200
STAGES = ("near", "room", "units", "all")
DOES_NOT_COMPILE = 3
PROJECT = "test_dbt_project.py"
"""It names every table, and has a step of its own."""
IN_DBT = ("-m", "tests.defects_in_dbt")
PRODUCT, TESTS = ("dagster_project", "dbt"), ("tests", "pyproject.toml", "requirements.lock")
PREPARED = ("dbt/target", "dbt/models/staging/generated")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A command that fails if it catches a defect; `finest` stage of which it is part."""

    name: str
    stage: str
    arguments: tuple[str, ...]


def pytest_on(*arguments: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-x", "-q", "--tb=no", "-rfE", *arguments)


def steps_for(defect: Defect, root: Path, workers: int) -> list[Step]:
    """The tests most likely to catch a defect first, then the rest in the order of `make test`."""
    spread = ("-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder")
    if defect.file.endswith(".sql"):
        near = [
            Step("dbt's unit tests", "near", (*IN_DBT, defect.file)),
            *(
                Step(f"{folder} that name it", stage, pytest_on(*files))
                for folder, stage in (("unit", "room"), ("integration", "room"), ("e2e", "all"))
                if (files := naming(Path(defect.file), root / "tests" / folder, root))
            ),
            Step("dbt project", "units", pytest_on(f"tests/unit/{PROJECT}")),
        ]
    else:
        near = [
            Step(f"{step} tests", stage, pytest_on(*targets))
            for step, stage, targets in near_tests(Path(defect.file), root)
        ]
        near.append(Step("types", "units", ("-m", "mypy")))
    return [
        *near,
        Step("units", "units", pytest_on("tests/unit", *spread)),
        Step("integration", "all", pytest_on("tests/integration", *spread)),
        Step("stories", "all", pytest_on("tests/e2e", *spread)),
    ]


def naming(model: Path, folder: Path, root: Path) -> list[str]:
    """Files of tests in which the table of a model stands, as `schema.table` or without schema if
    it is that of a step.
    """
    table = model.stem.partition("__")[2] or f"{model.parent.name}.{model.stem}"
    return sorted(
        str(path.relative_to(root))
        for path in folder.rglob("test_*.py")
        if path.name != PROJECT and re.search(rf"\b{re.escape(table)}\b", path.read_text("utf8"))
    )


def near_tests(module: Path, root: Path) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Files of tests that are named like a module or its package, then the folder of its room."""
    room = root / "tests" / "unit" / Path(*module.parent.parts[1:])
    named = [*room.glob(f"test_*{module.stem}*.py"), *room.parent.glob(f"test_{room.name}*.py")]
    if named:
        yield "its own", "near", sorted(str(path.relative_to(root)) for path in named)
    while not room.is_dir():
        room = room.parent
    if room.name != "unit":
        yield "its room's", "room", [str(room.relative_to(root))]


class Copy:
    """A copy of the checkout that runs its own code with the installed packages."""

    process: subprocess.Popen[str] | None = None

    def __init__(self, folder: Path) -> None:
        self.root, self.folder = folder / "kido", folder
        subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(self.root)], check=True)
        for name in changed_files():
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (CHECKOUT / name).exists():
                shutil.copy2(CHECKOUT / name, target)
            else:
                target.unlink(missing_ok=True)
        (self.root / ".venv").symlink_to(Path(sys.prefix))
        shared = CHECKOUT.parent / "shared"
        if shared.exists():
            (folder / "shared").symlink_to(shared.resolve())
        self.restore_prepared()
        self.make_empty()

    def make_empty(self) -> None:
        """The relations of which dbt's unit tests take the types, without a defect."""
        code, printed = self.run((*IN_DBT, "--empty"), LIMIT_S)
        assert code == 0, printed

    def restore_prepared(self) -> None:
        """Let what dbt prepares be that of the checkout, without a defect."""
        for name in PREPARED:
            shutil.rmtree(self.root / name, ignore_errors=True)
            if (CHECKOUT / name).exists():
                shutil.copytree(CHECKOUT / name, self.root / name)

    @contextmanager
    def with_defect(self, defect: Defect) -> Iterator[None]:
        path = self.root / defect.file
        before = path.read_bytes()
        # A module that is compiled is known by its size and the second of its last change.
        time.sleep(LEAST_S)
        defect.apply(self.root)
        # Python, too, is part of what dbt prepares, and that is known by its SQL alone.
        (self.root / "dbt" / "target" / STAMP.name).unlink(missing_ok=True)
        try:
            yield
        finally:
            time.sleep(LEAST_S)
            path.write_bytes(before)
            self.restore_prepared()

    def run(self, arguments: Sequence[str], limit: float) -> tuple[int | None, str]:
        """The exit code, None if there is no end in time, and what was printed."""
        environment = {
            **os.environ, "PYTHONPATH": str(self.root), "TMPDIR": str(self.folder),
            "KIDO_DEFECTS": str(self.folder),
        }  # fmt: skip
        with subprocess.Popen(
            [sys.executable, *arguments], cwd=self.root, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        ) as self.process:  # fmt: skip
            try:
                printed, _ = self.process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                self.kill()
                return None, ""
        code = self.process.returncode
        return (None if code == -signal.SIGKILL else code), printed

    def kill(self) -> None:
        """End what runs in the copy, with all its processes."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


def changed_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.split("\0") if name]


Outcome = dict[str, Any]
"""`by`: the test that failed, "" if none did; `done`: the steps that passed; `seconds`; `late`: the
step that did not end in time, after which none was run.
"""

NOT_TRIED: Outcome = {"by": "", "done": [], "seconds": 0.0}


class Attempt:
    """Runs the steps that are not done yet on a defect, until one fails."""

    def __init__(self, copy: Copy, stage: str, limit: float, workers: int) -> None:
        self.copy, self.stage, self.limit, self.workers = copy, stage, limit, workers

    def on(self, defect: Defect, known: Outcome) -> Outcome:
        outcome: Outcome = {**NOT_TRIED, **known, "done": [*known["done"]]}
        outcome.pop("late", None)
        deselected: list[str] = []
        deadline = time.monotonic() + self.limit
        steps = steps_left(defect, outcome, self.stage, self.copy.root, self.workers)
        while steps and not outcome["by"]:
            step, begun = steps[0], time.monotonic()
            arguments = [*step.arguments, *(f"--deselect={name}" for name in deselected)]
            with self.copy.with_defect(defect):
                code, printed = self.copy.run(arguments, max(LEAST_S, deadline - begun))
            outcome["seconds"] += round(time.monotonic() - begun, 1)
            if code == DOES_NOT_COMPILE and step.arguments[:2] == IN_DBT:
                return {**outcome, "by": "does not compile"}
            if code is None:
                return {**outcome, "late": f"no end of {step.name} in time"}
            if code in (0, 5):
                outcome["done"].append(step.name)
                steps.pop(0)
            elif not self.fails_anyway(by := failing(step, printed)):
                outcome["by"] = by
            elif by in deselected:
                outcome["by"] = f"nothing: {by} cannot be left out and fails anyway"
            else:
                deselected.append(by)
        return outcome

    def fails_anyway(self, test: str) -> bool:
        """Whether a test also fails in the copy without the defect: then it caught nothing."""
        if not test.startswith("tests/"):
            return False
        code, _ = self.copy.run(pytest_on(test), self.limit)
        return code in (1, 2)  # not 4: a name that pytest does not find


def failing(step: Step, printed: str) -> str:
    """The name of the first test that failed, without the group that xdist puts behind it."""
    found = FAILED.search(printed)
    return (
        re.sub(r"@[^@\]]*$", "", found[1])
        if found
        else f"{step.name}: {' '.join(printed.split())[-160:]}"
    )


class Results:
    """Outcomes by defect in a file, of one seed and one state of the code without its tests."""

    def __init__(self, file: Path, tests: str) -> None:
        self.file, self.tests, self.lock = file, tests, threading.Lock()
        known = json.loads(file.read_text("utf8")) if file.exists() else {}
        self.of: dict[str, Outcome] = {
            key: of for key, of in known.items() if of["by"] or of["tests"] == tests
        }

    def put(self, defect: Defect, outcome: Outcome) -> None:
        with self.lock:
            self.of[defect.key] = {**outcome, "tests": self.tests}
            self.file.parent.mkdir(exist_ok=True)
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps(self.of, indent=1) + "\n", "utf8")
            new.replace(self.file)

    def invalid(self) -> frozenset[str]:
        return frozenset(key for key, of in self.of.items() if of["by"] == "does not compile")


def line_of(number: int, defect: Defect, outcome: Outcome | None) -> str:
    def short(text: str) -> str:
        text = " ".join(text.split())
        return text if len(text) <= 60 else f"{text[:57]}..."

    change = f"{short(defect.before)} -> {short(defect.after) or 'nothing'}"
    line = f"{number:2} {defect.file}:{defect.line}  {defect.kind}: {change}"
    if outcome is None:
        return line
    if outcome["by"]:
        return f"{line}\n     caught by {outcome['by']} after {outcome['seconds']:.0f} s"
    if "late" in outcome:
        return f"{line}\n     NOT KNOWN: {outcome['late']}"
    return f"{line}\n     SURVIVED {', '.join(outcome['done'])} ({outcome['seconds']:.0f} s)"


def steps_left(
    defect: Defect, outcome: Outcome, stage: str, root: Path, workers: int
) -> list[Step]:
    """None if the defect has been caught."""
    stages = STAGES[: STAGES.index(stage) + 1]
    return [
        step
        for step in steps_for(defect, root, workers)
        if not outcome["by"] and step.stage in stages and step.name not in outcome["done"]
    ]


def try_all(
    numbers: Mapping[int, Defect], results: Results, asked: argparse.Namespace, again: bool
) -> None:
    workers = max(1, (os.cpu_count() or 1) // asked.jobs)
    known = {
        n: NOT_TRIED if again else results.of.get(of.key, NOT_TRIED) for n, of in numbers.items()
    }
    untried = [
        n for n, of in numbers.items() if steps_left(of, known[n], asked.stage, CHECKOUT, workers)
    ]
    if not untried:
        return
    with tempfile.TemporaryDirectory(prefix="kido-defects-") as folder:
        attempts: Queue[Attempt] = Queue()
        copies = [Copy(Path(folder) / str(number)) for number in range(asked.jobs)]
        for copy in copies:
            attempts.put(Attempt(copy, asked.stage, asked.limit, workers))

        def attempt(number: int) -> None:
            defect, mine = numbers[number], attempts.get()
            try:
                results.put(defect, mine.on(defect, known[number]))
            finally:
                attempts.put(mine)
            print(line_of(number, defect, results.of[defect.key]), flush=True)

        with ThreadPoolExecutor(asked.jobs) as pool:
            try:
                list(pool.map(attempt, untried))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for copy in copies:
                    copy.kill()
                raise


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if a defect has survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="numbers, as 3,17; they are tried again")
    parser.add_argument("--list", action="store_true", help="show the defects and what is known")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=1, help="so many copies side by side")
    parser.add_argument("--stage", choices=STAGES, default="all", help="the last tests to run")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds for a defect")
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    dbt_runner.prepare()
    product, tests = (code_version(folders=folders) for folders in (PRODUCT, TESTS))
    results = Results(STATE.with_name(f"defects-{asked.seed}-{product}.json"), tests)
    while True:
        numbers = dict(enumerate(draw(CHECKOUT, asked.seed, results.invalid()), 1))
        if asked.list:
            break
        only = {int(each) for each in asked.only.split(",")} if asked.only else set(numbers)
        invalid = results.invalid()
        try_all({n: numbers[n] for n in sorted(only)}, results, asked, bool(asked.only))
        if results.invalid() == invalid:
            break
        # Others take the place of those that do not compile.
    lines = [line_of(n, defect, results.of.get(defect.key)) for n, defect in numbers.items()]
    print("====", *lines, sep="\n")
    known = [results.of.get(each.key, {"by": "", "late": "not tried"}) for each in numbers.values()]
    left = sum("late" in of for of in known)
    survived = sum(not of["by"] and "late" not in of for of in known)
    print(f"{len(known) - survived - left} caught, {survived} survived, {left} not known")
    return int(survived > 0 and not asked.list)


if __name__ == "__main__":
    sys.exit(main())
