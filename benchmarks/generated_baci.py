"""Writes an archive like CEPII's BACI, of any number of rows and years, with made-up figures.

    python benchmarks/generated_baci.py BACI_HS22_V202601.zip --rows 11000000 --years 1

Like the real one it is uneven (few economies and codes have most of the rows, values span ten
powers of ten), has gaps (an economy or a code that is missing in a year) and missing quantities
(`NA`), and is sorted by exporter, importer and code. The same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

CHECKOUT = Path(__file__).resolve().parents[1]
ECONOMIES = CHECKOUT / "dagster_project" / "bundled" / "catalogue" / "economies.csv"
GROUPS = CHECKOUT / "dbt" / "seeds" / "seed_mineral_group_codes.csv"

VERSION = "V202601"
LAST_YEAR = 2024
AS_CEPII = {"TW": "S19"}
RESERVED_CHAPTER = 77
MISSING_QUANTITIES = 0.04
GAP = 0.01
"""Part of the economies, and of the codes, that have no flow in a year."""


def write_archive(
    target: Path, rows: int, years: int = 1, seed: int = 1, codes: Sequence[str] = ()
) -> None:
    """Write a zip of `years` yearly files of `rows` flows each, and CEPII's two tables of codes.

    The last year is LAST_YEAR. Without `codes`, plausible ones are made up; those of the mineral
    groups are always there.
    """
    sides = economies()
    products = hs6_codes(codes)
    random = np.random.default_rng(seed)
    size_of = {
        "economy": random.permutation(np.exp(random.normal(0, 1.6, sides.height))),
        "code": random.permutation(np.exp(random.normal(0, 1.0, len(products)))),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for year in range(LAST_YEAR - years + 1, LAST_YEAR + 1):
            flows = flows_of_year(
                year, rows, sides["country_code"].to_numpy(), np.array(products), size_of, random
            )
            with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".csv") as table:
                flows.write_csv(table.name, float_precision=3, null_value="NA")
                archive.write(table.name, f"BACI_HS22_Y{year}_{VERSION}.csv")
        archive.writestr(f"country_codes_{VERSION}.csv", sides.write_csv())
        names = pl.DataFrame({"code": products, "description": [f"Goods {c}" for c in products]})
        archive.writestr(f"product_codes_HS22_{VERSION}.csv", names.write_csv())


def economies() -> pl.DataFrame:
    """CEPII's table of economies, from the project's own list: one number for each."""
    listed = csv.DictReader(io.StringIO(ECONOMIES.read_text("utf8")))
    known = [row for row in listed if row["iso2"] and row["comtrade_code"]]
    return pl.DataFrame(
        {
            "country_code": [int(row["comtrade_code"].split()[0]) for row in known],
            "country_name": [row["name"] for row in known],
            "country_iso2": [row["iso2"] for row in known],
            "country_iso3": [AS_CEPII.get(row["iso2"], row["economy_iso3"]) for row in known],
        }
    ).sort("country_code")


def hs6_codes(known: Sequence[str] = ()) -> list[str]:
    """`known`, or some 5,400 in chapters 01 to 97, and in any case those of the mineral groups.

    The HS of 2022 has some 5,600 subheadings; a year of BACI has flows of nearly all.
    """
    rows = csv.DictReader(io.StringIO(GROUPS.read_text("utf8")))
    minerals = {row["hs6_code"] for row in rows}
    plausible = [
        f"{chapter:02}{heading:02}{subheading}"
        for chapter in range(1, 98)
        if chapter != RESERVED_CHAPTER
        for heading in range(1, 15)
        for subheading in (10, 21, 29, 90)
    ]
    return sorted(minerals | set(known or plausible))


def flows_of_year(
    year: int,
    rows: int,
    numbers: np.ndarray,
    products: np.ndarray,
    size_of: dict[str, np.ndarray],
    random: np.random.Generator,
) -> pl.DataFrame:
    """CEPII's six columns, `rows` flows of as many pairs and codes, no economy with itself."""
    size = {name: sizes * (random.random(sizes.size) >= GAP) for name, sizes in size_of.items()}
    pair = np.outer(size["economy"], size["economy"])
    np.fill_diagonal(pair, 0)
    cells = _distinct_cells(rows, pair.ravel(), size["code"], random)
    pairs, code = np.divmod(cells, products.size)
    exporter, importer = np.divmod(pairs, numbers.size)
    value = np.exp(random.normal(2.5, 2.6, rows)) * np.sqrt(size["economy"][exporter])
    quantity = value / np.exp(random.normal(1.5, 1.5, rows))
    return pl.DataFrame(
        {
            "t": np.full(rows, year, np.int16),
            "i": numbers[exporter],
            "j": numbers[importer],
            "k": pl.Series(products).gather(code),
            "v": np.maximum(value, 0.001),
            "q": quantity,
        }
    ).with_columns(pl.when(pl.lit(random.random(rows) >= MISSING_QUANTITIES)).then("q").alias("q"))


def _distinct_cells(
    rows: int, pair: np.ndarray, code: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """`rows` different cells of the table of pairs and codes, ascending, by the size of both."""
    if rows > np.count_nonzero(pair) * np.count_nonzero(code) // 4:
        raise ValueError(f"{rows} rows are too many for {pair.size} pairs and {code.size} codes")
    is_found = np.zeros(pair.size * code.size, bool)
    while (lacking := rows - np.count_nonzero(is_found)) > 0:
        drawn = int(lacking * 1.5) + 1000
        pairs, codes = (
            np.repeat(np.arange(sizes.size), random.multinomial(drawn, sizes / sizes.sum()))
            for sizes in (pair, code)
        )
        is_found[pairs * code.size + random.permutation(codes)] = True
    found = np.flatnonzero(is_found)
    return np.sort(random.choice(found, rows, replace=False, shuffle=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--rows", type=int, default=11_000_000, help="of each year")
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--nomenclature", type=Path, help="CSV with a column of HS codes, instead of made-up ones"
    )
    asked = parser.parse_args()
    codes = _codes_of(asked.nomenclature) if asked.nomenclature else []
    write_archive(asked.target, asked.rows, asked.years, asked.seed, codes)


def _codes_of(nomenclature: Path) -> list[str]:
    with nomenclature.open(encoding="utf8", newline="") as file:
        rows = csv.DictReader(file)
        name = next(n for n in rows.fieldnames or () if n in ("hs6_code", "hscode", "code"))
        return [row[name] for row in rows if len(row[name]) == 6 and row[name].isdigit()]


if __name__ == "__main__":
    main()
