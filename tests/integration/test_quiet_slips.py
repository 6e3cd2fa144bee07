"""A wrong unit in a part of the bundled figures is refused at the door.

Each case was landed and published once. Slips of every kind and source are in `test_slips`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dagster_project.errors import ImplausibleError
from dagster_project.intake.land import land_files
from dagster_project.intake.landing_report import LandingReport
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import source_named
from tests.integration.slips import LAYOUTS, Table, figure
from tests.nightly import nightly

PINK_SHEET, SUMMARIES = "monthly_prices.csv", "mcs_2026.csv"
FLOWS, OTHER_EDITION = "BACI_HS17_Y2024_V202602.csv", "BACI_HS22_Y2024_V202602.csv"


def scaled(
    table: Table, column: str, factor: float, is_in: Callable[[dict[str, str]], bool]
) -> Table:
    values = [
        figure(old, lambda figure: figure * factor)
        if is_in(dict(zip(table.head, row, strict=True))) else old
        for row, old in zip(table.rows, table.values(column), strict=True)
    ]  # fmt: skip
    return table.with_values(column, values)


def land(folder: Path, source: str, name: str, table: Table) -> LandingReport:
    file = folder / name
    file.write_text(table.text, "utf8")
    settings = Settings.load(home=folder / "home")
    return land_files(settings, source_named(source), [file], write=lambda line: None)


@pytest.fixture(scope="module")
def pink_sheet() -> Table:
    return Table.read((BUNDLED / "pink_sheet" / PINK_SHEET).read_text("utf8"))


@pytest.fixture(scope="module")
def summaries() -> Table:
    return Table.read((BUNDLED / "usgs_mcs" / SUMMARIES).read_text("utf8"))


@pytest.fixture(scope="module")
def flows() -> Table:
    """The bundled flows of 2024 as CEPII prints them."""
    economies = Table.read((BUNDLED / "catalogue" / "economies.csv").read_text("utf8"))
    numbers = dict(zip(economies.values("economy_iso3"), economies.values("comtrade_code"),
                       strict=True))  # fmt: skip
    bundled = Table.read((BUNDLED / "baci" / "flows_2024.csv").read_text("utf8"))
    rows = [
        [year, numbers[exporter].split(" ")[0], numbers[importer].split(" ")[0], code,
         f"{float(value) / 1000:.3f}", f"{float(weight) / 1000:.3f}" if weight else "NA"]
        for exporter, importer, code, _, year, value, weight in bundled.rows
    ]  # fmt: skip
    return Table(["t", "i", "j", "k", "v", "q"], rows)


@pytest.mark.parametrize(
    ("column", "factor", "months", "sentence"),
    [
        ("copper", 2.2046, ("1960", "2027"), "is 2.2 times what is known for 797 of 797"),
        ("copper", 1.1023, ("2019", "2020"), "is 1.1 times what is known for 12 of 12"),
        ("gold", 31.1, ("1960", "2027"), "is 31.1 times what is known for 797 of 797"),
        *(
            pytest.param(column, factor, ("1960", "2027"), "times what is known for", marks=nightly)
            for column, factor in (
                ("copper", 1 / 22.046), ("copper", 1.1023), ("copper", 4.9), ("copper", 9),
                ("copper", 150), ("copper", 1.05), ("iron_ore", 0.907),
            )
        ),
        pytest.param("copper", 2.2046, ("2010", "2020"), "for 120 of 120", marks=nightly),
    ],
)  # fmt: skip
def test_one_price_in_another_unit_is_refused(
    tmp_path: Path, pink_sheet: Table, column: str, factor: float, months: Sequence[str],
    sentence: str,
) -> None:  # fmt: skip
    """Also in some of its months: those are all that changed."""
    first, end = months
    slip = scaled(pink_sheet, column, factor, lambda row: first <= row["month"] < end)
    with pytest.raises(ImplausibleError) as refused:
        land(tmp_path, "pink_sheet", PINK_SHEET, slip)
    assert sentence in str(refused.value)
    assert f"of instrument {column.upper()}" in str(refused.value)


@pytest.mark.parametrize("factor", [2.2046, pytest.param(0.9072, marks=nightly)])
def test_one_mineral_of_the_summaries_in_another_unit_is_refused(
    tmp_path: Path, summaries: Table, factor: float
) -> None:
    label = "Phosphate Rock: Mine production"
    slip = scaled(summaries, "amount_t", factor, lambda row: row["label"] == label)
    with pytest.raises(ImplausibleError, match=f"52 of 52 changed figures of label {label}"):
        land(tmp_path, "usgs_mcs", SUMMARIES, slip)


@nightly
@pytest.mark.parametrize("factor", [1000, 100, 0.01])
def test_one_year_of_the_summaries_in_another_unit_is_refused(
    tmp_path: Path, summaries: Table, factor: float
) -> None:
    slip = scaled(summaries, "amount_t", factor, lambda row: row["year"] == "2024")
    with pytest.raises(ImplausibleError, match=r"what is known for 60[56] of 60[56] figures"):
        land(tmp_path, "usgs_mcs", SUMMARIES, slip)


@pytest.mark.parametrize("year", ["2024", pytest.param("", marks=nightly)])
def test_amounts_of_the_summaries_that_are_a_row_off_are_refused(
    tmp_path: Path, summaries: Table, year: str
) -> None:
    """Amounts with their flags: all of them, or those of one year."""
    at = summaries.head.index("year")
    places = [place for place, row in enumerate(summaries.rows) if row[at] == (year or row[at])]
    shifted = summaries
    for column in ("amount_t", "flag"):
        values, moved = summaries.values(column), list(summaries.values(column))
        for place, above in zip(places[1:], places, strict=False):
            moved[place] = values[above]
        shifted = shifted.with_values(column, moved)
    with pytest.raises(ImplausibleError, match="are known ones of other rows"):
        land(tmp_path, "usgs_mcs", SUMMARIES, shifted)


@nightly
@pytest.mark.parametrize(
    ("column", "factor", "code", "exporter", "sentence"),
    [
        ("q", 2.2046, "850511", "", "net_weight_kg is 2.2 times"),
        ("v", 6.9, "850511", "", "value_usd is 6.9 times"),
        ("q", 1.17, "", "", "net_weight_kg is 1.17 times"),
        ("q", 0.75, "850511", "156", "net_weight_kg is 0.75 times"),
    ],
)
def test_one_code_of_flows_in_another_unit_is_refused(
    tmp_path: Path, flows: Table, column: str, factor: float, code: str, exporter: str,
    sentence: str,
) -> None:  # fmt: skip
    slip = scaled(
        flows, column, factor,
        lambda row: row["k"] == (code or row["k"]) and row["i"] == (exporter or row["i"]),
    )  # fmt: skip
    with pytest.raises(ImplausibleError, match=f"{sentence} what is known for"):
        land(tmp_path, "baci", FLOWS, slip)


@nightly
def test_flows_of_another_edition_are_taken_where_they_are_as_large(
    tmp_path: Path, flows: Table
) -> None:
    (revision,) = land(tmp_path, "baci", OTHER_EDITION, flows).revisions
    assert revision.added == len(flows.rows)


@nightly
@pytest.mark.parametrize("factor", [1000, 100, 0.01])
@pytest.mark.parametrize("column", ["v", "q"])
def test_flows_of_another_edition_in_another_unit_are_refused(
    tmp_path: Path, flows: Table, column: str, factor: float
) -> None:
    slip = scaled(flows, column, factor, lambda row: True)
    with pytest.raises(ImplausibleError, match="what is known in another edition of the HS for"):
        land(tmp_path, "baci", OTHER_EDITION, slip)


def test_one_rate_that_no_currency_has_is_quarantined(tmp_path: Path) -> None:
    """Two series of one day fail a rule: their rows are in chunks of their own in polars."""
    layout = next(layout for layout in LAYOUTS if layout.source == "ecb")
    slip = scaled(layout.known, "jpy", 31.1, lambda row: row["date"] == "2025-01-02")
    report = land(tmp_path, "ecb", layout.name, slip)
    assert report.quarantined["price_quotes"] >= 1
