"""Times a build that compares the files of the lake with their checksums beside one that does not.

    python benchmarks/checksums.py --rows 11000000 --pairs 5

Both build the same landed rows, each in a home and a process of its own, in turn. What is compared
are the ratios of the pairs.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))
KIDO = [sys.executable, "-m", "dagster_project.cli"]
BUILD = [sys.executable, str(Path(__file__).resolve()), "--build"]
UNCOMPARED = [*BUILD, "uncompared"]
COMPARED = [*BUILD, "compared"]


def build(how: str) -> None:
    """`kido build`; `uncompared` takes every file of the lake as it is. Only for measuring."""
    from dagster_project.cli import app
    from dagster_project.lake import tables

    def exists(path: Path, file: Any) -> bool:
        path.stat()
        return True

    if how == "uncompared":
        tables.is_as_written = exists
    app(["build"])


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


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        build(sys.argv[2])
    else:
        main()
