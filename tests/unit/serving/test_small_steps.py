"""Small steps add up: against the oldest kept release, and where all figures change by one ratio.

Each is a chain of releases: `CHAIN` of them are kept, and each is compared with the one before it
and with the oldest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from dagster_project.serving import gate
from tests.unit.serving.test_gate import METAS, OTHER, PRICES, RIGHT, SLIP, warehouse

CHAIN = 5
FLOWS = pl.DataFrame(
    [
        {
            "exporter_iso3": exporter, "importer_iso3": f"E{number:02}", "hs6_code": code,
            "hs_revision": "HS2017", "year": year, "snapshot_id": RIGHT[0],
            "value_usd": 1000.0 + 7 * number, "net_weight_kg": 100.0 + 3 * number,
        }
        for code in ("280530", "850511")
        for year in (2023, 2024)
        for number in range(20)
        for exporter in ("CHN", "VNM")
    ]
)  # fmt: skip
MAGNETS = (pl.col("hs6_code") == "850511") & (pl.col("year") == 2024)

Snapshots = list[tuple[str, str, str]]
Change = Callable[[pl.DataFrame], pl.DataFrame]
STAYS = [RIGHT, OTHER]


def scaled(factor: float, column: str, where: pl.Expr | None = None) -> Change:
    condition = pl.lit(True) if where is None else where
    return lambda rows: rows.with_columns(
        pl.when(condition).then(pl.col(column) * factor).otherwise(column)
    )


class Releases:
    """The releases of a home, without Dagster: only what the gate compares."""

    def __init__(
        self, folder: Path, table: str, rows: pl.DataFrame, snapshots: Snapshots | None = None
    ) -> None:
        self._folder, self._table, self._rows = folder, table, rows
        self._files: list[Path] = []
        self._withdrawn: set[str] = set()
        self.build(lambda same: same, snapshots)

    def build(
        self,
        change: Change,
        snapshots: Snapshots | None = None,
        *,
        withdrawn: Sequence[str] = (),
        is_accepted: bool = False,
    ) -> list[str]:
        """Build with changed rows; the losses. Without any, or accepted, it is published."""
        rows = change(self._rows)
        file = self._folder / f"{len(self._files)}.duckdb"
        file.unlink(missing_ok=True)
        warehouse(file, {self._table: rows}, snapshots or STAYS)
        self._withdrawn |= set(withdrawn)
        compare = partial(
            gate.compare, metas=METAS, contract_version="1.0", withdrawn=self._withdrawn,
        )  # fmt: skip
        losses: list[str] = []
        if self._files:
            kept = self._files[-CHAIN:]
            compared = compare(kept[-1], file)
            if len(kept) > 1:
                compared = gate.with_losses_since(compared, kept[0], kept[-1], file, compare)
            losses = [loss.sentence for loss in compared.losses]
        if not losses or is_accepted:
            self._files.append(file)
            self._rows = rows
        return losses


@pytest.fixture
def flows(tmp_path: Path) -> Releases:
    return Releases(tmp_path, "trade.baci_flows", FLOWS)


def first_losses(releases: Releases, change: Change, times: int) -> Iterator[tuple[int, list[str]]]:
    """The number of the step that is blocked, with its losses."""
    for step in range(1, times + 1):
        losses = releases.build(change)
        if losses:
            yield step, losses
            return


def test_all_weights_that_grow_by_a_sixth_are_blocked_at_once(flows: Releases) -> None:
    ((step, losses),) = first_losses(flows, scaled(1.17, "net_weight_kg"), 5)
    assert step == 1
    assert losses == [
        "net_weight_kg of 280530 in 2024 in trade.baci_flows would change from 5,140 to 6,014, and "
        "40 of its 40 known figures by the same factor of 1.17, and 3 more like it (no snapshot "
        "was added or removed: the code or the day changed)."
    ]


@pytest.mark.parametrize("factor", [1.05, 2.2046, 1 / 3.3, 4.9])
def test_a_price_in_another_unit_is_blocked_whatever_the_ratio(
    tmp_path: Path, factor: float
) -> None:
    releases = Releases(tmp_path, "market.prices", PRICES)
    losses = releases.build(scaled(factor, "close", pl.col("instrument") == "copper"))
    same = [loss for loss in losses if f"by the same factor of {factor:.4g}" in loss]
    assert len(same) == 1
    assert "highest close of copper in 2025" in same[0]


def test_one_ratio_in_a_single_code_and_year_is_blocked(flows: Releases) -> None:
    (loss,) = flows.build(scaled(2.2046, "net_weight_kg", MAGNETS))
    assert "net_weight_kg of 850511 in 2024" in loss
    assert "40 of its 40 known figures by the same factor of 2.205" in loss


def test_a_revision_whose_ratios_scatter_is_published(flows: Releases) -> None:
    scatter = 1 + (pl.col("importer_iso3").hash(1) % 40).cast(pl.Float64) / 100
    for _ in range(2):
        assert flows.build(lambda rows: rows.with_columns(pl.col("value_usd") * scatter)) == []


def test_shares_that_melt_are_blocked_by_the_oldest_release(flows: Releases) -> None:
    """China's magnets by a quarter: the total by an eighth each time."""
    chinese = MAGNETS & (pl.col("exporter_iso3") == "CHN")
    ((step, losses),) = first_losses(flows, scaled(0.75, "value_usd", chinese), 5)
    assert 1 < step <= 5
    assert losses == [
        "Since release 20261125T120000-abcdef: value_usd of 850511 in 2024 in trade.baci_flows "
        f"would shrink from 42,660 to {21_330 * (1 + 0.75**step):,.0f} (no snapshot was added or "
        "removed: the code or the day changed)."
    ]


LATER, FIXED = "CN-2026-1", "CN-2017-1"
"""A clause whose baseline is the newest year, and one whose year before is landed already."""

EXPOSURES = pl.DataFrame(
    [
        {
            "clause_id": clause, "importer_iso3": f"E{number:03}", "commodity_code": "850511",
            "baseline_from": date(2016, 1, 1), "exposed_value_high_usd": 1000.0 + number,
            "source": "baci",
        }
        for clause in (LATER, FIXED)
        for number in range(200)
    ]
)  # fmt: skip
UNKNOWN = EXPOSURES.with_columns(
    importer_iso3=pl.format("N{}", "importer_iso3"), baseline_from=pl.lit(None, pl.Date),
    exposed_value_high_usd=pl.lit(None, pl.Float64),
)  # fmt: skip


def exposures(folder: Path, rows: pl.DataFrame) -> Releases:
    return Releases(folder, "exposure.importer_exposure", rows)


def without_the_last(part: float) -> Change:
    """A part of the importers no longer import."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        importers = rows["importer_iso3"].unique().sort()
        left = importers.head(round(len(importers) * (1 - part)))
        return rows.filter(pl.col("importer_iso3").is_in(left.to_list()))

    return change


def test_exposures_of_a_later_year_may_be_of_other_importers(tmp_path: Path) -> None:
    """A year is landed after the other: each has a few importers less, and none is lost."""

    def land(rows: pl.DataFrame) -> pl.DataFrame:
        moved = pl.col("baseline_from").dt.offset_by("1y")
        later = without_the_last(0.03)(rows.filter(clause_id=LATER)).with_columns(moved)
        return pl.concat([rows.filter(clause_id=FIXED), later])

    releases = exposures(tmp_path, EXPOSURES)
    assert releases.build(lambda same: same) == []
    assert list(first_losses(releases, land, 8)) == []


def test_an_exposure_without_figures_yet_may_vanish(tmp_path: Path) -> None:
    """Once the year is landed, an importer that had none of the goods has no row."""

    def land(rows: pl.DataFrame) -> pl.DataFrame:
        left = rows.filter(pl.col("baseline_from").is_null())
        return rows.join(left.tail(16), on=rows.columns, how="anti", nulls_equal=True)

    assert list(first_losses(exposures(tmp_path, pl.concat([EXPOSURES, UNKNOWN])), land, 8)) == []


def test_exposures_that_vanish_at_once_are_blocked(tmp_path: Path) -> None:
    """They are compared with the last release: 12 of 200 importers, and 24 of 400 rows."""
    losses = exposures(tmp_path, EXPOSURES).build(without_the_last(0.06))
    assert [loss.partition(" (")[0] for loss in losses] == [
        "exposure.importer_exposure would have 376 of 400 rows",
        "exposure.importer_exposure would have 188 of 200 economies",
    ]


def test_what_was_accepted_against_the_oldest_is_not_said_again(flows: Releases) -> None:
    chinese = MAGNETS & (pl.col("exporter_iso3") == "CHN")
    while not flows.build(scaled(0.75, "value_usd", chinese)):
        pass
    assert flows.build(scaled(0.75, "value_usd", chinese), is_accepted=True)
    assert flows.build(lambda same: same) == []
    # Another code that melts is.
    other = (pl.col("hs6_code") == "280530") & (pl.col("year") == 2024)
    other &= pl.col("exporter_iso3") == "CHN"
    ((_, losses),) = first_losses(flows, scaled(0.75, "value_usd", other), 5)
    assert "value_usd of 280530 in 2024" in losses[0]
    assert "850511" not in losses[0]


def test_what_was_withdrawn_is_not_said_again_with_the_next_file(tmp_path: Path) -> None:
    rows = pl.concat(
        [FLOWS, FLOWS.with_columns(hs6_code=pl.lit("260900"), snapshot_id=pl.lit(SLIP[0]))]
    )
    releases = Releases(tmp_path, "trade.baci_flows", rows, [RIGHT, SLIP, OTHER])
    third = ("un-3", "un", "more.csv")
    assert releases.build(lambda same: same, [RIGHT, SLIP, OTHER]) == []
    without = pl.col("hs6_code") != "260900"
    assert releases.build(
        lambda rows: rows.filter(without), [RIGHT, OTHER], withdrawn=[SLIP[0]]
    ) == []  # fmt: skip
    assert releases.build(lambda same: same, [RIGHT, third, OTHER]) == []


def test_ordinary_revisions_over_many_releases_are_published(flows: Releases) -> None:
    for step in range(8):
        scatter = 0.98 + (pl.col("importer_iso3").hash(step) % 5).cast(pl.Float64) / 100
        assert flows.build(lambda rows, by=scatter: rows.with_columns(  # type: ignore[misc]
            pl.col("value_usd", "net_weight_kg") * by
        )) == []  # fmt: skip


# The scope.


def of_scope(folder: Path, scope: str, rows: pl.DataFrame) -> Path:
    import duckdb

    file = warehouse(folder / f"{scope}.duckdb", {"trade.baci_flows": rows}, STAYS)
    with duckdb.connect(str(file)) as connection:
        connection.execute("alter table catalog.releases add column scope varchar")
        connection.execute("update catalog.releases set scope = ?", [scope])
    return file


def test_a_narrower_scope_is_named_as_the_cause(tmp_path: Path) -> None:
    wide = of_scope(tmp_path, "all", FLOWS)
    narrow = of_scope(tmp_path, "minerals", FLOWS.filter(pl.col("hs6_code") == "850511"))
    compare = partial(gate.compare, metas=METAS, contract_version="1.0")
    losses = {loss.kind: loss.sentence for loss in compare(wide, narrow, scope="minerals").losses}
    assert losses["codes_are_kept"] == (
        "trade.baci_flows would lose 1 code: 280530 (KIDO_SCOPE was all and is minerals)."
    )
    # Back to the wide one nothing is lost.
    back = compare(narrow, wide, scope="all")
    assert back.losses == []
    assert "KIDO_SCOPE was minerals and is all" in back.page
