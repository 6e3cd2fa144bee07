"""Which rows of a lake table count on a day: the rule that `LakeTable` declares, for frames.

The marts use the same rule in SQL (`dbt/macros/vintages.sql`, `newest_of_each.sql`), where the
reasons are given; a test keeps the two equal. Neither gets rows of a replaced copy of a bundled
document (`copies.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

import polars as pl

from dagster_project import words
from dagster_project.lake.schemas import LakeTable

_EVIDENCE = {evidence: rank for rank, evidence in enumerate(words.EVIDENCE_CLASSES, 1)}


def rows_that_count(table: LakeTable, rows: pl.DataFrame, today: date) -> pl.DataFrame:
    """The rows, of all vintages of a table, that count in a build for `today`, in their order."""
    end = datetime.combine(today + timedelta(days=1), time())
    if table.counts_from == "vintage_at":
        rows = rows.filter(pl.col("vintage_at") < end)
    rows = _newest_of_each(rows, table.vintage_slice, [table.edition] if table.edition else [])
    if not table.subject:
        return rows
    if table.counts_from == "known_at":
        rows = rows.filter(pl.col("known_at") < end.date())
    if table.evidence:
        rank = -pl.col(table.evidence).replace_strict(_EVIDENCE, default=None, return_dtype=pl.Int8)
        rows = rows.with_columns(evidence_rank=rank)
        rows = _newest_of_each(rows, table.subject, ["evidence_rank"])
        return rows.drop("evidence_rank")
    return _newest_of_each(rows, table.subject, [])


def not_withdrawn(
    table: LakeTable,
    rows: pl.DataFrame,
    coverage: pl.DataFrame,
    asked: Mapping[str, Iterable[str]],
    today: date,
) -> pl.DataFrame:
    """The rows that count (`rows_that_count`), for a table that `is_asked` without the codes that
    their publisher has withdrawn; for another table, all.

    `coverage` are the rows of that lake table, `asked` the codes that were requested for each
    snapshot.
    """
    if not table.is_asked:
        return rows
    of = ["source", "reporter_iso3", "flow", "frequency", "period_start"]
    part = [*of, "commodity_code", "snapshot_id"]
    codes = pl.DataFrame(
        [(snapshot_id, code) for snapshot_id, each in asked.items() for code in each],
        schema={"ask": pl.String, "commodity_code": pl.String},
        orient="row",
    )
    asks = coverage.filter(
        pl.col("table_name") == table.name,
        pl.col("rows") > 0,
        pl.col("vintage_at") < datetime.combine(today + timedelta(days=1), time()),
    ).select(*of, ask="snapshot_id", asked_at="vintage_at")
    withdrawn = (
        rows.select(*part, "vintage_at")
        .unique()
        .join(asks, on=of)
        .filter(pl.col("asked_at") > pl.col("vintage_at"), pl.col("ask") != pl.col("snapshot_id"))
        .join(codes, on=["ask", "commodity_code"], how="semi")
    )
    return rows.join(withdrawn, on=part, how="anti")


def _newest_of_each(
    rows: pl.DataFrame, columns: tuple[str, ...], before: list[str]
) -> pl.DataFrame:
    """The rows of the newest snapshot of each group; the columns `before` take precedence."""
    newest = [*before, "vintage_at", "landed", "snapshot_id"]
    instant = pl.col("snapshot_id").str.extract(r"(\d{8}T\d{12})").fill_null("")
    ranked = rows.with_columns(landed=instant)
    chosen = (
        ranked.select(*columns, *(name for name in newest if name not in columns))
        .unique()
        .sort(newest, descending=True, nulls_last=True)
        .unique(columns, keep="first", maintain_order=True)
    )
    return ranked.join(
        chosen, on=chosen.columns, how="semi", nulls_equal=True, maintain_order="left"
    ).drop("landed")
