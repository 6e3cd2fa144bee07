"""A day before anything is known of a supplier, or one that has not begun, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.intake.stores import lake_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.tables import Record, TableRecord
from dagster_project.orchestration.days import first_day, require_day
from dagster_project.settings import Settings

FLOW: Mapping[str, Any] = {
    "source": "comtrade", "reporter_iso3": "JPN", "partner_iso3": "CHN", "flow": "import",
    "commodity_code": "284690", "is_basket": False, "hs_revision": "HS2022", "frequency": "A",
    "period_start": date(2015, 1, 1), "value_usd": 1.0, "is_provisional": False,
    "document": "a.csv",
}  # fmt: skip
RECONCILED: Mapping[str, Any] = {
    "source": "baci", "exporter_iso3": "CHN", "importer_iso3": "JPN", "hs6_code": "284690",
    "hs_revision": "HS2022", "period_start": date(2015, 1, 1), "value_usd": 1.0,
    "is_provisional": False, "document": "a.csv",
}  # fmt: skip


def put(settings: Settings, table: str, row: Mapping[str, Any], known: str, **other: Any) -> None:
    """A row of the lake, known since a day."""
    declared = LAKE_TABLES[table]
    snapshot_id = f"{row['source']}-{known}-{len(other)}"
    content = {"vintage_at": datetime.fromisoformat(known), "snapshot_id": snapshot_id}
    frame = pl.DataFrame([{**dict.fromkeys(declared.columns), **row, **other, **content}])
    of_table = TableRecord(rows=1, quarantined=0, suite_version="", checks=[])
    lake_of(settings).write(
        row["source"],
        snapshot_id,
        {table: declared.conform(frame)},
        Record(parser_version="", tables={table: of_table}),
    )


def on(home: Path, day: str) -> Settings:
    return Settings.load(home=home, as_of=date.fromisoformat(day))


def test_the_first_day_is_that_of_the_first_vintage_with_a_supplier(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path)
    assert first_day(settings) is None
    put(settings, "trade_flows", FLOW, "2001-07-01", flow="export")
    put(settings, "trade_flows", FLOW, "2002-07-01", partner_iso3="WLD", document="b")
    put(settings, "trade_flows", FLOW, "2003-07-01", partner_iso3="_X", document="b")
    put(settings, "trade_flows", FLOW, "2004-07-01", partner_iso3="JPN", document="b")
    put(settings, "trade_flows", FLOW, "2005-07-01", value_usd=None)
    assert first_day(settings) is None
    put(settings, "reconciled_trade", RECONCILED, "2012-01-31T10:00:00")
    assert first_day(settings) == date(2012, 1, 31)
    put(settings, "trade_flows", FLOW, "2016-07-01")
    assert first_day(settings) == date(2012, 1, 31)
    put(settings, "trade_flows", FLOW, "2006-07-01", value_usd=None, net_weight_kg=2.0)
    assert first_day(settings) == date(2006, 7, 1)


def test_a_day_that_is_too_early_reports_from_when_on_something_is_known(tmp_path: Path) -> None:
    # Before anything is there nobody can say; the build does once it has landed its documents.
    require_day(on(tmp_path, "1990-01-01"))
    put(Settings.load(home=tmp_path), "trade_flows", FLOW, "2016-07-01")
    require_day(on(tmp_path, "2016-07-01"))
    with pytest.raises(ConfigurationError) as raised:
        require_day(on(tmp_path, "2016-06-30"))
    assert str(raised.value) == (
        "2016-06-30 is too early: there is no figure of any supplier before 2016-07-01."
    )


def test_a_day_that_has_not_begun_is_refused(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    settings = on(tmp_path, (today + timedelta(days=400)).isoformat())
    with pytest.raises(ConfigurationError, match="is in the future: nothing is known after"):
        require_day(settings)
    # Today is that of the run.
    settings = on(tmp_path, "2025-03-02")
    settings.started_on = date(2025, 3, 1)
    with pytest.raises(ConfigurationError) as raised:
        require_day(settings)
    assert str(raised.value) == (
        "2025-03-02 is in the future: nothing is known after 2025-03-01 (UTC)."
    )
