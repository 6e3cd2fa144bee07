"""What publishers changed between what was landed of them at two times, from file to mart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.serving.trace import trace
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests.fakes.comtrade import WORLD, Flow, as_json, flows_for
from tests.integration.marts import Marts
from tests.nightly import times

COMTRADE = source_named("comtrade")
REVISIONS = "trade.revisions"
JUNE, JULY, AUGUST = date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1)

FLOWS = flows_for([392], [156, 704, 251], ("280530", "850511"), ["2023", "2024"], ("M",), gaps=0)


def figures(value: float, weight: float | None) -> list[Flow]:
    """FLOWS with these of Japan's magnets from China in 2024, and with a total that has them."""
    magnets = [flow for flow in FLOWS if (flow.code, flow.period) == ("850511", "2024")]
    rest = sum(flow.value for flow in magnets if flow.partner not in (WORLD, 156))

    def changed(flow: Flow) -> Flow:
        if flow not in magnets:
            return flow
        if flow.partner == WORLD:
            return replace(flow, value=rest + value)
        return replace(flow, value=value, weight=weight) if flow.partner == 156 else flow

    return [changed(flow) for flow in FLOWS]


VINTAGES = {
    JUNE: figures(157_519_221.538, 3_682_183.0),
    JULY: figures(157_519_222.0, 3_682_183.0),
    AUGUST: figures(160_000_000.0, None),
}


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[date]], Settings]:
    def land(days: Sequence[date]) -> Settings:
        name = " ".join(f"{day:%m}" for day in days)
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / name))
        for number, day in enumerate(days):
            file = tmp_path / f"{name} {number}.json"
            file.write_bytes(as_json(VINTAGES[day]))
            land_files(Settings.load(), COMTRADE, [file], retrieved=day, replace_all=True)
        return Settings.load()

    return land


def of_china(revisions: pl.DataFrame) -> pl.DataFrame:
    key = "trade_flows/A/JPN/CHN/import/850511/HS2022"
    return revisions.filter(pl.col("series_key") == key).sort("vintage_at", "measure")


def test_a_changed_figure_is_a_revision_and_a_rounded_one_is_precision(
    landed: Callable[[Sequence[date]], Settings], marts: Marts
) -> None:
    settings = landed([JUNE, JULY, AUGUST])
    found = marts(settings, COMTRADE, (REVISIONS,), keep_snapshots=True)[REVISIONS]
    shown = ("measure", "previous_value", "value", "kind")
    assert of_china(found).select(shown).rows() == [
        ("value_usd", 157_519_221.538, 157_519_222.0, "precision"),
        ("net_weight_kg", 3_682_183.0, None, "revision"),
        ("value_usd", 157_519_222.0, 160_000_000.0, "revision"),
    ]
    assert of_china(found)["change_ratio"].to_list() == [
        pytest.approx(1.0), None, pytest.approx(160_000_000 / 157_519_222),
    ]  # fmt: skip
    # The total that is printed moved with it, and nothing else did.
    others = found.join(of_china(found), on="series_key", how="anti")
    assert others["series_key"].unique().to_list() == ["trade_flows/A/JPN/WLD/import/850511/HS2022"]


def test_a_revision_leads_to_the_rows_of_both_vintages(
    landed: Callable[[Sequence[date]], Settings], marts: Marts, tmp_path: Path
) -> None:
    settings = landed([JUNE, JULY, AUGUST])
    names = (REVISIONS, "catalog.snapshots", "catalog.sources", "catalog.corrections")
    published = tmp_path / "kido.duckdb"
    with duckdb.connect(str(published)) as connection:
        shown = marts(settings, COMTRADE, names, keep_snapshots=True)
        for name, frame in shown.items():
            connection.register("frame", frame.to_arrow())
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.execute(f"create table {name} as from frame")
    for row in shown[REVISIONS].iter_rows(named=True):
        filters = [f"{key}={row[key]}" for key in ("series_key", "measure", "vintage_at")]
        way = trace(published, lake_of(settings), landing_of(settings), REVISIONS, filters, AUGUST)
        rows = way.rows["trade_flows"]
        assert set(rows["snapshot_id"]) == set(row["snapshot_ids"])
        assert set(rows[row["measure"]]) == {row["previous_value"], row["value"]}
        assert [origin.row["snapshot_id"] for origin in way.origins] == row["snapshot_ids"]


def test_revisions_do_not_depend_on_the_order_of_landing(
    landed: Callable[[Sequence[date]], Settings], marts: Marts
) -> None:
    expected = None
    orders = list(permutations(VINTAGES))
    for days in orders[:: times(at_night=1, by_day=len(orders) - 1)]:
        given = marts(landed(days), COMTRADE, (REVISIONS,), keep_snapshots=True)[REVISIONS]
        found = given.drop("snapshot_id", "previous_snapshot_id", "snapshot_ids")
        found = found.sort(pl.all(), nulls_last=True)
        expected = found if expected is None else expected
        assert_frame_equal(found, expected)
    assert expected is not None
    assert expected.height == 5


def test_the_same_figures_landed_again_revise_nothing(
    landed: Callable[[Sequence[date]], Settings], marts: Marts, tmp_path: Path
) -> None:
    """In another order of the rows, for the same bytes are one vintage."""
    settings = landed([JUNE])
    file = tmp_path / "again.json"
    file.write_bytes(as_json(VINTAGES[JUNE][::-1]))
    land_files(settings, COMTRADE, [file], retrieved=JULY)
    names = (REVISIONS, "catalog.snapshots")
    revisions, snapshots = marts(settings, COMTRADE, names).values()
    assert snapshots.height == 2
    assert revisions.is_empty()


def test_what_comes_with_the_program_has_no_revision(settings: Settings, marts: Marts) -> None:
    sources = [
        source
        for source in all_sources().values()
        if source.CARD.bundled
        and {"trade_flows", "reconciled_trade", "price_quotes"} & set(source.CARD.tables)
    ]
    assert len(sources) > 10
    for source in sources:
        land_bundled(settings, source)
    found = marts(settings, sources[0], (REVISIONS,), others=sources[1:])
    assert found[REVISIONS].is_empty()
