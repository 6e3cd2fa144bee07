"""Supply projects and grades: what a list of plants says, and one sentence per mistake."""

import csv
from datetime import date

import polars as pl
import pytest

from dagster_project.sources import catalogue
from tests.conftest import SHARED, needs_shared
from tests.unit.sources.catalogue.examples import DOCUMENT, rejection_of

PROJECT = """\
projects:
  - project: LACQ
    name: Lacq
    company: Carester
    economy: FRA
    stage: separation
    product: Dy and Tb oxide
    minerals: [terbium, dysprosium]
    capacity_low: 590
    capacity_high: 600
    basis: dy_tb_oxide
    status: building
    start: 2026
    known: 2025-03-19
...
"""

GRADE = """\
deposit_grades:
  - deposit: MINAMITORISHIMA
    part: all of it
    figure: grade_max
    mineral: all_rare_earths
    amount: 6500
    qualifier: at_least
    known: 2013-03-21
...
"""

SPLIT = {
    # The list has two products, stages or totals in one row.
    "Lynas Texas (Seadrift)": 2, "White Mesa phase 2": 3, "Magnet makers outside China, total": 2,
    "Independence (Fort Worth)": 2, "Shin-Etsu rare-earth smelting in Japan": 2,
}  # fmt: skip


def read(text: str) -> pl.DataFrame:
    (frame,) = catalogue.parse(text.encode(), DOCUMENT).values()
    return frame


def test_an_entry_is_a_product_of_a_project() -> None:
    (row,) = read(PROJECT).to_dicts()
    assert (row["project"], row["stage"], row["product"]) == (
        "LACQ", "separation", "Dy and Tb oxide",
    )  # fmt: skip
    assert (row["capacity_t_low"], row["capacity_t_high"], row["basis"]) == (
        590, 600, "dy_tb_oxide",
    )  # fmt: skip
    assert row["minerals"] == ["dysprosium", "terbium"]
    assert (row["start_year"], row["known_at"]) == (2026, date(2025, 3, 19))
    assert (row["includes"], row["is_total"], row["known_precision"]) == ([], False, "day")


def test_a_grade_keeps_how_its_source_qualifies_it() -> None:
    (row,) = read(GRADE).to_dicts()
    assert (row["figure"], row["amount"], row["qualifier"]) == ("grade_max", 6500, "at_least")


@pytest.mark.parametrize(
    ("text", "old", "new", "names"),
    [
        (PROJECT, "capacity_low: 590", "capacity_low: 601", ("LACQ", "601", "600")),
        (PROJECT, "capacity_low: 590", "capacity_low: 0", ("LACQ", "`capacity_low`", "above 0")),
        (PROJECT, "economy: FRA", "economy: FRE", ("LACQ", "`economy`", "FRE")),
        (PROJECT, "    economy: FRA\n", "", ("LACQ", "`economy`")),
        (PROJECT, "economy: FRA", "is_total: true\n    economy: FRA", ("LACQ", "`is_total`")),
        (PROJECT, "stage: separation", "stage: refinery", ("LACQ", "`stage`", "refinery")),
        (PROJECT, "basis: dy_tb_oxide", "basis: REO", ("LACQ", "`basis`", "REO")),
        (PROJECT, "status: building", "status: soon", ("LACQ", "`status`", "soon")),
        (PROJECT, "start: 2026", "start: 26", ("LACQ", "`start`", "26")),
        (PROJECT, "start: 2026", "includes: [LACQ]", ("LACQ", "includes itself")),
        (PROJECT, "...", PROJECT.partition("\n")[2], ("LACQ", "duplicated")),
        (PROJECT, "capacity_high", "capacity_most", ("LACQ", "`capacity_most`")),
        (GRADE, "figure: grade_max", "figure: grade", ("MINAMITORISHIMA", "`figure`", "grade")),
        (GRADE, "amount: 6500", "amount: -1", ("MINAMITORISHIMA", "`amount`", "above 0")),
        (GRADE, "...", GRADE.partition("\n")[2], ("MINAMITORISHIMA", "duplicated")),
        (GRADE, "at_least", "more", ("MINAMITORISHIMA", "`qualifier`", "more")),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_entry(
    text: str, old: str, new: str, names: tuple[str, ...]
) -> None:
    sentence = rejection_of(text.replace(old, new, 1))
    for name in names:
        assert name in sentence


@needs_shared
def test_every_project_of_the_list_is_there_with_its_capacity(frames) -> None:
    own = frames["supply_projects"]
    with (SHARED / "data" / "supply_projects" / "projects.csv").open(encoding="utf8") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == 38
    assert own.height == len(listed) + sum(SPLIT.values()) - len(SPLIT)
    for row in listed:
        of_page = own.filter(
            pl.col("source_url") == row["url"], pl.col("citation") == row["source"]
        )
        assert of_page.height >= SPLIT.get(row["project"], 1), row["project"]
        if row["project"] in SPLIT or row["basis"].startswith("t/day"):
            continue
        low, high = (float(row[name]) if row[name] else None for name in
                     ("capacity_t_low", "capacity_t_high"))  # fmt: skip
        same = of_page.filter(
            pl.col("capacity_t_low").eq_missing(low), pl.col("capacity_t_high").eq_missing(high)
        )
        assert same.height >= 1, row["project"]
        assert row["economy_iso3"] in same["economy_iso3"], row["project"]
        start = int(row["start_year"]) if row["start_year"] else None
        assert start in same["start_year"].to_list(), row["project"]


@needs_shared
def test_every_grade_of_the_list_is_there(frames) -> None:
    path = SHARED / "data" / "crust_abundance" / "seabed_mud_grades.csv"
    with path.open(encoding="utf8") as file:
        listed = sorted(
            float(row["value"]) * (1e6 if row["unit"] == "Mt REO" else 1)
            for row in csv.DictReader(file)
        )
    assert len(listed) == 16
    assert sorted(frames["deposit_grades"]["amount"]) == listed
