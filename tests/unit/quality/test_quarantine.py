"""Rows quarantined, as they are kept: readable again, whole or absent, never doubled."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import DamagedError
from dagster_project.quality import quarantine, rules
from dagster_project.quality.quarantine import (
    QUARANTINE_SCHEMA,
    quarantined_rows,
    read_quarantine,
    require_as_quarantined,
    shown_quarantine,
    write_quarantine,
)
from dagster_project.quality.rules import Suite
from dagster_project.quality.runner import evaluate_batch

SUITE = Suite(
    "lake",
    "price_quotes",
    (
        rules.quarantine(
            "close_is_positive", "0 or less is a mark for missing.",
            "ExpectColumnValuesToBeBetween", column="close", min_value=0,
        ),
    ),
)  # fmt: skip


def quarantined(*bad_rows: int) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "instrument": ["EURJPY"] * 100,
            "price_date": [date(2026, 1, 1)] * 100,
            "close": [-float(row) if row in bad_rows else 178.0 for row in range(1, 101)],
        }
    )
    return evaluate_batch(frame, SUITE).quarantined


def test_rows_quarantined_come_back_with_where_they_were_and_why(tmp_path: Path) -> None:
    write_quarantine(tmp_path, "20261125-ab", "ecb", "price_quotes", quarantined(7, 9))
    kept = read_quarantine(tmp_path)
    assert kept.columns[:7] == [
        "snapshot_id", "source", "table_name", "row_number", "rule", "value", "explanation",
    ]  # fmt: skip
    assert kept.row(0) == (
        "20261125-ab", "ecb", "price_quotes", 7, "close_is_positive", "-7.0",
        "0 or less is a mark for missing.",
        '{"instrument": "EURJPY", "price_date": "2026-01-01", "close": -7.0}',
    )  # fmt: skip
    assert kept["row_number"].to_list() == [7, 9]


def test_a_person_finds_the_reasons_beside_the_rows(tmp_path: Path) -> None:
    folder = write_quarantine(tmp_path, "20261125-ab", "ecb", "price_quotes", quarantined(7, 9))
    reasons = json.loads((folder / "price_quotes.json").read_text("utf8"))
    assert reasons["rows"] == 2
    assert reasons["rows_by_rule"] == {"close_is_positive": 2}
    assert reasons["first"]["value"] == "-7.0"
    assert sorted(file.name for file in folder.iterdir()) == [
        "price_quotes.json", "price_quotes.parquet",
    ]  # fmt: skip


def test_a_batch_checked_again_replaces_what_it_left(tmp_path: Path) -> None:
    for bad_rows in ((7, 9), (7, 9), (9,)):
        write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined(*bad_rows))
    assert read_quarantine(tmp_path)["row_number"].to_list() == [9]
    folder = write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined())
    assert read_quarantine(tmp_path).height == 0
    assert not list(folder.glob("*"))


def test_snapshots_and_sources_lie_side_by_side(tmp_path: Path) -> None:
    write_quarantine(tmp_path, "b", "ecb", "price_quotes", quarantined(1))
    write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined(2))
    write_quarantine(tmp_path, "a", "fred", "price_quotes", quarantined(3))
    kept = read_quarantine(tmp_path)
    assert kept.select("source", "snapshot_id", "row_number").rows() == [
        ("ecb", "a", 2), ("ecb", "b", 1), ("fred", "a", 3),
    ]  # fmt: skip


def test_nothing_quarantined_is_a_typed_frame_without_rows(tmp_path: Path) -> None:
    nothing = read_quarantine(tmp_path / "not_there")
    assert nothing.schema == QUARANTINE_SCHEMA
    assert nothing.height == 0


def test_a_write_that_breaks_off_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined(7))

    def full_disk(path: Path, payload: bytes) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(quarantine, "write_atomically", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined(8))
    assert read_quarantine(tmp_path)["row_number"].to_list() == [7]


@pytest.mark.parametrize("name", ["price_quotes.parquet", "price_quotes.json"])
def test_rows_that_were_changed_and_still_parse_are_none_and_named(
    tmp_path: Path, name: str
) -> None:
    folder = write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined(7))
    rows, changed = folder / "price_quotes.parquet", folder / name
    assert require_as_quarantined(rows, "").height == 1
    if changed == rows:
        pl.read_parquet(rows).with_columns(value=pl.lit("-8.0")).write_parquet(rows)
    else:
        changed.write_bytes(changed.read_bytes().replace(b"-7.0", b"-8.0"))
    with pytest.raises(DamagedError, match=name):
        require_as_quarantined(rows, "")
    assert read_quarantine(tmp_path).is_empty()
    assert shown_quarantine(tmp_path).is_empty()
    assert quarantined_rows(tmp_path, "ecb") == {"a": {"price_quotes": 0}}


def test_rows_of_an_earlier_version_are_read_without_a_hash(tmp_path: Path) -> None:
    folder = write_quarantine(tmp_path, "a", "ecb", "price_quotes", quarantined(7))
    (folder / "price_quotes.json").write_text('{"rows": 1}')
    assert read_quarantine(tmp_path).height == 1
