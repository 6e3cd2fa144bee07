"""A home of a version before has, with today's, the figures of a fresh home of today's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.intake.conform import ConformReport, conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake import landing as landing_module
from dagster_project.lake.build_file import prepare, work_file
from dagster_project.lake.copies import copies_of, left_out_on
from dagster_project.lake.schemas import LAKE_TABLES, MILESTONES, RECONCILED_TRADE, LakeTable
from dagster_project.lake.vintages import current_rows
from dagster_project.orchestration.runtime_tables import runtime_tables
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import source_named
from tests.integration.marts import Marts, models
from tests.nightly import is_night

BACI, CATALOGUE, USGS = (source_named(name) for name in ("baci", "catalogue", "usgs_mcs"))
TODAY = datetime.now(UTC).date() + timedelta(days=1)
"""A day ahead of the clock, so that what a test lands now is known, also around midnight."""
LONG_AGO = datetime(2026, 6, 1, 12)
"""When the home was built with the version before: after the day its figures count from."""

READ_BY_ALL_OTHERS = (
    "trade.baci_flows", "dependency.supplier_shares", "catalog.coverage", "catalog.sources",
)  # fmt: skip
"""Marts that show the figures of BACI first."""

Bundle = Callable[..., None]


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """Sets what the program brings of a source: today's files, with others in place of some."""
    folder = tmp_path / "bundled"

    def bundled(source: Source, *, at: datetime | None = None, **texts: bytes) -> None:
        name = source.CARD.name
        if source is BACI:
            # Its other documents are large, and the same in all versions.
            card = replace(source.CARD, bundled=tuple(OLD))
            monkeypatch.setattr(source, "CARD", card)
        shutil.copytree(BUNDLED / name, folder / name, dirs_exist_ok=True)
        for document, text in texts.items():
            (folder / name / document).write_bytes(text)
        for module in ("land", "stores", "compare"):
            monkeypatch.setattr(f"dagster_project.intake.{module}.BUNDLED", folder)
        if at is not None:
            monkeypatch.setattr(landing_module, "_now", lambda: at)
        else:
            monkeypatch.setattr(
                landing_module, "_now", lambda: datetime.now(UTC).replace(tzinfo=None)
            )

    return bundled


def of_the_version_before() -> bytes:
    """Flows of 2024 as they were labelled HS 2022, without weights, and one of 2022 that was
    taken away since.
    """
    flows = pl.read_csv(BUNDLED / "baci" / "flows_2024.csv", infer_schema=False)
    flows = flows.drop("net_weight_kg").with_columns(hs_revision=pl.lit("HS2022"))
    taken_away = flows.head(1).with_columns(year=pl.lit("2022"), hs6_code=pl.lit("850511"))
    return pl.concat([flows, taken_away]).write_csv().encode()


OLD = {"flows_2024.csv": of_the_version_before()}


def bring(settings: Settings, source: Source) -> ConformReport:
    land_bundled(settings, source)
    return conform(settings, source)


def counting(
    settings: Settings, source: Source, table: LakeTable, day: date = TODAY
) -> pl.DataFrame:
    """The rows that count on a day, without columns that depend on the home."""
    lake = lake_of(settings)
    left_out = copies_of(landing_of(settings), source.CARD.name, lake).left_out(table, day)
    rows = lake.rows(table, source.CARD.name, left_out)
    assert rows is not None
    found = current_rows(table, table.conform(rows.collect()), day)
    return found.drop("snapshot_id").sort(table.key)


def kido(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    said = result.output + str(result.exception or "")
    assert result.exit_code == exit_code, said
    return said


def other_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", f"{settings.home}_other")
    return Settings.load()


def test_marts_are_those_of_a_fresh_home(
    settings: Settings, marts: Marts, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(BACI, at=LONG_AGO, **OLD)
    bring(settings, BACI)
    bundle(BACI)
    bring(settings, BACI)
    fresh = other_home(settings, monkeypatch)
    bring(fresh, BACI)
    every_mart = tuple(
        name
        for name in models()
        # What is landed is listed: of this home it is one document more.
        if name.split(".")[0] not in ("main", "staging") and name != "catalog.snapshots"
    )
    names = every_mart if is_night() else READ_BY_ALL_OTHERS
    found, expected = (marts(home, BACI, names) for home in (settings, fresh))
    for name, frame in expected.items():
        assert_frame_equal(found[name], frame, rel_tol=1e-12)
    flows = found["trade.baci_flows"].filter(year=2024)
    assert flows["net_weight_kg"].is_not_null().mean() > 0.9  # type: ignore[operator]


def test_a_version_before_has_its_own_figures_again_and_each_day_those_of_then(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    bundle(BACI, at=LONG_AGO, **OLD)
    bring(settings, BACI)
    old = counting(settings, BACI, RECONCILED_TRADE)
    bundle(BACI, at=LONG_AGO + timedelta(days=30))
    bring(settings, BACI)
    new = counting(settings, BACI, RECONCILED_TRADE)
    revisions = new.filter(pl.col("period_start") >= date(2022, 1, 1))["hs_revision"]
    assert "HS2022" not in revisions
    assert old.filter(pl.col("hs_revision") == "HS2022").height > 4_000
    bundle(BACI, at=LONG_AGO + timedelta(days=60), **OLD)
    bring(settings, BACI)
    of_days = {-30: old, 10: old, 40: new, 70: old}
    for days, expected in of_days.items():
        day = LONG_AGO.date() + timedelta(days=days)
        assert_frame_equal(counting(settings, BACI, RECONCILED_TRADE, day), expected)
        # A build of that day reads the same: the rows, and the slices they are chosen by.
        file = tmp_path / str(day) / "kido.duckdb"
        left_out = left_out_on(day, landing_of(settings), lake_of(settings), ["baci"])
        prepare(file, lake_of(settings), {}, left_out=left_out)
        with duckdb.connect(str(work_file(file)), read_only=True) as connection:
            for what in ("count(*) from lake.reconciled_trade",
                         "sum(rows) from lake.reconciled_trade_slices"):  # fmt: skip
                assert connection.execute(f"select {what}").fetchone() == (expected.height,)
    said = kido("landed", "baci")
    assert said.count("flows_2024.csv: ") == 3
    assert said.count("none current") == 2


def test_what_somebody_landed_goes_on_counting_over_what_a_new_version_brings(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    bundle(BACI, at=LONG_AGO, **OLD)
    bring(settings, BACI)
    mine = tmp_path / "BACI_HS17_Y2024_V202601.csv"
    mine.write_text("t,i,j,k,v,q\n" + "".join(
        f"2024,{exporter},392,850511,1000.0,10.0\n" for exporter in (156, 704, 276, 842, 490)
    ))  # fmt: skip
    kido("land", "baci", str(mine), "--replace")
    bundle(BACI)
    bring(settings, BACI)
    found = counting(settings, BACI, RECONCILED_TRADE)
    magnets = found.filter(
        pl.col("hs6_code") == "850511", pl.col("period_start") == date(2024, 1, 1)
    )
    assert magnets.select("hs_revision", "document").rows() == [("HS2017", mine.name)] * 5
    assert found.filter(document="flows_2024.csv").height > 4_000


def test_a_file_is_held_against_what_the_next_build_brings_not_against_what_it_replaces(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    """Of 850511 in HS 2022 the version before knew 200 flows of 2024, today's knows none."""
    bundle(BACI, at=LONG_AGO, **OLD)
    bring(settings, BACI)
    bundle(BACI)
    file = tmp_path / "BACI_HS22_Y2024_V202601.csv"
    file.write_text("t,i,j,k,v,q\n" + "".join(
        f"2024,{exporter},392,850511,1000.0,10.0\n" for exporter in (156, 704, 276, 842, 490)
    ))  # fmt: skip
    kido("land", "baci", str(file))
    file = tmp_path / "BACI_HS17_Y2024_V202601.csv"
    file.write_text("t,i,j,k,v,q\n2024,156,392,850511,1000.0,10.0\n")
    assert "--replace" in kido("land", "baci", str(file), exit_code=1)


def test_a_withdrawn_copy_leaves_the_one_before_it(settings: Settings, bundle: Bundle) -> None:
    bundle(BACI, at=LONG_AGO, **OLD)
    bring(settings, BACI)
    old = counting(settings, BACI, RECONCILED_TRADE)
    bundle(BACI)
    bring(settings, BACI)
    newest = landing_of(settings).snapshots("baci")[-1]
    said = kido("withdraw", newest.snapshot_id, "--because", "not ours")
    assert "Current again: " in said
    assert "rows of reconciled_trade of flows_2024.csv" in said
    bring(settings, BACI)
    assert_frame_equal(counting(settings, BACI, RECONCILED_TRADE), old)


def test_a_list_that_was_edited_by_hand_counts_as_it_is_on_every_day(
    settings: Settings, bundle: Bundle
) -> None:
    bundle(CATALOGUE, at=LONG_AGO)
    bring(settings, CATALOGUE)
    before = counting(settings, CATALOGUE, MILESTONES)
    text = (BUNDLED / "catalogue" / "milestones.yaml").read_text("utf8")
    head, first, *rest = text.split("\n  - ")
    edited = "\n  - ".join([head, *rest])
    bundle(CATALOGUE, **{"milestones.yaml": edited.encode()})
    bring(settings, CATALOGUE)
    (gone,) = set(before["milestone_id"]) - set(
        counting(settings, CATALOGUE, MILESTONES)["milestone_id"]
    )
    assert gone in first
    then = counting(settings, CATALOGUE, MILESTONES, LONG_AGO.date() + timedelta(days=1))
    assert gone not in then["milestone_id"]
    assert then.height > 0
    # Back as it was, it is there again.
    bundle(CATALOGUE)
    bring(settings, CATALOGUE)
    assert_frame_equal(counting(settings, CATALOGUE, MILESTONES), before)


def test_a_document_that_is_bundled_no_more_counts_no_more(
    settings: Settings, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Releases are documents of their own: one that goes leaves the others."""
    bundle(USGS, at=LONG_AGO)
    bring(settings, USGS)
    documents = set(USGS.CARD.bundled)
    card = replace(USGS.CARD, bundled=tuple(documents - {"mcs_2026.csv"}))
    monkeypatch.setattr(USGS, "CARD", card)
    bundle(USGS)
    bring(settings, USGS)
    # Readers see that it went; a release that is blocked for it names it.
    listed = runtime_tables(settings, [USGS], [])["snapshots"]
    assert set(listed["document"]) == set(USGS.CARD.bundled)
    assert kido("landed", "usgs_mcs").count("mcs_2026.csv: ") == 1
    fresh = other_home(settings, monkeypatch)
    bring(fresh, USGS)
    for name in USGS.CARD.tables:
        table = LAKE_TABLES[name]
        assert_frame_equal(
            counting(settings, USGS, table), counting(fresh, USGS, table), check_row_order=False
        )
        then = counting(settings, USGS, table, LONG_AGO.date())
        assert "mcs_2026.csv" in then["document"] or name != "production"


def test_a_copy_of_before_that_can_no_longer_be_read_stops_nothing(
    settings: Settings, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(BACI, at=LONG_AGO, **{"flows_2024.csv": b"of a layout of before\n"})
    land_bundled(settings, BACI)
    bundle(BACI)
    outcome = bring(settings, BACI)
    assert "flows_2024.csv" in outcome.rejected
    assert not outcome.is_rejected_by_hand
    fresh = other_home(settings, monkeypatch)
    bring(fresh, BACI)
    found, expected = (counting(home, BACI, RECONCILED_TRADE) for home in (settings, fresh))
    assert_frame_equal(found, expected)
    # Today's own copy is another matter.
    bundle(BACI, **{"flows_2024.csv": b"spoilt\n"})
    assert bring(settings, BACI).is_rejected_by_hand
