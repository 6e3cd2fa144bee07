"""Compares the rows of a document or extract with the current ones of its source, before landing.

Which differences are implausible is decided in `quality/revisions.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    sums_of,
)
from dagster_project.settings import BUNDLED
from dagster_project.sources.card import Document, Source

_ADJACENT = timedelta(days=800)
"""Known rows this long before and after the file's are read: for the period before, and for a file
whose years are off by one or two."""

_MOST_OBJECTIONS = 5
"""Most objections in one message."""

MOST_COMPARED_ROWS = 500_000
"""Rows of a document that are compared one by one: 2 s and 1 GB."""


def compare_rows(
    landing: Landing,
    lake: Lake,
    source: Source,
    rows: Mapping[str, Rows],
    *,
    scope: CommodityScope,
    answer: Snapshot | None = None,
) -> list[Revision]:
    """The effect of the rows of a document or extract on the current ones, by table.

    Of a large table a part is compared one by one, see `compare_in_part`. `answer` is as in
    `compare_with_current`.
    """
    large = {
        name: rows_of_table
        for name, rows_of_table in rows.items()
        if isinstance(rows_of_table, Spooled)
        # An answer in memory is whole: what it lacks of the requested codes is withdrawn.
        or (answer is None and rows_of_table.height > MOST_COMPARED_ROWS)
    }
    frames, in_part = compare_in_part(landing, lake, source, rows, large)
    others = {revision.table: revision for revision in in_part}
    return [
        revision.with_others(others.pop(revision.table)) if revision.table in others else revision
        for revision in compare_with_current(
            landing, lake, source, frames, scope=scope, answer=answer, in_part=large
        )
    ] + list(others.values())


def compare_with_current(
    landing: Landing,
    lake: Lake,
    source: Source,
    frames: Mapping[str, pl.DataFrame],
    *,
    scope: CommodityScope,
    answer: Snapshot | None = None,
    in_part: Collection[str] = (),
) -> list[Revision]:
    """The effect of the rows of a document or extract on the current ones, by table.

    `frames` have the name of their snapshot. Bundled figures that no build has landed yet are
    included in the known ones, the copies that they replace are not. `answer` is the snapshot that
    fetched rows would become: it is not cut, and requested rows that it lacks are withdrawn.
    `in_part`: tables whose frames have some codes of a larger document, and are compared with known
    rows of the same codes.
    """
    today = datetime.now(UTC).date()
    card = source.CARD
    requests = _Requests.of(landing, lake, card.name, answer, frames)
    bundled_next = _bundled_next(landing, lake, source, scope)
    copies = copies_of(landing, card.name, lake)
    replaced = {
        snapshot.snapshot_id
        for snapshot in copies.snapshots
        if snapshot.document in bundled_next or snapshot.document not in card.bundled
    }
    revisions = []
    for name, fresh in frames.items():
        table = LAKE_TABLES[name]
        left_out = replaced | copies.left_out(table, today)
        is_part = name in in_part
        known = _known(lake, table, card.name, fresh, left_out, of_its_codes=is_part)
        next_rows = (each[name].lazy() for each in bundled_next.values() if name in each)
        next_known = [_near(table, rows, fresh, of_its_codes=is_part) for rows in next_rows]
        known = pl.concat([known, *pl.collect_all(next_known)])
        revision = _compare_table(table, known, fresh, requests, today, is_part=is_part)
        if revision is not None:
            revisions.append(revision)
    return revisions


@dataclass(frozen=True)
class _Requests:
    """What was requested of a source, by which it is known what its publisher has withdrawn.

    `before` is the coverage (rows of that lake table) without the compared answer, `after` with
    it. `codes` are the requested codes by snapshot, `landed_by_hand` the snapshots without any.
    """

    before: pl.DataFrame
    after: pl.DataFrame
    codes: Mapping[str, Iterable[str]]
    landed_by_hand: Sequence[str]
    is_answer: bool

    @classmethod
    def of(
        cls,
        landing: Landing,
        lake: Lake,
        source: str,
        answer: Snapshot | None,
        frames: Mapping[str, pl.DataFrame],
    ) -> _Requests:
        before = after = lake.coverage(source)
        snapshots = landing.snapshots(source)
        codes = {snapshot.snapshot_id: snapshot.asked_codes for snapshot in snapshots}
        if answer is not None:
            after = pl.concat([before, coverage_of(answer, frames)])
            codes[answer.snapshot_id] = answer.asked_codes
        landed_by_hand = [
            snapshot.snapshot_id for snapshot in snapshots if snapshot.is_landed_by_hand
        ]
        return cls(before, after, codes, landed_by_hand, is_answer=answer is not None)


def _compare_table(
    table: LakeTable,
    known: pl.DataFrame,
    fresh: pl.DataFrame,
    requests: _Requests,
    today: date,
    *,
    is_part: bool,
) -> Revision | None:
    """The effect of rows of a table (`fresh`) on the current ones of `known`, all its vintages.

    None if there is nothing to compare.
    """
    of_unknown_series = 0
    if is_part:
        # An unknown code cannot be compared; one in an unknown edition is, with the other editions.
        series, rows = [code_of(table)], fresh.height
        fresh, known = (
            fresh.join(known, on=series, how="semi", maintain_order="left"),
            known.join(fresh, on=series, how="semi", maintain_order="left"),
        )
        of_unknown_series = rows - fresh.height
    if fresh.is_empty() or known.is_empty():
        return _all_new(table, of_unknown_series) if of_unknown_series else None
    before = not_withdrawn(
        table, current_rows(table, known, today), requests.before, requests.codes, today
    )
    if requests.is_answer and table.asked_by:
        before = _without_accepted_losses(table, before, fresh, requests.landed_by_hand)
    after = not_withdrawn(
        table,
        current_rows(table, pl.concat([known, fresh]), today),
        requests.after,
        requests.codes,
        today,
    )
    revision = compare_with_known(table, before, fresh, after, is_whole=requests.is_answer)
    return replace(revision, added=revision.added + of_unknown_series)


def _all_new(table: LakeTable, rows: int) -> Revision:
    return Revision(table.name, rows, 0, 0, 0, (), ())


def compare_in_part(
    landing: Landing,
    lake: Lake,
    source: Source,
    rows: Mapping[str, Rows],
    large: Collection[str],
) -> tuple[dict[str, pl.DataFrame], list[Revision]]:
    """The rows of each table to compare one by one, and the effect of the others.

    Of a table that is not `large` all rows are compared one by one. Of a large one those of some
    known codes are: of the mineral groups, and others drawn by their hash, up to
    MOST_COMPARED_ROWS. The rest is compared by sums, or is new if nothing of it is known.
    """
    frames: dict[str, pl.DataFrame] = {}
    revisions = []
    copies, today = copies_of(landing, source.CARD.name, lake), datetime.now(UTC).date()
    for name, rows_of_table in rows.items():
        if name not in large and isinstance(rows_of_table, pl.DataFrame):
            frames[name] = rows_of_table
            continue
        table = LAKE_TABLES[name]
        code = code_of(table)
        known = lake.rows(table, source.CARD.name, copies.left_out(table, today))
        known = table.empty().lazy() if known is None else table.conform_lazily(known)
        is_drawn = pl.col(code).is_in(list(commodity_codes()))
        others = _codes(known.filter(~is_drawn), code)
        sums = sums_of(table, batches.scan(rows_of_table)) if others else None
        if sums is not None:
            is_drawn = pl.col(code).is_in(_draw_codes(sums, code, others))
        frames[name] = batches.scan(rows_of_table).filter(is_drawn).collect()
        revisions.append(
            _all_new(table, batches.rows_in(rows_of_table) - frames[name].height)
            if sums is None
            else compare_sums(table, known.filter(~is_drawn), sums.filter(~is_drawn))
        )
    return frames, revisions


def _codes(rows: pl.LazyFrame, code: str) -> list[str]:
    return rows.select(pl.col(code).unique()).collect()[code].to_list()


def _draw_codes(sums: pl.DataFrame, code: str, known: Sequence[str]) -> list[str]:
    """The codes whose rows are compared one by one; `known` are those outside mineral groups."""
    counts = dict(sums.group_by(code).agg(pl.col("rows").sum()).iter_rows())
    codes = [mineral for mineral in sorted(commodity_codes()) if mineral in counts]
    by_hash = sorted(
        (other for other in known if other in counts),
        key=lambda other: hashlib.sha256(other.encode()).digest(),
    )
    rows = sum(counts[mineral] for mineral in codes)
    for other in by_hash:
        rows += counts[other]
        if rows > MOST_COMPARED_ROWS:
            break
        codes.append(other)
    return codes


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
    """All vintages of the rows of a source that `fresh` may replace, and of adjacent periods.

    Without the snapshots `left_out`; `of_its_codes`: only rows of the codes in `fresh`.
    """
    rows = lake.rows(table, source, left_out)
    if rows is None:
        return table.empty()
    return table.conform(_near(table, rows, fresh, of_its_codes=of_its_codes).collect())


def _near(
    table: LakeTable, rows: pl.LazyFrame, fresh: pl.DataFrame, *, of_its_codes: bool
) -> pl.LazyFrame:
    """The rows of the periods of `fresh` and of adjacent ones, and if so asked of its codes."""
    if of_its_codes:
        code = code_of(table)
        rows = rows.filter(pl.col(code).is_in(fresh[code].unique().implode()))
    period = table.period
    if period:
        first, last = fresh[period].min(), fresh[period].max()
        if isinstance(first, date) and isinstance(last, date):
            rows = rows.filter(pl.col(period).is_between(first - _ADJACENT, last + _ADJACENT))
        elif isinstance(first, int) and isinstance(last, int):
            rows = rows.filter(pl.col(period).is_between(first - 2, last + 2))
    return rows


def _without_accepted_losses(
    table: LakeTable, current: pl.DataFrame, fresh: pl.DataFrame, landed_by_hand: Sequence[str]
) -> pl.DataFrame:
    """The current rows without those whose loss a person has accepted.

    That is so where an answer lacks them, and all that it has of their reporter, flow and period
    was landed by hand later. A file landed by hand withdraws nothing; without this rule the same
    answer would be quarantined every time.
    """
    columns = [name for name in table.vintage_slice if name != "commodity_code"]
    by_hand = current.filter(pl.col("snapshot_id").is_in(landed_by_hand))
    not_by_hand = fresh.join(by_hand, on=table.vintage_slice, how="anti")
    accepted_at = (
        by_hand.join(not_by_hand, on=columns, how="anti")
        .group_by(columns)
        .agg(at=pl.col("vintage_at").max())
    )
    lost = (
        current.join(fresh, on=table.vintage_slice, how="anti")
        .join(accepted_at, on=columns)
        .filter(pl.col("vintage_at") < pl.col("at"))
    )
    return current.join(lost, on=table.vintage_slice, how="anti")


def _bundled_next(
    landing: Landing, lake: Lake, source: Source, scope: CommodityScope
) -> dict[str, Mapping[str, pl.DataFrame]]:
    """The rows of the bundled files that the next build will land, by document and table."""
    by_document: dict[str, Mapping[str, pl.DataFrame]] = {}
    name = source.CARD.name
    in_the_lake = lake.snapshot_ids(name)
    for file in bundled_files(source):
        payload = (BUNDLED / name / file.file).read_bytes()
        sha256 = hashlib.sha256(payload).hexdigest()
        landed = landing.equal_to(sha256, source=name, document=file.file, is_bundled=True)
        is_in_the_lake = landed is not None and landed.snapshot_id in in_the_lake
        if is_in_the_lake or landing.withdrawn_bytes(sha256, source=name):
            continue
        retrieved = datetime.combine(file.retrieved, time())
        document = Document(file.file, retrieved, is_bundled=True)
        batch = batches.read(source, [(payload, document)], scope)
        by_document[file.file] = batch.frames(f"bundled {file.file}")
    return by_document
