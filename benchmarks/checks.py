"""Times the checks of a large lake batch against one plain DuckDB pass of the same rules.

    python benchmarks/checks.py --rows 10000000 --rounds 3

Each measurement is a process of its own, interleaved with the others. Seconds and memory are
those after the imports. Ratios are what counts; seconds depend on the machine.
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
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

TODAY = date(2026, 11, 26)
SEED = 7
SHARE_WITHOUT_WEIGHT = 0.04
CODES = 5_600

RULES = r"""
select
    count(*),
    count(*) filter (
        source is null or exporter_iso3 is null or importer_iso3 is null or hs6_code is null
        or hs_revision is null or period_start is null or is_provisional is null
        or document is null or vintage_at is null or snapshot_id is null
    ),
    count(*) filter (exporter_iso3 not in (from economies)),
    count(*) filter (importer_iso3 not in (from economies)),
    count(*) filter (not regexp_matches(hs6_code, '^(0[1-9]|[1-8][0-9]|9[0-7])[0-9]{4}$')),
    count(*) filter (hs_revision not in (
        'HS1988', 'HS1992', 'HS1996', 'HS2002', 'HS2007', 'HS2012', 'HS2017', 'HS2022', 'HS2028'
    )),
    count(*) filter (month(period_start) != 1 or day(period_start) != 1),
    count(*) filter (period_start < date '1988-01-01' or period_start > date '2026-11-27'),
    count(*) filter (not isfinite(value_usd) or not isfinite(net_weight_kg)),
    count(*) filter (value_usd <= 0),
    count(*) filter (net_weight_kg < 0),
    count(*) filter (value_usd > 1e12),
    count(*) filter (net_weight_kg > 1e12),
    count(*) filter (
        net_weight_kg > 0 and not value_usd / net_weight_kg between 0.001 and 1e6
    )
from read_parquet('{file}')
"""
KEYS = """
select coalesce(sum(n), 0) from (
    select count(*) as n from read_parquet('{file}')
    group by source, exporter_iso3, importer_iso3, hs6_code, hs_revision, period_start
    having count(*) > 1
)
"""


def generate(file: Path, rows: int, broken: bool) -> None:
    """Write rows of `reconciled_trade` like those of BACI, skewed by economy and code.

    With `broken`, one row in a thousand has a value below 0 and the first key is there twice.
    """
    import numpy as np
    import polars as pl

    from dagster_project.lake.schemas import RECONCILED_TRADE
    from dagster_project.lake.vocabulary import economies

    random = np.random.default_rng(SEED)
    names = np.array(sorted(set(economies()) - {"WLD", "_X", "EU27"}))
    chapters = random.integers(1, 98, CODES)
    codes = np.unique([f"{chapter:02d}{random.integers(0, 10_000):04d}" for chapter in chapters])

    def draw(size: int, count: int, skew: float) -> np.ndarray:
        weights = random.permutation(1 / np.arange(1, count + 1) ** skew)
        return random.choice(count, size, p=weights / weights.sum())

    keys = np.empty(0, np.int64)
    while len(keys) < rows:
        size = int((rows - len(keys)) * 1.6) + 1000
        exporter, importer = draw(size, len(names), 0.8), draw(size, len(names), 0.6)
        found = (exporter * len(names) + importer) * len(codes) + draw(size, len(codes), 0.4)
        keys = np.unique(np.concatenate([keys, found[exporter != importer]]))
    keys = np.sort(random.choice(keys, rows, replace=False))
    if broken:
        keys[-1] = keys[0]
    exporter, rest = np.divmod(keys, len(names) * len(codes))
    importer, code = np.divmod(rest, len(codes))
    value = np.round(random.lognormal(9, 3, rows)) + 1
    weight = np.round(value / random.lognormal(1.5, 1, rows), 3) + 0.001
    if broken:
        value[::1000] = -1
    frame = pl.DataFrame(
        {
            "exporter_iso3": pl.Series(names)[exporter],
            "importer_iso3": pl.Series(names)[importer],
            "hs6_code": pl.Series(codes)[code],
            "value_usd": value,
            "net_weight_kg": pl.Series(
                np.where(random.random(rows) < SHARE_WITHOUT_WEIGHT, np.nan, weight)
            ).fill_nan(None),
        }
    ).with_columns(
        source=pl.lit("baci"),
        hs_revision=pl.lit("HS2022"),
        period_start=pl.lit(date(2024, 1, 1)),
        edition=pl.lit(202601),
        is_provisional=pl.lit(False),
        document=pl.lit("BACI_HS22_Y2024_V202601.csv"),
        vintage_at=pl.lit(datetime(2026, 1, 31)),
        snapshot_id=pl.lit(""),
    )
    RECONCILED_TRADE.conform(frame).write_parquet(file, compression="zstd")


def of_the_frame(file: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The frame's own pass: every column read in blocks, nothing kept."""
    import polars as pl

    def run() -> int:
        return sum(block.height for block in pl.scan_parquet(file).collect_batches())

    return (lambda: None), run


def of_duckdb(file: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The rules by hand: counts of offending rows, and keys that are there more than once."""
    import duckdb

    from dagster_project.lake.vocabulary import economies

    connection = duckdb.connect()
    connection.execute("create table economies (economy_iso3 varchar)")
    connection.executemany("insert into economies values (?)", [[code] for code in economies()])

    def run() -> list[object]:
        return [
            connection.execute(sql.replace("{file}", str(file))).fetchall() for sql in (RULES, KEYS)
        ]

    return (lambda: None), run


def of_the_suite(file: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The suite of `reconciled_trade` held against the file."""
    import polars as pl

    from dagster_project.quality.runner import evaluate
    from dagster_project.quality.suites import LAKE_SUITES

    suite = LAKE_SUITES["reconciled_trade"]

    def run() -> list[str]:
        results = evaluate(pl.scan_parquet(file), suite, today=TODAY)
        return [
            f"{result.check_name}: {result.observed}"
            for result in results
            if result.status != "passed"
        ]

    def warm() -> object:
        return evaluate(pl.scan_parquet(file).head(100), suite, today=TODAY)

    return warm, run


WAYS = {"frame": of_the_frame, "duckdb": of_duckdb, "checks": of_the_suite}


def measure(way: str, file: Path) -> None:
    """Run one way in this process and print its seconds, its peak memory and what it found."""
    warm, run = WAYS[way](file)
    warm()
    imports = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {"s": seconds, "gb": (peak - imports) / 1e6, "whole": peak / 1e6, "found": found}
        )
    )


def child(*arguments: str) -> str:
    """What a fresh process of this file prints."""
    return subprocess.run(
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broken", action="store_true", help="rows that break three rules")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, file = options.child
        if what == "generate":
            generate(Path(file), options.rows, options.broken)
        else:
            measure(what, Path(file))
        return

    work = Path(tempfile.mkdtemp(prefix="kido-bench-"))
    try:
        file = str(work / "rows.parquet")
        broken = ["--broken"] if options.broken else []
        child("--rows", str(options.rows), *broken, "--child", "generate", file)
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(options.rounds):
            for way in WAYS:
                found.setdefault(way, []).append(json.loads(child("--child", way, file)))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {options.rows:,} rows, {options.rounds} rounds, "
        "median (least to most)"
    )
    for way, runs in found.items():
        seconds = [run["s"] for run in runs]
        ratio = statistics.median(
            run["s"] / base["s"] for run, base in zip(runs, found["duckdb"], strict=True)
        )
        memory = statistics.median(run["gb"] for run in runs)
        whole = statistics.median(run["whole"] for run in runs)
        print(
            f"  {way:8} {statistics.median(seconds):6.2f} s ({min(seconds):.2f} to "
            f"{max(seconds):.2f})  {ratio:5.2f} x duckdb   {memory:5.2f} GB above the imports, "
            f"{whole:5.2f} GB in all"
        )
    for line in found["checks"][0]["found"]:
        print(f"    {line}")


if __name__ == "__main__":
    main()
