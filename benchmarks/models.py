"""Measures each model alone in a warehouse of all products, at two sizes: what grows too fast.

    python benchmarks/models.py --rows 500000 2000000

For each size it lands generated figures (benchmarks/generated_baci.py) of all codes and builds.
Then every model that is a table is made again from the inputs of that build, one after the other,
each in a database of its own: its seconds of all cores, its peak memory as DuckDB profiles it, and
the exponent of rows by which its seconds grow. Intermediate views have no line: what they cost is
in each of the models that read them, as it is in a build. Models in Python have none either, and
models that take less than `--least` seconds have no exponent: what they take is fixed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BENCHMARKS = CHECKOUT / "benchmarks"
DBT = CHECKOUT / "dbt"
sys.path.insert(0, str(CHECKOUT))


@dataclass(frozen=True)
class Cost:
    """Seconds of all cores, the most memory in MB, and rows of a model."""

    seconds: float
    megabytes: float
    rows: int


def build(rows: int, folder: Path) -> Path:
    """The build file of a warehouse of that many generated flows of a year, in a new home."""
    archive, home = folder / "BACI_HS22_V202601.zip", folder / "home"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIDO_")}
    environment = {**inherited, "KIDO_HOME": str(home), "KIDO_SCOPE": "all"}
    kido = [sys.executable, "-m", "dagster_project.cli"]
    for command in (
        [sys.executable, str(BENCHMARKS / "generated_baci.py"), str(archive), "--rows", str(rows)],
        [*kido, "land", "baci", str(archive), "--replace"],
        [*kido, "build"],
    ):
        subprocess.run(
            command, cwd=CHECKOUT, env=environment, check=True, stdout=subprocess.DEVNULL
        )

    from dagster_project.orchestration.builds import complete_build
    from dagster_project.settings import Settings

    complete = complete_build(Settings.load(home=home).build_dir)
    if complete is None:
        sys.exit(f"No complete build of {rows:,} rows is kept.")
    return complete.file


def compiled(file: Path, folder: Path) -> dict[str, str]:
    """The SQL of each model that is a table, on the files of a build."""
    from dbt.cli.main import dbtRunner

    os.environ["DBT_AS_OF"] = f"{datetime.now(UTC):%Y-%m-%d}"
    result = dbtRunner().invoke(
        [
            "compile", "--project-dir", str(DBT), "--profiles-dir", str(DBT),
            "--target-path", str(folder / "dbt"), "--quiet", "--no-introspect",
            "--log-level-file", "none",
            "--select", "config.materialized:table",
        ]
    )  # fmt: skip
    if not result.success:
        sys.exit(f"The models do not compile: {result.exception}")
    nodes = [entry.node for entry in result.result.results]
    return {
        node.name: node.compiled_code
        for node in nodes
        if node.resource_type == "model" and node.language == "sql"
    }


def measure(sql: str, file: Path, folder: Path) -> Cost:
    """What it costs to make a table of a query on the files of a build."""
    from dagster_project.lake.build_file import connect_in_memory, work_file
    from dagster_project.serving.wording.plugin import add_sentences

    profile, made = folder / "profile.json", folder / "made.duckdb"
    with connect_in_memory(folder / "scratch" / file.name) as connection:
        connection.execute(f"attach '{file}' as kido (read_only)")
        connection.execute(f"attach '{work_file(file)}' as work (read_only)")
        connection.execute(f"attach '{made}' as made")
        add_sentences(connection)
        connection.execute("pragma enable_profiling = 'json'")
        connection.execute(f"pragma profiling_output = '{profile}'")
        started = time.process_time()
        connection.execute(f"create table made.result as {sql}")
        seconds = time.process_time() - started
        peak = json.loads(profile.read_text("utf8"))["system"]["peak_buffer_memory"]
        connection.execute("pragma disable_profiling")
        (rows,) = connection.execute("select count(*) from made.result").fetchone() or (0,)
    made.unlink()
    return Cost(seconds, peak / 1e6, rows)


def costs_of(rows: int) -> dict[str, Cost]:
    """The cost of each model at a size."""
    folder = Path(tempfile.mkdtemp(prefix="kido-models-"))
    try:
        file = build(rows, folder)
        return {name: measure(sql, file, folder) for name, sql in compiled(file, folder).items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def exponent(less: Cost, more: Cost, times: float, least: float) -> float | None:
    """By which power of the rows the seconds grow; None where they are too few to tell."""
    if more.seconds < least or less.seconds <= 0:
        return None
    return math.log(more.seconds / less.seconds) / math.log(times)


def table(
    less: Mapping[str, Cost], more: Mapping[str, Cost], exponents: Mapping[str, float | None]
) -> list[str]:
    """A line a model, the dearest first."""
    lines = [f"  {'model':44} {'seconds':>15} {'MB':>15} {'rows':>23}  exponent"]
    for name in sorted(more, key=lambda name: -more[name].seconds):
        small, large, power = less[name], more[name], exponents[name]
        lines.append(
            f"  {name:44} {small.seconds:7.2f} {large.seconds:7.2f} {small.megabytes:7,.0f} "
            f"{large.megabytes:7,.0f} {small.rows:11,} {large.rows:11,}  "
            + ("" if power is None else f"{power:.2f}")
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs=2, default=(500_000, 2_000_000))
    parser.add_argument("--bound", type=float, default=1.3, help="largest exponent")
    parser.add_argument("--least", type=float, default=0.5, help="seconds at the larger size")
    asked = parser.parse_args()

    subprocess.run([sys.executable, "-m", "dagster_project.cli", "prepare"], check=True)
    fewer, more = sorted(asked.rows)
    costs = [costs_of(rows) for rows in (fewer, more)]
    exponents = {
        name: exponent(costs[0][name], cost, more / fewer, asked.least)
        for name, cost in costs[1].items()
    }
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {fewer:,} and {more:,} rows"
    )
    print("\n".join(table(*costs, exponents)))
    above = [name for name, power in exponents.items() if power and power > asked.bound]
    print(f"Above {asked.bound}: {', '.join(sorted(above)) or 'none'}")
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
