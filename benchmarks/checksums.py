"""Times a build that compares the files of the lake with their checksums beside one that does not.

    python benchmarks/checksums.py --rows 11000000 --pairs 5

Both build the same landed rows, each in a home and a process of its own, in turn. What is compared
are the ratios of the pairs. On a machine where single builds scatter by more than the files cost,
these show nothing: one more build says how long its comparisons took (`--pairs 0`: only this one).
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))
KIDO = [sys.executable, "-m", "dagster_project.cli"]
BUILD = [sys.executable, str(Path(__file__).resolve()), "--build"]
UNCOMPARED = [*BUILD, "uncompared"]
COMPARED = [*BUILD, "compared"]
TIMED = [*BUILD, "timed"]


def build(how: str) -> None:
    """`kido build`; `uncompared` takes every file of the lake as it is. Only for measuring.

    `timed` prints at the end how long the comparisons took.
    """
    from dagster_project.cli import app
    from dagster_project.lake import tables

    compare, spent = tables.is_as_written, []

    def exists(path: Path, file: Any) -> bool:
        path.stat()
        return True

    def timed(path: Path, file: Any) -> bool:
        started = time.perf_counter()
        try:
            return compare(path, file)
        finally:
            spent.append(time.perf_counter() - started)

    tables.is_as_written = {"uncompared": exists, "timed": timed}.get(how, compare)
    started = time.perf_counter()
    code = app(["build"], standalone_mode=False)
    if code:
        sys.exit(code)
    if how == "timed":
        whole = time.perf_counter() - started
        print(f"{sum(spent):.2f} s of {whole:.0f} s in {len(spent)} comparisons")


def measure(home: Path, folder: Path, pairs: int, settings: dict[str, str]) -> None:
    from benchmarks.rows import cost_of

    ratios, of_cores, seconds = [], [], []
    for number in range(pairs):
        costs = {}
        order = (COMPARED, UNCOMPARED)
        for command in order if number % 2 == 0 else reversed(order):
            own = folder / "own"
            shutil.copytree(home, own, symlinks=True)
            costs[command is UNCOMPARED] = cost_of(command, {**settings, "KIDO_HOME": str(own)})
            shutil.rmtree(own)
        ratios.append(costs[False].seconds / costs[True].seconds)
        of_cores.append(costs[False].core_seconds / costs[True].core_seconds)
        seconds.append(costs[False].seconds)
        print(
            f"  pair {number + 1}: {costs[False].seconds:.1f} s compared, "
            f"{costs[True].seconds:.1f} s not: {ratios[-1]:.3f} x; "
            f"of cores {costs[False].core_seconds:.1f} and {costs[True].core_seconds:.1f} s: "
            f"{of_cores[-1]:.3f} x",
            flush=True,
        )
    if not ratios:
        return
    print(
        f"  medians: {statistics.median(seconds):.1f} s, {statistics.median(ratios):.3f} x, "
        f"of cores {statistics.median(of_cores):.3f} x"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=11_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--scope", default="all", help="KIDO_SCOPE of landing and build")
    asked = parser.parse_args()
    settings = {"KIDO_SCOPE": asked.scope}
    from benchmarks.rows import cost_of

    with tempfile.TemporaryDirectory(prefix="kido-checksums-") as name:
        folder = Path(name)
        archive, home = folder / "BACI_HS22_V202601.zip", folder / "home"
        home.mkdir()
        subprocess.run(
            [sys.executable, str(CHECKOUT / "benchmarks" / "generated_baci.py"), str(archive),
             "--rows", str(asked.rows), "--years", "1"],
            check=True,
        )  # fmt: skip
        cost_of([*KIDO, "prepare"], {})
        landing = [*KIDO, "land", "baci", str(archive), "--replace"]
        cost_of(landing, {**settings, "KIDO_HOME": str(home)})
        print(
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
            f"Python {platform.python_version()}, {asked.rows:,} rows, scope {asked.scope}",
            flush=True,
        )
        measure(home, folder, asked.pairs, settings)
        timed = subprocess.run(
            TIMED, cwd=CHECKOUT, env={**os.environ, **settings, "KIDO_HOME": str(home)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        print(f"  of one build: {timed.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        build(sys.argv[2])
    else:
        main()
