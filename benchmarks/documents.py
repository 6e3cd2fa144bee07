"""Times the way of many small documents: landing, listing, conforming 200 of them against 2,000.

    make bench            # or: python benchmarks/documents.py --rounds 5

What is linear in the number of documents takes ten times as long for ten times as many. The second
table is what a build costs when nothing has changed, with 20 snapshots in place and with 2,000.
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
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

FEW, MANY, IN_PLACE = 200, 2_000, 20


def document(number: int) -> bytes:
    """Two days of euro rates, other days in every document."""
    first = datetime(1999, 1, 4).toordinal() + 2 * number
    lines = [
        f"{datetime.fromordinal(first + day):%Y-%m-%d},1.{number % 1000:03},120.5,N/A,7.9,"
        for day in (1, 0)
    ]
    return ("Date,USD,JPY,BGN,CNY,\n" + "\n".join(lines) + "\n").encode()


def land(home: Path, documents: int) -> None:
    """Land small documents of one publisher, each a snapshot of its own."""
    from dagster_project.intake.stores import landing_of, origin_of_card
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    source = source_named("ecb")
    landing = landing_of(Settings.load(home=home))
    now = datetime.now(UTC).replace(tzinfo=None)
    for number in range(documents):
        landing.add(
            document(number),
            source="ecb",
            document=f"rates-{number}.csv",
            origin=origin_of_card(source),
            request=f"file rates-{number}.csv",
            media_type="text/csv",
            retrieved_at=now,
        )


def list_them(home: Path, _documents: int) -> None:
    """What a new process does to know which snapshots there are."""
    from dagster_project.intake.stores import landing_of
    from dagster_project.settings import Settings

    landing_of(Settings.load(home=home)).snapshots("ecb")


def conform(home: Path, documents: int) -> None:
    """Parse, check and type all of them."""
    from dagster_project.intake.conform import conform as conform_source
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    outcome = conform_source(Settings.load(home=home), source_named("ecb"))
    assert outcome.new_snapshots == documents, outcome.rejected


def seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def build(home: Path, *options: str) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("KIDO_")}
    subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "build", *options],
        cwd=CHECKOUT, env={**environment, "KIDO_HOME": str(home)}, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    work = Path(tempfile.mkdtemp(prefix="kido-bench-"))
    steps = {"landing": land, "listing": list_them, "conforming": conform}
    taken: dict[tuple[str, int], list[float]] = {}
    try:
        warm = work / "warm"
        for step in steps.values():
            step(warm, 5)
        for number in range(rounds):
            for documents in (FEW, MANY):
                home = work / f"{number}-{documents}"
                for name, step in steps.items():
                    took = seconds(lambda s=step, h=home, d=documents: s(h, d))
                    taken.setdefault((name, documents), []).append(took)
        homes = {}
        for documents in (IN_PLACE, MANY):
            home = homes[documents] = work / f"build-{documents}"
            land(home, documents)
            build(home)
        for _ in range(rounds):
            for documents, home in homes.items():
                took = seconds(lambda h=home: build(h))
                taken.setdefault(("unchanged build", documents), []).append(took)
    finally:
        shutil.rmtree(work, ignore_errors=True)

    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {rounds} rounds, median (least to most)"
    )
    whole = {size: [sum(each) for each in zip(*(taken[name, size] for name in steps), strict=True)]
             for size in (FEW, MANY)}  # fmt: skip
    for name in (*steps, "all three"):
        few = whole[FEW] if name == "all three" else taken[name, FEW]
        many = whole[MANY] if name == "all three" else taken[name, MANY]
        _line(f"{name}, {FEW} and {MANY:,} documents", few, many)
    _line(
        f"unchanged build, {IN_PLACE} and {MANY:,} in place",
        taken["unchanged build", IN_PLACE],
        taken["unchanged build", MANY],
    )


def _line(name: str, few: list[float], many: list[float]) -> None:
    ratio = statistics.median(more / less for more, less in zip(many, few, strict=True))
    print(
        f"  {name:45} {statistics.median(few):7.3f} s {statistics.median(many):7.2f} s"
        f" ({min(many):.2f} to {max(many):.2f})  {ratio:5.2f} x"
    )


if __name__ == "__main__":
    main()
