"""Times the whole of BACI on its way: landed, checked, built and published, beside the least of it.

    python benchmarks/rows.py --rows 11000000 --years 1 --rounds 3

Each measurement is a process of its own, interleaved with the others. `bare` unzips the archive
and writes its yearly files as Parquet. `land` is `kido land` with `KIDO_SCOPE=all`, imports aside.
`floor` is one hand-written script from the archive to BACI's three tables (benchmarks/floor.py).
`build` is `kido build` in the home that was landed in, with all else that a build does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

BESIDE = {"land": "bare", "build": "floor"}
"""What each step is compared with."""


def bare(archive: Path, work: Path) -> Callable[[], object]:
    """Unzip each yearly file and write it as Parquet."""
    import polars as pl

    def run() -> None:
        with zipfile.ZipFile(archive) as members:
            for name in members.namelist():
                if "_Y" in name:
                    file = Path(members.extract(name, work))
                    pl.scan_csv(file).sink_parquet(file.with_suffix(".parquet"))
                    file.unlink()

    return run


def land(archive: Path, work: Path) -> Callable[[], object]:
    """`kido land baci`, its imports aside."""
    from dagster_project.intake.land import land_files
    from dagster_project.quality.runner import great_expectations
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    great_expectations()
    settings, source = Settings.load(home=work / "home"), source_named("baci")
    # Made-up figures are no revision of the bundled ones.
    return lambda: land_files(settings, source, [archive], replace_all=True)


def floor(archive: Path, work: Path) -> Callable[[], object]:
    """The hand-written script."""
    from benchmarks.floor import build as build_floor

    return lambda: build_floor(archive, work / "floor.duckdb")


def build(archive: Path, work: Path) -> Callable[[], object]:
    """`kido build`, as at a terminal."""
    command = [str(Path(sys.executable).with_name("kido")), "build"]
    environment = {**os.environ, "KIDO_HOME": str(work / "home")}
    return lambda: subprocess.run(
        command, check=True, env=environment, stdout=subprocess.DEVNULL, cwd=CHECKOUT
    )


STEPS = {"bare": bare, "land": land, "floor": floor, "build": build}


def measure(step: str, archive: Path, work: Path) -> None:
    """Run one step in this process; print its seconds and its peak memory (or its child's)."""
    run = STEPS[step](archive, work)
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"s": seconds, "gb": peak / 1e6}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=11_000_000, help="of each year")
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", help="KIDO_MEMORY of the build, e.g. 1GB")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, archive, work = options.step
        measure(step, Path(archive), Path(work))
        return

    environment = {**os.environ, "KIDO_SCOPE": "all"}
    if options.memory:
        environment["KIDO_MEMORY"] = options.memory
    found: dict[str, list[dict[str, float]]] = {step: [] for step in STEPS}
    with tempfile.TemporaryDirectory(prefix="kido-bench-") as folder:
        archive = Path(folder) / "BACI_HS22_V202601.zip"
        subprocess.run(
            [sys.executable, str(CHECKOUT / "benchmarks" / "generated_baci.py"), str(archive),
             "--rows", str(options.rows), "--years", str(options.years)],
            check=True,
        )  # fmt: skip
        for _ in range(options.rounds):
            work = Path(folder) / "work"
            work.mkdir()
            for step in STEPS:
                said = subprocess.run(
                    [sys.executable, __file__, "--step", step, str(archive), str(work)],
                    check=True, capture_output=True, text=True, env=environment,
                ).stdout  # fmt: skip
                found[step].append(json.loads(said.splitlines()[-1]))
            shutil.rmtree(work)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {options.years} x {options.rows:,} rows, "
        f"{options.rounds} rounds, median (least to most)"
    )
    for step, runs in found.items():
        seconds = [run["s"] for run in runs]
        memory = statistics.median(run["gb"] for run in runs)
        line = (
            f"  {step:6} {statistics.median(seconds):7.1f} s ({min(seconds):.1f} to "
            f"{max(seconds):.1f})  {memory:5.2f} GB"
        )
        if step in BESIDE:
            pairs = zip(runs, found[BESIDE[step]], strict=True)
            ratio = statistics.median(run["s"] / base["s"] for run, base in pairs)
            line += f"  {ratio:5.2f} x {BESIDE[step]}"
        print(line)


if __name__ == "__main__":
    main()
