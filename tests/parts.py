"""What `make test` and `make nightly` run, part by part: the order, the times, what has passed.

Which tests are left to the night is said in `tests/nightly.py`, in which order files run in
`tests/order.py`. No tests here.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
STATE = CHECKOUT / ".nightly_cache" / "parts.json"
CODE = (
    "dagster_project", "dbt", "tests", "benchmarks", "deploy", "docs", "pyproject.toml",
    "requirements.lock", "Makefile",
)  # fmt: skip
"""What can change the result of a test."""

LONGEST = 8
"""No part of the night takes more times as long as `make test`."""

NOTHING_TO_RUN = 5
"""pytest's exit code where it has selected no test."""

Command = tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """Commands that run side by side; it passes if all of them do."""

    name: str
    commands: tuple[Command, ...]


def tool(name: str, *arguments: str) -> Command:
    return (str(BIN / name), *arguments)


def tests(*arguments: str) -> Command:
    """Whole files, the longest first: what tests share is made once, no worker waits at the end.

    `-s` is not possible with several workers; for one test call pytest itself.
    """
    return tool("pytest", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", *arguments)


DAY = (
    Part("lint", (tool("ruff", "check", "."), tool("ruff", "format", "--check", "."))),
    Part("types and SQL", (tool("mypy"), tool("sqlfluff", "lint", "dbt", "--processes", "0"))),
    Part("units", (tests("tests/unit"),)),
    Part("integration", (tests("tests/integration"),)),
    Part("stories", (tests("tests/e2e"),)),
)

NIGHT: Mapping[str, tuple[str, ...]] = {
    "tools": ("*/test_tools_of_the_night.py",),
    "benchmarks": ("*/test_benchmarks.py",),
    "kills": ("*kill*", "*torn*", "*at_once*", "*/serving/test_publication.py"),
    "disks": ("*disk*", "*damaged*", "*read_only*"),
    "slips": ("*slips*", "*totals_and_parts*"),
    "hostile": ("*hostile*", "*mutations*", "*faults_of_files*"),
    "scale": ("*/test_floor.py", "*large_doc*", "*test_resume*", "*real_year*", "*all_products*"),
    "months": ("*month*", "*year*", "*today*", "*lapses*", "*schedules*", "*period*"),
    "stories": ("tests/e2e/*",),
    "others": ("*",),
}
"""Which files a part of the night runs: those of the first pattern that matches."""


def night_files() -> Mapping[str, Sequence[str]]:
    """The files of tests of each part; each file is in one."""
    files: dict[str, list[str]] = {part: [] for part in NIGHT}
    for path in sorted((CHECKOUT / "tests").rglob("test_*.py")):
        file = path.relative_to(CHECKOUT).as_posix()
        files[
            next(
                part
                for part, patterns in NIGHT.items()
                if any(fnmatch.fnmatch(file, pattern) for pattern in patterns)
            )
        ].append(file)
    return files


def night() -> tuple[Part, ...]:
    return tuple(Part(name, (tests("--rest", *of),)) for name, of in night_files().items() if of)


def code_version(checkout: Path = CHECKOUT, folders: Sequence[str] = CODE) -> str:
    """A hash of every file that can change a result, committed or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=checkout, capture_output=True, check=True,
    )  # fmt: skip
    digest = hashlib.sha256(sys.version.encode())
    for name in sorted(set(listed.stdout.split(b"\0")) - {b""}):
        path = checkout / name.decode()
        if path.is_file():
            digest.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


class State:
    """What has passed for which code, and how long `make test` took, in a file."""

    def __init__(self, file: Path, code: str) -> None:
        self.file = file
        known = json.loads(file.read_text("utf8")) if file.exists() else {}
        self.code = code
        self.day_s: float | None = known.get("day_s")
        self.passed: dict[str, float] = known["passed"] if known.get("code") == code else {}

    def save(self) -> None:
        self.file.parent.mkdir(exist_ok=True)
        content = {"code": self.code, "day_s": self.day_s, "passed": self.passed}
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(content, indent=2) + "\n", "utf8")
        new.replace(self.file)


def run(part: Part, passing: tuple[int, ...] = (0,)) -> tuple[bool, float]:
    """Whether all commands of a part passed, and how many seconds they took."""
    print(f"==== {part.name}", flush=True)
    begun = time.monotonic()
    running = [subprocess.Popen(command, cwd=CHECKOUT) for command in part.commands]
    codes = [process.wait() for process in running]
    return all(code in passing for code in codes), time.monotonic() - begun


def by_day(parts: Sequence[Part], state: State) -> list[str]:
    """Run the parts until one fails; a line of each."""
    lines, total = [], 0.0
    for number, part in enumerate(parts):
        has_passed, seconds = run(part)
        total += seconds
        lines.append(f"{part.name:15} {shown(seconds)}  {'passed' if has_passed else 'FAILED'}")
        if not has_passed:
            return lines + [f"{later.name:15} {'':>8}  not run" for later in parts[number + 1 :]]
    state.day_s = total
    state.save()
    return [*lines, f"{'in all':15} {shown(total)}"]


def by_night(parts: Sequence[Part], state: State, say: Callable[[str], None] = print) -> list[str]:
    """Run the parts that have not passed for this code; a line of each."""
    lines = []
    for part in parts:
        if part.name in state.passed:
            seconds = state.passed[part.name]
            lines.append(f"{part.name:15} {shown(seconds)}  passed before")
            continue
        has_passed, seconds = run(part, (0, NOTHING_TO_RUN))
        if has_passed:
            state.passed[part.name] = seconds
            state.save()
        times = f", {seconds / state.day_s:.1f} times make test" if state.day_s else ""
        if state.day_s and seconds > LONGEST * state.day_s:
            times += f": TOO LONG, at most {LONGEST}"
        outcome = "passed" if has_passed else "FAILED"
        lines.append(f"{part.name:15} {shown(seconds)}  {outcome}{times}")
        say(lines[-1])
    return lines


def shown(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:4}:{rest:02}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("when", choices=("day", "night"))
    parser.add_argument("--part", help="one part of the night, also if it has passed")
    asked = parser.parse_args(arguments)
    state = State(STATE, code_version())
    if asked.when == "day":
        lines = by_day(DAY, state)
    else:
        parts = {part.name: part for part in night()}
        if asked.part and asked.part not in parts:
            parser.error(f"no part is named {asked.part}; there are {', '.join(parts)}")
        state.passed.pop(asked.part, None)
        chosen = [parts[asked.part]] if asked.part else list(parts.values())
        lines = by_night(chosen, state)
        left = [name for name in parts if name not in state.passed]
        lines.append(f"left: {', '.join(left)}" if left else "left: nothing")
    print("====", *lines, sep="\n")
    return int(any("FAILED" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
