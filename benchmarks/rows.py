"""Times many rows on their way beside the least they cost, in one run, interleaved.

    python benchmarks/rows.py --rows 11000000 --years 1 --rounds 3

Every step is a command in a process of its own; what is compared are medians of its wall time and
of the most memory it held. `bare` unzips CEPII's archive and writes its rows as Parquet;
`unchecked` lands without the checks (benchmarks/unchecked.py); `floor` is one hand-written script
from the archive to the three tables of BACI (benchmarks/floor.py). The imports of the two ways of
landing are steps of their own: what lies between is the work.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BENCHMARKS = CHECKOUT / "benchmarks"
STEPS = ("bare", "imports", "land", "imports_unchecked", "unchecked", "build", "floor")
BESIDE = {"land": "bare", "unchecked": "bare", "build": "floor"}
"""What a step is held against."""
IMPORTS_OF = {"land": "imports", "unchecked": "imports_unchecked"}
"""The step that imports what a step does, and does nothing else."""

IMPORTS_UNCHECKED = """
import dagster_project.cli, dagster_project.intake.land
from dagster_project.sources.registry import source_named
source_named("baci")
"""
IMPORTS = f"""{IMPORTS_UNCHECKED}
from dagster_project.quality.runner import great_expectations
great_expectations()
"""

BARE = """
import sys, tempfile, zipfile
import polars as pl

with tempfile.TemporaryDirectory(dir=sys.argv[2]) as folder:
    with zipfile.ZipFile(sys.argv[1]) as members:
        members.extractall(folder)
    pl.scan_csv(
        f"{folder}/BACI_HS*.csv", null_values="NA",
        schema_overrides={"k": pl.String, "v": pl.Float64, "q": pl.Float64},
    ).sink_parquet(f"{sys.argv[2]}/bare.parquet", compression="zstd")
"""


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of all cores, and the most memory held in MB."""

    seconds: float
    core_seconds: float
    megabytes: float


def cost_of(command: Sequence[str], settings: dict[str, str]) -> Cost:
    """What a command costs in a fresh process; its last lines, and the end, where it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIDO_")}
    with tempfile.TemporaryFile("w+", encoding="utf8") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=CHECKOUT, env={**inherited, **settings}, stdout=output, stderr=output
        )
        _, status, used = os.wait4(child.pid, 0)
        taken = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)}\n{''.join(output.readlines()[-20:])}")
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    return Cost(taken, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def commands(archive: Path, home: Path) -> dict[str, list[str]]:
    """Every step's command; they are given a home that is empty before the first."""
    python, kido = sys.executable, [sys.executable, "-m", "dagster_project.cli"]
    return {
        "bare": [python, "-c", BARE, str(archive), str(home)],
        "imports": [python, "-c", IMPORTS],
        "land": [*kido, "land", "baci", str(archive), "--replace"],
        "imports_unchecked": [python, "-c", IMPORTS_UNCHECKED],
        "unchecked": [python, str(BENCHMARKS / "unchecked.py"), "baci", str(archive)],
        "build": [*kido, "build"],
        "floor": [python, str(BENCHMARKS / "floor.py"), str(archive), str(home / "floor.duckdb")],
    }


def measure(
    archive: Path, folder: Path, rounds: int, steps: Sequence[str], settings: dict[str, str]
) -> dict[str, list[Cost]]:
    """The costs of each step, a figure a round; the rounds are interleaved."""
    costs: dict[str, list[Cost]] = {step: [] for step in steps}
    for number in range(rounds):
        home = folder / str(number)
        home.mkdir()
        for step in steps:
            # What was landed unchecked is no part of a home that is built.
            own = home / step if step == "unchecked" else home
            command = commands(archive, own)[step]
            costs[step].append(cost_of(command, {**settings, "KIDO_HOME": str(own)}))
        shutil.rmtree(home)
    return costs


def table(costs: dict[str, list[Cost]]) -> list[str]:
    """A line a step: medians, least and most, and how many times what it is held against."""
    lines = []
    for step, found in costs.items():
        seconds = [cost.seconds for cost in found]
        memory = statistics.median(cost.megabytes for cost in found)
        of_cores = statistics.median(cost.core_seconds for cost in found)
        line = (
            f"  {step:17} {statistics.median(seconds):8.2f} s ({min(seconds):.2f} to "
            f"{max(seconds):.2f}) {of_cores:8.2f} s of cores  {memory:7,.0f} MB"
        )
        base = BESIDE.get(step)
        if base in costs:
            pairs = list(zip(found, costs[base], strict=True))
            times = statistics.median(mine.seconds / its.seconds for mine, its in pairs)
            more = statistics.median(mine.megabytes - its.megabytes for mine, its in pairs)
            line += f"   {times:5.2f} x {base}, {more:+,.0f} MB"
            imports = IMPORTS_OF.get(step)
            if imports in costs:
                work = statistics.median(
                    (mine.seconds - its.seconds) / bare.seconds
                    for mine, its, bare in zip(found, costs[imports], costs[base], strict=True)
                )
                line += f"; {work:.2f} x without imports"
        lines.append(line)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=11_000_000, help="of each year")
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", default=",".join(STEPS), help=f"some of {', '.join(STEPS)}")
    parser.add_argument("--scope", default="all", help="KIDO_SCOPE of landing and build")
    parser.add_argument("--memory", help="KIDO_MEMORY of the build, e.g. 1GB")
    parser.add_argument("--nomenclature", type=Path, help="CSV with the HS codes to have flows of")
    asked = parser.parse_args()
    steps = asked.steps.split(",")
    if unknown := set(steps) - set(STEPS):
        parser.error(f"no step is named {', '.join(sorted(unknown))}")

    settings = {"KIDO_SCOPE": asked.scope} | ({"KIDO_MEMORY": asked.memory} if asked.memory else {})
    folder = Path(tempfile.mkdtemp(prefix="kido-rows-"))
    try:
        archive = folder / "BACI_HS22_V202601.zip"
        generate = [
            sys.executable, str(BENCHMARKS / "generated_baci.py"), str(archive),
            "--rows", str(asked.rows), "--years", str(asked.years),
        ]  # fmt: skip
        if asked.nomenclature:
            generate += ["--nomenclature", str(asked.nomenclature)]
        subprocess.run(generate, check=True)
        cost_of([sys.executable, "-m", "dagster_project.cli", "prepare"], {})
        costs = measure(archive, folder, asked.rounds, steps, settings)
        size = archive.stat().st_size / 1e6
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {asked.years} x {asked.rows:,} rows "
        f"({size:,.0f} MB packed), {asked.rounds} rounds, median (least to most)"
    )
    print("\n".join(table(costs)))


if __name__ == "__main__":
    main()
