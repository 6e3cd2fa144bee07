"""Compares new rows with the lake's rows of their source, before any of them counts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from dagster_project.errors import ImplausibleError
from dagster_project.intake import batch as batches
from dagster_project.intake.coverage import coverage_of
from dagster_project.intake.stores import bundled_files
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.spool import Spooled
from dagster_project.lake.tables import Lake, Rows
from dagster_project.lake.vintages import current_rows, not_withdrawn
from dagster_project.lake.vocabulary import commodity_codes
from dagster_project.quality.revisions import (
    Revision,
    code_of,
    compare_sums,
    compare_with_known,
    series_of,
    sums_of,
)
from dagster_project.settings import BUNDLED
from dagster_project.sources.card import Document, Source

_BESIDE = timedelta(days=800)
"""Known rows this long before and after the file's are compared: for the period before, and for a
file whose years are off by one or two."""

_MOST_OBJECTIONS = 5

MOST_COMPARED_ROWS = 500_000
"""Rows of a spooled document that are compared one by one: 2 s and 1 GB."""


def compare_with_current(
    landing: Landing,
    lake: Lake,
    source: Source,
    frames: Mapping[str, pl.DataFrame],
    *,
    scope: CommodityScope,
    answer: Snapshot | None = None,
    is_part: bool = False,
) -> list[Revision]:
    """The effect of the rows of a document or extract on those that count, by table.

    `frames` have the name of their snapshot. Bundled figures that no build has landed yet are
    included in the known ones, the copies that they replace are not. `answer` is the snapshot that
    they would become, where they were fetched: it is not cut, and requested rows that it lacks are
    withdrawn.
    `is_part`: they are rows of some codes of a larger document, and compared with known ones of the
    same codes.
    """
    today = datetime.now(UTC).date()
    card = source.CARD
    before = lake.coverage(card.name)
    snapshots = landing.snapshots(card.name)
    asked = {snapshot.snapshot_id: snapshot.asked_codes for snapshot in snapshots}
    landed_by_hand = [snapshot.snapshot_id for snapshot in snapshots if snapshot.is_landed_by_hand]
    after = before
    if answer is not None:
        after = pl.concat([before, coverage_of(answer, frames)])
        asked[answer.snapshot_id] = answer.asked_codes
    to_come = _bundled_to_come(landing, lake, source, scope)
    copies = copies_of(landing, card.name, lake)
    replaced = {
        snapshot.snapshot_id
        for snapshot in copies.snapshots
        if snapshot.document in to_come or snapshot.document not in card.bundled
    }
    revisions = []
    for name, fresh in frames.items():
        table = LAKE_TABLES[name]
        left_out = replaced | copies.left_out(table, today)
        known = _known(lake, table, card.name, fresh, left_out, of_its_codes=is_part)
        known = pl.concat([known, *(each[name] for each in to_come.values() if name in each)])
        of_unknown_series = 0
        if is_part:
            # A code in an unknown edition cannot be compared.
            series, of_document = list(series_of(table)), fresh.height
            fresh, known = (
                fresh.join(known, on=series, how="semi", maintain_order="left"),
                known.join(fresh, on=series, how="semi", maintain_order="left"),
            )
            of_unknown_series = of_document - fresh.height
        if fresh.is_empty() or known.is_empty():
            if of_unknown_series:
                revisions.append(Revision(name, of_unknown_series, 0, 0, 0, (), ()))
            continue
        counting = not_withdrawn(table, current_rows(table, known, today), before, asked, today)
        if answer is not None and table.asked_by:
            counting = _without_accepted_losses(table, counting, fresh, landed_by_hand)
        revision = compare_with_known(
            table,
            counting,
            fresh,
            not_withdrawn(
                table,
                current_rows(table, pl.concat([known, fresh]), today),
                after,
                asked,
                today,
            ),
            is_whole=answer is not None,
        )
        revisions.append(replace(revision, added=revision.added + of_unknown_series))
    return revisions


def compare_in_part(
    landing: Landing, lake: Lake, source: Source, rows: Mapping[str, Rows]
) -> tuple[dict[str, pl.DataFrame], list[Revision]]:
    """The rows of each table that are compared one by one, and the effect of the others.

    Of a batch in memory those are all rows. Of a spooled one they are those of some known codes: of
    the mineral groups, and others drawn by their hash, up to MOST_COMPARED_ROWS. The others are
    compared by their sums, or are new if none are known.
    """
    frames: dict[str, pl.DataFrame] = {}
    revisions = []
    copies, today = copies_of(landing, source.CARD.name, lake), datetime.now(UTC).date()
    for name, of_table in rows.items():
        if not isinstance(of_table, Spooled):
            frames[name] = of_table
            continue
        table = LAKE_TABLES[name]
        code = code_of(table)
        known = lake.rows(table, source.CARD.name, copies.left_out(table, today))
        known = table.empty().lazy() if known is None else table.conform_lazily(known)
        is_drawn = pl.col(code).is_in(list(commodity_codes()))
        others = _codes(known.filter(~is_drawn), code)
        sums = sums_of(table, of_table.scan()) if others else None
        if sums is not None:
            is_drawn = pl.col(code).is_in(_drawn(sums, code, others))
        frames[name] = of_table.scan().filter(is_drawn).collect()
        revisions.append(
            Revision(name, of_table.rows - frames[name].height, 0, 0, 0, (), ())
            if sums is None
            else compare_sums(table, known.filter(~is_drawn), sums.filter(~is_drawn))
        )
    return frames, revisions


def _codes(rows: pl.LazyFrame, code: str) -> list[str]:
    return rows.select(pl.col(code).unique()).collect()[code].to_list()


def _drawn(sums: pl.DataFrame, code: str, known: Sequence[str]) -> list[str]:
    """The codes whose rows are compared one by one; `known` are those outside mineral groups."""
    counts = dict(sums.group_by(code).agg(pl.col("rows").sum()).iter_rows())
    minerals = [commodity for commodity in sorted(commodity_codes()) if commodity in counts]
    others = sorted(
        (commodity for commodity in known if commodity in counts),
        key=lambda commodity: hashlib.sha256(commodity.encode()).digest(),
    )
    drawn, size = list(minerals), sum(counts[mineral] for mineral in minerals)
    for other in others:
        size += counts[other]
        if size > MOST_COMPARED_ROWS:
            break
        drawn.append(other)
    return drawn


def require_plausible(name: str, revisions: Sequence[Revision], hint: str) -> None:
    """Raise ImplausibleError with the objections, if there are any."""
    objections = [each for revision in revisions for each in revision.objections]
    if objections:
        raise ImplausibleError(f"{name}: {' '.join(objections[:_MOST_OBJECTIONS])}", hint=hint)


def _known(
    lake: Lake,
    table: LakeTable,
    source: str,
    fresh: pl.DataFrame,
    left_out: Collection[str],
    *,
    of_its_codes: bool,
) -> pl.DataFrame:
    """All vintages of the rows of a source that the file may replace, and adjacent ones; without
    the snapshots `left_out`.
    """
    rows = lake.rows(table, source, left_out)
    if rows is None:
        return table.empty()
    if of_its_codes:
        code = code_of(table)
        rows = rows.filter(pl.col(code).is_in(fresh[code].unique().implode()))
    period = table.period
    if period:
        first, last = fresh[period].min(), fresh[period].max()
        if isinstance(first, date) and isinstance(last, date):
            rows = rows.filter(pl.col(period).is_between(first - _BESIDE, last + _BESIDE))
        elif isinstance(first, int) and isinstance(last, int):
            rows = rows.filter(pl.col(period).is_between(first - 2, last + 2))
    return table.conform(rows.collect())


def _without_accepted_losses(
    table: LakeTable, counting: pl.DataFrame, fresh: pl.DataFrame, landed_by_hand: Sequence[str]
) -> pl.DataFrame:
    """The rows that count, without those whose loss was accepted: an answer lacks them, and later
    all that it has of their reporter, flow and period was landed by hand.

    A file landed by hand withdraws nothing; without this the answer would be quarantined every
    time.
    """
    columns = [name for name in table.vintage_slice if name != "commodity_code"]
    by_hand = counting.filter(pl.col("snapshot_id").is_in(landed_by_hand))
    unseen = fresh.join(by_hand, on=table.vintage_slice, how="anti")
    seen = (
        by_hand.join(unseen, on=columns, how="anti")
        .group_by(columns)
        .agg(at=pl.col("vintage_at").max())
    )
    accepted = (
        counting.join(fresh, on=table.vintage_slice, how="anti")
        .join(seen, on=columns)
        .filter(pl.col("vintage_at") < pl.col("at"))
    )
    return counting.join(accepted, on=table.vintage_slice, how="anti")


def _bundled_to_come(
    landing: Landing, lake: Lake, source: Source, scope: CommodityScope
) -> dict[str, Mapping[str, pl.DataFrame]]:
    """The rows of the bundled files that the next build will land, by document and table."""
    by_document: dict[str, Mapping[str, pl.DataFrame]] = {}
    in_the_lake = lake.snapshot_ids(source.CARD.name)
    for file in bundled_files(source):
        payload = (BUNDLED / source.CARD.name / file.file).read_bytes()
        sha256, name = hashlib.sha256(payload).hexdigest(), source.CARD.name
        landed = landing.equal_to(sha256, source=name, document=file.file, is_bundled=True)
        if (landed and landed.snapshot_id in in_the_lake) or landing.withdrawn_bytes(
            sha256, source=name
        ):
            continue
        retrieved = datetime.combine(file.retrieved, time())
        document = Document(file.file, retrieved, is_bundled=True)
        batch = batches.read(source, [(payload, document)], scope)
        by_document[file.file] = batch.frames(f"bundled {file.file}")
    return by_document
