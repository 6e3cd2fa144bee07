"""Times builds after a change against a build of all, in one run, interleaved.

    python benchmarks/changes.py --rounds 5

`full` makes all; `floor` follows a change of one small reference table. Of each other change r is
printed, its build being floor + r x (full - floor). Ratios are what counts; seconds depend on the
machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BUNDLED = CHECKOUT / "dagster_project" / "bundled"
DAYS = ("2026-11-17", "2026-11-18")
"""Two days one after the other: no clause, notice, price or release is dated by either."""

PRICE_COLUMNS = (
    "price_date,product_code,product_name,purity,basis,incoterm,location,currency,unit,low,high,mid,"
    "vat_included,source,source_licence,source_ref,received_at"
)


class Home:
    """A warehouse in a folder of its own, and the files that are landed in it."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KIDO_")},
            "KIDO_HOME": str(folder / "home"),
        }

    def kido(self, *arguments: str) -> float:
        """Wall time of a command in a fresh process. Raises CalledProcessError if it fails."""
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", *arguments],
            cwd=CHECKOUT, env=self._environment, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - started

    def land(self, source: str, name: str, text: str) -> None:
        file = self.files / name
        file.write_text(text, "utf8")
        self.kido("land", source, str(file), "--replace")


def changed(document: str, old: str, new: str, after: str = "") -> str:
    """The text of a bundled document with one change, the first one after a text."""
    text = (BUNDLED / document).read_text("utf8")
    place = text.index(old, text.index(after))
    return text[:place] + new + text[place + len(old) :]


def reference(home: Home, number: int) -> None:
    """The abundance of lithium in the upper crust, of one table with a figure per element."""
    text = changed(
        "rudnick_gao/abundance.csv", "Li,upper_crust,24,", f"Li,upper_crust,{25 + number},"
    )
    home.land("rudnick_gao", "abundance.csv", text)


def price(home: Home, number: int) -> None:
    """A month of prices of dysprosium oxide."""
    file = home.files / "prices.csv"
    with file.open("w", newline="", encoding="utf8") as opened:
        writer = csv.writer(opened)
        writer.writerow(PRICE_COLUMNS.split(","))
        for day in range(1, 31):
            writer.writerow(
                [f"2026-09-{day:02}", "DY_OX", "", ">=99.5%", "spot", "FOB", "China", "USD", "kg",
                 "", "", 250 + number, "false", "an agency", "mine", "", ""]
            )  # fmt: skip
    home.kido("land", "rare_earth_prices", str(file), "--replace")


def clause(home: Home, number: int) -> None:
    """How much of a code a clause of October 2025 hits."""
    text = changed(
        "catalogue/measures.yaml", "share: [0, 1]", f"share: [0, 0.{90 - number}]",
        after="clause: CN-2025-57",
    )  # fmt: skip
    home.land("catalogue", "measures.yaml", text)


def notice(home: Home, number: int) -> None:
    """One more official notice that somebody has read."""
    entry = (
        f'  - {{source: mofcom, notices: ["2026-9{number}"], reason: on tyres, '
        "decided: 2026-11-29}\n\n..."
    )
    home.land(
        "catalogue", "notices.yaml", changed("catalogue/notices.yaml", "...", entry, "notices:")
    )


def month(home: Home, number: int) -> None:
    """One more month of the customs of the United Kingdom."""
    (file,) = (BUNDLED / "hmrc").glob("*month*.csv")
    with file.open(newline="", encoding="utf8") as opened:
        rows = list(csv.DictReader(opened))
    last = max(row["period"] for row in rows)
    year, after = divmod(int(last[:4]) * 12 + int(last[5:7]), 12)
    more = [
        {
            **row,
            "period": f"{year}-{after + 1:02}",
            "value_usd": str(number + float(row["value_usd"])),
        }
        for row in rows
        if row["period"] == last
    ]
    with (home.files / file.name).open("w", newline="", encoding="utf8") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, *more])
    home.kido("land", "hmrc", str(home.files / file.name), "--replace")


CHANGES: Mapping[str, Callable[[Home, int], None]] = {
    "floor": reference, "one price source": price, "one clause": clause, "a notice": notice,
    "a month of one customs": month,
}  # fmt: skip
NOTHING, DAY, FULL = "nothing new", "a day without a dated change", "full"


def measured(home: Home, number: int) -> dict[str, float]:
    """The seconds of each build of a round."""
    seconds = {FULL: home.kido("build", "--full"), NOTHING: home.kido("build")}
    for name, change in CHANGES.items():
        change(home, number)
        seconds[name] = home.kido("build")
    for day in DAYS:
        seconds[DAY] = home.kido("build", "--as-of", day, "--publish")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp(prefix="kido-changes-"))
    try:
        home = Home(folder)
        home.kido("build")
        all_rounds = [measured(home, number) for number in range(rounds)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    medians = {
        name: statistics.median(seconds[name] for seconds in all_rounds) for name in all_rounds[0]
    }
    full, floor = medians[FULL], medians["floor"]
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {rounds} rounds, medians"
    )
    for name, seconds in medians.items():
        ratio = (
            "" if name == FULL
            else f"  {seconds / full:.2f} of full" if name in (NOTHING, "floor")
            else f"  r = {(seconds - floor) / (full - floor):.2f}"
        )  # fmt: skip
        print(f"{name:30} {seconds:7.1f} s{ratio}")


if __name__ == "__main__":
    main()
