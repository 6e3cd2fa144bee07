"""Abundances of the elements are as the two publications have them, figure by figure."""

from __future__ import annotations

import csv
from datetime import datetime
from types import ModuleType

import polars as pl
import pytest
import yaml

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import ELEMENT_ABUNDANCE
from dagster_project.settings import BUNDLED
from dagster_project.sources import crc_handbook, rudnick_gao
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

RETRIEVED = datetime(2026, 11, 25)
HEAD = "element,reservoir,abundance_ppm,two_sigma_ppm\n"


def parse(source: ModuleType, payload: bytes, *, is_bundled: bool = True) -> pl.DataFrame:
    document = Document("abundance.csv", RETRIEVED, is_bundled=is_bundled)
    found: pl.DataFrame = source.parse(payload, document)["element_abundance"]
    return found


def bundled(source: ModuleType) -> pl.DataFrame:
    return parse(source, (BUNDLED / source.CARD.name / "abundance.csv").read_bytes())


def ppm(frame: pl.DataFrame, reservoir: str) -> dict[str, float]:
    rows = frame.filter(pl.col("reservoir") == reservoir)
    return dict(rows.select("element", "abundance_ppm").iter_rows())


def test_rare_earths_stand_beside_the_metals_they_are_compared_with() -> None:
    upper = ppm(bundled(rudnick_gao), "upper_crust")
    assert [upper[element] for element in ("Ce", "La", "Nd", "Cu", "Pb")] == [63, 31, 27, 28, 17]
    assert [upper[element] for element in ("Dy", "Tb", "Sn", "W", "Ge")] == [
        3.9,
        0.7,
        2.1,
        1.9,
        1.4,
    ]
    # Thulium, the rarest of them, is 200 times as abundant as gold.
    assert upper["Tm"] / upper["Au"] == pytest.approx(200)
    crust = ppm(bundled(crc_handbook), "crust")
    assert [crust[element] for element in ("Ce", "Nd", "Cu", "Lu")] == [66.5, 41.5, 60, 0.8]


@pytest.mark.parametrize(
    ("source", "rows", "elements"), [(rudnick_gao, 114, 57), (crc_handbook, 88, 88)]
)
def test_the_bundled_table_fits_the_lake_and_has_its_origin(
    source: ModuleType, rows: int, elements: int
) -> None:
    found = bundled(source)
    assert (found.height, found["element"].n_unique()) == (rows, elements)
    frame = ELEMENT_ABUNDANCE.conform(
        found.with_columns(document=pl.lit("abundance.csv"), snapshot_id=pl.lit("a-1"))
    )
    assert not frame.select(ELEMENT_ABUNDANCE.key).is_duplicated().any()
    assert (found["abundance_ppm"] > 0).all()
    origin = (BUNDLED / source.CARD.name / "origin.yaml").read_text("utf8")
    (file,) = yaml.safe_load(origin)["files"]
    for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
        assert file[word]


def test_estimates_of_one_book_count_from_its_year_and_others_from_their_retrieval() -> None:
    text = (HEAD + "Nd,upper_crust,27,4\n").encode()
    assert parse(rudnick_gao, text)["vintage_at"].item() == datetime(2014, 12, 31)
    assert parse(crc_handbook, text)["vintage_at"].item() == RETRIEVED
    assert parse(rudnick_gao, text, is_bundled=False)["vintage_at"].item() == RETRIEVED


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Neodymium,upper_crust,27,4", "'Neodymium' is not the symbol of an element"),
        ("Nd,mantle,27,4", "'mantle' is not a reservoir"),
        ("Nd,upper_crust,,4", "'Nd upper_crust' has no number in abundance_ppm"),
        ("Nd,upper_crust,about 27,4", "'Nd upper_crust' has no number in abundance_ppm"),
        ("Nd,upper_crust,27,few", "'Nd upper_crust' has no number in two_sigma_ppm"),
        ("Nd,upper_crust,27", "line 2 does not contain|the last line"),
    ],
)
def test_what_is_no_abundance_is_refused_in_one_sentence(line: str, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError, match=f"^rudnick_gao: ({sentence})"):
        parse(rudnick_gao, f"{HEAD}{line}\n".encode())


@needs_shared
@pytest.mark.parametrize(
    ("source", "reservoir", "column"),
    [
        (rudnick_gao, "upper_crust", "upper_crust_ppm_rudnick_gao_2014"),
        (rudnick_gao, "bulk_crust", "bulk_crust_ppm_rudnick_gao_2014"),
        (crc_handbook, "crust", "crust_ppm_crc_handbook"),
    ],
)
def test_every_abundance_is_one_of_the_table_and_none_is_lost(
    source: ModuleType, reservoir: str, column: str
) -> None:
    path = SHARED / "data" / "crust_abundance" / "crust_abundance_ppm.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = {row["element"]: float(row[column]) for row in rows if row[column]}
    assert ppm(bundled(source), reservoir) == pytest.approx(table, rel=1e-12)
    if reservoir == "upper_crust":
        errors = bundled(source).filter(pl.col("two_sigma_ppm").is_not_null())
        printed = "upper_crust_2sigma_ppm"
        assert dict(errors.select("element", "two_sigma_ppm").iter_rows()) == {
            row["element"]: float(row[printed]) for row in rows if row[printed]
        }
