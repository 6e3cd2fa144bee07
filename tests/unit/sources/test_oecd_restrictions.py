"""The OECD's inventory of export restrictions, in the layout of docs/restriction-files.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import NOTICES
from dagster_project.sources import oecd_restrictions
from dagster_project.sources.card import Document
from dagster_project.sources.oecd_restrictions import OPTIONAL, REQUIRED
from tests.conftest import CHECKOUT, SHARED, needs_shared

DOCUMENT = Document("inventory.csv", datetime(2026, 11, 28), is_bundled=False)
COLUMNS = (*REQUIRED, *OPTIONAL)
ROW = {
    "country_iso3": "CHN", "hs6": "284690", "product": "Rare-earth compounds",
    "measure_type": "Export tax", "date_start": "2012-01-01", "ad_valorem_pct": "15",
    "legal_source": "MOFCOM Announcement No. 18 of 2011", "inventory_year": "2013",
}  # fmt: skip


def csv_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    lines = [",".join(row.get(name, "") for name in columns) for row in rows]
    return "\n".join([",".join(columns), *lines, ""]).encode()


def notices(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    return oecd_restrictions.parse(csv_of(rows, columns), DOCUMENT)["notices"]


def test_a_measure_is_one_notice_with_all_its_codes() -> None:
    rows = [
        ROW,
        {**ROW, "hs6": "280530", "inventory_year": "2014"},
        {**ROW, "inventory_year": "2014"},
        {**ROW, "date_start": "2015-01-01"},
        {**ROW, "measure_type": "Export quota", "quota_value": "30000", "quota_unit": "t"},
        {**ROW, "country_iso3": "VNM"},
        {**ROW, "product": "Gallium", "date_start": ""},
    ]
    found = notices(rows)
    assert found["notice_id"].to_list() == [
        "CHN / Export tax / Rare-earth compounds / 2012-01-01",
        "CHN / Export tax / Rare-earth compounds / 2015-01-01",
        "CHN / Export quota / Rare-earth compounds / 2012-01-01",
        "VNM / Export tax / Rare-earth compounds / 2012-01-01",
        "CHN / Export tax / Gallium / undated",
    ]
    assert found["hs6_codes"][0].to_list() == ["280530", "284690"]
    assert found["minerals"].to_list() == [*[["all_rare_earths"]] * 4, ["gallium"]]
    assert found["title"][0] == "China: Export tax, Rare-earth compounds"
    assert "15 % of the value" in found["summary"][0]
    assert "quota 30000 t" in found["summary"][2]


def test_it_is_known_from_the_day_it_was_retrieved() -> None:
    (row,) = notices([ROW]).to_dicts()
    assert row["published_at"] is None
    assert (row["kind"], row["implementer_iso3"]) == ("export_restriction", "CHN")
    assert row["acts"] == ["MOFCOM 2011-18"]


def test_a_code_that_no_list_has_is_kept_as_printed() -> None:
    (row,) = notices([{**ROW, "hs6": "999999"}]).to_dicts()
    assert row["hs6_codes"] == ["999999"]


def test_rows_fit_the_lake_in_any_order_of_columns() -> None:
    found = notices([ROW])
    assert notices([ROW], COLUMNS[::-1]).equals(found)
    assert notices([ROW], [name for name in COLUMNS if name in ROW]).equals(found)
    frame = found.with_columns(document=pl.lit("d"), snapshot_id=pl.lit("s"))
    assert NOTICES.conform(frame).schema == NOTICES.polars_schema


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"country_iso3": "XYZ"}, "'country_iso3: XYZ' is not an economy"),
        ({"hs6": "28469"}, "'hs6: 28469' is not a code of six digits"),
        ({"hs6": ""}, "is not a code"),
        ({"product": ""}, "is not the name of a product"),
        ({"measure_type": ""}, "is not the name of a measure"),
        ({"date_start": "2012"}, "is not a day"),
        ({"date_end": "1/1/2012"}, "is not a day"),
        ({"ad_valorem_pct": "15 %"}, "is not a number"),
        ({"quota_value": "many"}, "is not a number"),
    ],
)
def test_a_wrong_cell_is_named_in_a_sentence(cells: Mapping[str, str], message: str) -> None:
    with pytest.raises(UpstreamFormatError, match=re.escape(message)):
        notices([ROW, {**ROW, **cells}])


def test_another_layout_is_rejected_with_the_page_that_describes_it() -> None:
    with pytest.raises(UpstreamFormatError, match=r"missing: hs6.*restriction-files") as caught:
        notices([ROW], [name for name in COLUMNS if name != "hs6"])
    assert caught.value.hint
    with pytest.raises(UpstreamFormatError, match="HTML page"):
        oecd_restrictions.parse(b"<html></html>", DOCUMENT)


def test_the_page_describes_each_column_and_its_example_is_read() -> None:
    page = (CHECKOUT / "docs" / "restriction-files.md").read_text("utf8")
    for column in COLUMNS:
        assert f"`{column}`" in page, column
    (example,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    found = oecd_restrictions.parse(example.encode(), DOCUMENT)["notices"]
    assert found.height == 2


@needs_shared
def test_the_contract_is_read() -> None:
    payload = (SHARED / "payloads" / "oecd_er" / "byo_contract_SYNTHETIC.csv").read_bytes()
    (row,) = oecd_restrictions.parse(payload, DOCUMENT)["notices"].to_dicts()
    assert row["hs6_codes"] == ["284690"]
    assert row["minerals"] == ["all_rare_earths"]
