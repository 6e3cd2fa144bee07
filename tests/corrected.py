"""Rows of a document as they come in: parsed, with the corrections of its source applied."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lake.corrections import apply_corrections
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.sources.card import Document, Source


def lake_rows(source: Source, payload: bytes, document: Document) -> dict[str, pl.DataFrame]:
    """The rows of a document by lake table, before the corrections of its source."""
    return {
        table: LAKE_TABLES[table].conform(
            frame.with_columns(
                source=pl.lit(source.CARD.name),
                document=pl.lit(document.name),
                snapshot_id=pl.lit("s1"),
            )
        )
        for table, frame in source.parse(payload, document).items()
    }


def corrected_rows(
    source: Source, payload: bytes, document: Document
) -> tuple[Mapping[str, pl.DataFrame], Mapping[str, str]]:
    """The rows by table, in the columns the source gives; and the status of each correction."""
    parsed = source.parse(payload, document)
    frames, outcomes = apply_corrections(source.CARD.name, lake_rows(source, payload, document))
    rows = {table: frames[table].select(frame.columns) for table, frame in parsed.items()}
    return rows, dict(outcomes.select("correction_id", "status").iter_rows())
