"""The slices that a record lists are those of its rows, whatever the rows are."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from dagster_project.lake import slices
from dagster_project.lake.schemas import ASSESSMENTS, PRICE_QUOTES, RECONCILED_TRADE, LakeTable
from dagster_project.lake.spool import Spooled, spool
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake, Record, TableRecord
from tests.nightly import times
from tests.unit.lake.test_vintages import flow, rows

TODAY = date(2026, 11, 26)


def record(of: pl.DataFrame | int, table: LakeTable = RECONCILED_TRADE) -> Record:
    count = of if isinstance(of, int) else of.height
    came = TableRecord(rows=count, quarantined=0, suite_version="1", checks=[])
    return Record(parser_version="1", tables={table.name: came})


def trade(**output: Any) -> dict[str, Any]:
    return {"snapshot_id": "baci-1", "source": "baci", **output}


def test_of_each_slice_it_lists_the_vintage_and_the_number_of_rows() -> None:
    first, second = datetime(2026, 1, 1), datetime(2026, 2, 1, 1, 2, 3, 4)
    found = rows(
        RECONCILED_TRADE,
        trade(hs6_code="280530", came=first, edition=202601),
        trade(hs6_code="280530", came=first, edition=202601, importer_iso3="JPN"),
        trade(hs6_code="850511", came=second, edition=None),
    )
    listed = slices.slices_to_record(RECONCILED_TRADE, found.lazy(), found.height)
    assert listed is not None
    on_record = json.loads(listed.model_dump_json())
    assert on_record["rows"] == [2, 1]
    # A value shared by all slices is stored once.
    assert on_record["columns"]["source"] == {"values": ["baci"], "at": None}
    read = slices.Slices.model_validate(on_record)
    assert slices.as_frame(RECONCILED_TRADE, {"baci-1": read}).rows() == [
        ("baci", "280530", "x", date(2024, 1, 1), 202601, first, "baci-1", 2),
        ("baci", "850511", "x", date(2024, 1, 1), None, second, "baci-1", 1),
    ]


SLICES = st.lists(
    st.tuples(
        st.sampled_from(["280530", "284610", "850511"]),
        st.sampled_from([date(1995, 1, 1), date(2024, 1, 1)]),
        st.sampled_from([None, 202401, 202601]),
        st.sampled_from([datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1)]),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=times(at_night=40, by_day=10))
@given(SLICES)
def test_what_is_read_of_a_record_is_what_was_counted(
    of: list[tuple[str, date, int | None, datetime]],
) -> None:
    found = rows(
        RECONCILED_TRADE,
        *(
            trade(hs6_code=code, period_start=period, edition=edition, came=came,
                  snapshot_id="baci-1")
            for code, period, edition, came in of
        ),
    )  # fmt: skip
    listed = slices.slices_to_record(RECONCILED_TRADE, found.lazy(), found.height)
    assert listed is not None
    written = slices.Slices.model_validate_json(listed.model_dump_json())
    read = slices.as_frame(RECONCILED_TRADE, {"baci-1": written})
    assert read["rows"].sum() == len(of)
    assert {row[1:6:2] + row[4:5] for row in read.rows()} == {
        (code, period, came, edition) for code, period, edition, came in of
    }


def test_a_table_whose_slices_are_its_rows_lists_them_only_where_they_are_few() -> None:
    found = rows(
        PRICE_QUOTES,
        *({"price_date": date(2020, 1, 1).replace(year=1800 + day)} for day in range(101)),
    )
    assert slices.slices_to_record(PRICE_QUOTES, found.lazy(), 101) is None
    few = slices.slices_to_record(PRICE_QUOTES, found.head(100).lazy(), 100)
    assert few is not None
    assert few.rows == [1] * 100


def test_more_slices_than_a_record_may_list_are_found_in_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "MOST_RECORDED", 1)
    lake = Lake(Store(str(tmp_path)))
    for snapshot_id, codes in (("baci-1", ["280530"]), ("baci-2", ["280530", "850511"])):
        found = rows(
            RECONCILED_TRADE, *(trade(hs6_code=code, snapshot_id=snapshot_id) for code in codes)
        )
        lake.write("baci", snapshot_id, {"reconciled_trade": found}, record(found))
    contents = lake.contents(RECONCILED_TRADE)
    assert set(contents.slices) == {"baci-1"}
    assert contents.without_slices == {"baci-2"}
    listed = lake.slices(RECONCILED_TRADE, "baci").sort("snapshot_id", "hs6_code")
    assert listed.select("snapshot_id", "hs6_code", "rows").rows() == [
        ("baci-1", "280530", 1), ("baci-2", "280530", 1), ("baci-2", "850511", 1),
    ]  # fmt: skip


def test_what_is_spooled_is_listed_as_what_is_held(tmp_path: Path) -> None:
    found = rows(
        RECONCILED_TRADE,
        *(trade(hs6_code=f"{280000 + n % 3}", importer_iso3=f"{n:03}") for n in range(9)),
    )
    lake = Lake(Store(str(tmp_path / "lake")))
    lake.write("baci", "baci-1", {"reconciled_trade": found}, record(found))
    held = lake.records("baci")["baci-1"].tables["reconciled_trade"].slices
    files = [spool(RECONCILED_TRADE, part.lazy(), tmp_path) for part in (found[:4], found[4:])]
    of_two = record(9)
    table = of_two.tables["reconciled_trade"].model_copy(update={"files": 2})
    of_two = of_two.model_copy(update={"tables": {"reconciled_trade": table}})
    lake.write("baci", "baci-1", {"reconciled_trade": Spooled.from_files(files)}, of_two)
    assert lake.records("baci")["baci-1"].tables["reconciled_trade"].slices == held
    assert held is not None
    assert held.rows == [3, 3, 3]
    counted = lake.rows(RECONCILED_TRADE, "baci")
    assert counted is not None
    assert counted.collect().height == 9


@pytest.mark.parametrize(
    ("editions", "expected"),
    [
        ([202601] * 5, [(202601, 5)]),
        ([None] * 5, [(None, 5)]),
        ([None, None, 202601, None, None], [(202601, 1), (None, 4)]),
        ([202601, 202601, None, None, None], [(202601, 2), (None, 3)]),
        ([202601, 202601, 202601, 202601, 202401], [(202401, 1), (202601, 4)]),
    ],
)
@pytest.mark.parametrize("rows_of_a_file", [1, 2, 5])
def test_slices_of_files_are_distinguished_by_what_varies_in_any_row(
    tmp_path: Path,
    editions: list[int | None],
    expected: list[tuple[int | None, int]],
    rows_of_a_file: int,
) -> None:
    found = rows(RECONCILED_TRADE, *(trade(edition=edition) for edition in editions))
    files = [
        spool(RECONCILED_TRADE, part.lazy(), tmp_path) for part in found.iter_slices(rows_of_a_file)
    ]
    listed = slices.slices_to_record(
        RECONCILED_TRADE, Spooled.from_files(files).scan(), found.height
    )
    assert listed is not None
    of = slices.as_frame(RECONCILED_TRADE, {"baci-1": listed})
    assert of.select("edition", "rows").rows() == expected


def test_what_counts_and_what_is_held_is_reported_without_a_look_at_the_rows(
    tmp_path: Path,
) -> None:
    old, new = datetime(2026, 1, 1), datetime(2026, 2, 1)
    lake = Lake(Store(str(tmp_path)))
    for snapshot_id, came, codes in (
        ("baci-20260101T000000000000", old, ["280530", "280530", "850511"]),
        ("baci-20260201T000000000000", new, ["280530"]),
    ):
        found = rows(
            RECONCILED_TRADE,
            *(
                trade(snapshot_id=snapshot_id, hs6_code=code, came=came, importer_iso3=f"{n}",
                      period_start=date(2023 + n, 1, 1) if code == "850511" else date(2024, 1, 1))
                for n, code in enumerate(codes)
            ),
        )  # fmt: skip
        lake.write("baci", snapshot_id, {"reconciled_trade": found}, record(found))
    for file in tmp_path.rglob("*.parquet"):
        file.write_bytes(b"")
    assert lake.current_row_counts(RECONCILED_TRADE, "baci", {}, TODAY) == {
        "baci-20260101T000000000000": 1,
        "baci-20260201T000000000000": 1,
    }
    assert lake.current_row_counts(RECONCILED_TRADE, "baci", {}, date(2026, 1, 31)) == {
        "baci-20260101T000000000000": 3
    }
    held = {
        snapshot_id: [(one.table, one.rows, one.first, one.last) for one in of]
        for snapshot_id, of in lake.rows_by_snapshot("baci", [RECONCILED_TRADE]).items()
    }
    assert held == {
        "baci-20260101T000000000000": [("reconciled_trade", 3, "2024-01-01", "2025-01-01")],
        "baci-20260201T000000000000": [("reconciled_trade", 1, "2024-01-01", "2024-01-01")],
    }


def test_where_the_slice_has_no_period_the_rows_say_it(tmp_path: Path) -> None:
    lake = Lake(Store(str(tmp_path)))
    found = rows(
        ASSESSMENTS,
        {"snapshot_id": "x-1", "label": "Tin", "year": 2017},
        {"snapshot_id": "x-1", "label": "Zinc", "year": 2023},
    )
    lake.write("x", "x-1", {"assessments": found}, record(found, ASSESSMENTS))
    (held,) = lake.rows_by_snapshot("x", [ASSESSMENTS])["x-1"]
    assert (held.rows, held.first, held.last) == (2, "2017", "2023")


def test_the_slices_of_no_rows_are_none_with_the_columns_of_the_table(tmp_path: Path) -> None:
    empty = Lake(Store(str(tmp_path))).slices(RECONCILED_TRADE, "baci")
    assert dict(empty.schema) == slices.slice_schema(RECONCILED_TRADE)
    found = rows(RECONCILED_TRADE, trade(), flow_of_baci())
    assert_frame_equal(slices.count_slices(RECONCILED_TRADE, found.lazy()).head(0), empty)


def flow_of_baci() -> dict[str, Any]:
    return trade(hs6_code=flow("x", 1)["partner_iso3"])
