"""Times a build against the import of the libraries it stands on, in one run, interleaved.

    make bench            # or: python benchmarks/build.py --rounds 5

Most of a build is fixed cost (imports, dbt's start), so the yardstick is a fresh process that only
imports the same libraries. Ratios are what counts; seconds depend on the machine.
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
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PROBE = "import dagster, dagster_dbt, dbt.cli.main, great_expectations, duckdb, polars"
LOCATION = "from dagster_project.definitions import defs; defs()"


def seconds(command: Sequence[str], home: Path) -> float:
    """Wall time of a command in a fresh process. Raises CalledProcessError if it fails."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("KIDO_")
    }
    started = time.perf_counter()
    subprocess.run(
        command, cwd=CHECKOUT, env={**environment, "KIDO_HOME": str(home)}, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds

    python = sys.executable
    build = [python, "-m", "dagster_project.cli", "build"]
    times: dict[str, list[float]] = {}
    work = Path(tempfile.mkdtemp(prefix="kido-bench-"))
    try:
        seconds([python, "-c", PROBE], work)
        seconds([python, "-m", "dagster_project.cli", "prepare"], work)
        for number in range(rounds):
            home = work / str(number)
            for name, command in (
                ("imports alone", [python, "-c", PROBE]),
                ("first build, empty home", build),
                ("second build, nothing changed", build),
                ("second build, all anew", [*build, "--full"]),
                ("code location", [python, "-c", LOCATION]),
                ("kido --help", [python, "-m", "dagster_project.cli", "--help"]),
            ):
                times.setdefault(name, []).append(seconds(command, home))
    finally:
        shutil.rmtree(work, ignore_errors=True)

    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {rounds} rounds, median (least to most)"
    )
    probe = times["imports alone"]
    for name, taken in times.items():
        ratio = statistics.median(mine / base for mine, base in zip(taken, probe, strict=True))
        print(
            f"  {name:31} {statistics.median(taken):6.2f} s ({min(taken):.2f} to {max(taken):.2f})"
            f"   {ratio:5.2f} x imports"
        )


if __name__ == "__main__":
    main()
