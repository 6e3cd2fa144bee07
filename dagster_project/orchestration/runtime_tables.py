"""The `runtime.*` tables that dbt reads: sources, what of them is late, snapshots, asked windows,
quarantined rows, columns, inputs of tables, code texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, get_type_hints

import polars as pl

from dagster_project.intake.due import is_fetched
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.schemas import INSTANT, LAKE_TABLES
from dagster_project.lake.scope import nomenclature
from dagster_project.orchestration.lateness import lateness_by_frequency
from dagster_project.orchestration.lineage import Input
from dagster_project.quality.quarantine import shown_quarantine
from dagster_project.serving.dictionary import Table, columns_frame
from dagster_project.settings import Settings
from dagster_project.sources.card import Source

_SNAPSHOT: Mapping[str, Any] = {
    "snapshot_id": pl.String, "source": pl.String, "document": pl.String, "retrieved_at": INSTANT,
    "landed_at": INSTANT, "sha256": pl.String, "bytes": pl.Int64, "media_type": pl.String,
    "request": pl.String, "is_bundled": pl.Boolean, "commodity_codes": pl.List(pl.String),
}  # fmt: skip
_ASK: Mapping[str, Any] = {
    "source": pl.String, "frequency": pl.String, "period_start": pl.Date, "asked_at": INSTANT,
    "snapshot_id": pl.String,
}  # fmt: skip
_LATENESS: Mapping[str, Any] = {
    "source": pl.String, "frequency": pl.String, "latest_period": pl.Date,
    "published_through": pl.Date, "expected_period": pl.Date, "expected_at": INSTANT,
    "days_late": pl.Int64,
}  # fmt: skip
_TRADE = {"trade_flows", "national_trade", "reconciled_trade"}
"""Tables of the lake; models of flows read the snapshots of their sources, and no others."""

_LINEAGE: Mapping[str, Any] = dict.fromkeys(get_type_hints(Input), pl.String)


def runtime_tables(
    settings: Settings,
    sources: Collection[Source],
    tables: Sequence[Table],
    inputs: Sequence[Input] = (),
    filled: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, pl.DataFrame]:
    """The `runtime.*` tables of a build file, by name: as of the settings' day.

    `tables` are the described tables of the dbt project, `inputs` what they are made from, and
    `filled` those that a source may add rows to, by source.
    """
    landing = landing_of(settings)
    snapshots = {
        source.CARD.name: _snapshots_behind(source, landing, settings.as_of_instant)
        for source in sources
    }
    of_trade = [source.CARD.name for source in sources if not _TRADE.isdisjoint(source.CARD.tables)]
    return {
        "sources": _sources(settings, sources, landing, filled),
        "snapshots": _frame_of_snapshots(snapshots.values()),
        "trade_snapshots": _frame_of_snapshots(snapshots[name] for name in of_trade).select(
            "snapshot_id", "document", "commodity_codes"
        ),
        "asks": pl.DataFrame(
            [row for source in sources for row in _asks(source.CARD.name, landing, settings)],
            schema=_ASK,
        ),
        "lateness": _lateness(settings, sources, landing),
        "quarantine": shown_quarantine(settings.quarantine_dir),
        "columns": columns_frame(tables),
        "lineage": pl.DataFrame(inputs, schema=_LINEAGE, orient="row"),
        "nomenclature": _nomenclature(settings),
    }


def _lateness(settings: Settings, sources: Collection[Source], landing: Landing) -> pl.DataFrame:
    """What is published and missing on the day of the build, by source and frequency."""
    lake = lake_of(settings)
    rows = [
        (
            source.CARD.name,
            late.frequency,
            late.newest,
            late.published_through and late.published_through.period_start,
            late.missing and late.missing.period_start,
            late.missing and late.missing.due_at,
            late.days_late,
        )
        for source in sources
        for late in lateness_by_frequency(settings, source, lake, landing)
    ]
    return pl.DataFrame(rows, schema=_LATENESS, orient="row")


def _nomenclature(settings: Settings) -> pl.DataFrame:
    """Texts of HS codes; empty for the default scope, whose codes are all in the seeds."""
    texts = nomenclature() if settings.scope.is_wide else {}
    return pl.DataFrame(
        {"code": list(texts), "description": list(texts.values())},
        schema={"code": pl.String, "description": pl.String},
    )


def _snapshots_behind(source: Source, landing: Landing, instant: datetime) -> list[Snapshot]:
    """The snapshots that rows of a build for that instant may be made from.

    Of figures, those retrieved by then. Of lists and facts the newest text is current whenever it
    was retrieved (`LakeTable.known_from`): a replay reads snapshots of after its day, and names
    them.
    """
    tables = (LAKE_TABLES[name] for name in source.CARD.tables)
    is_read_later = any(table.known_from != "vintage_at" for table in tables)
    return [
        snapshot
        for snapshot in _bundled_or_received(landing, source.CARD.name, instant)
        if is_read_later or snapshot.is_bundled or snapshot.retrieved_at <= instant
    ]


def _bundled_or_received(landing: Landing, source: str, instant: datetime) -> list[Snapshot]:
    """The snapshots of a source, without those whose document was no longer bundled at an instant.

    So the comparison of a blocked build can name why rows disappear without a new snapshot.
    """
    left = {key for key, record in landing.unbundled(source).items() if record.at <= instant}
    return [snapshot for snapshot in landing.snapshots(source) if snapshot.snapshot_id not in left]


def _frame_of_snapshots(of_sources: Iterable[Sequence[Snapshot]]) -> pl.DataFrame:
    rows = [_snapshot(snapshot) for of_source in of_sources for snapshot in of_source]
    return pl.DataFrame(rows, schema=_SNAPSHOT)


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        **snapshot.model_dump(include=set(_SNAPSHOT)),
        "commodity_codes": snapshot.asked_codes or None,
    }


def _asks(source: str, landing: Landing, settings: Settings) -> Iterator[dict[str, Any]]:
    """Requests for a window that brought no new data: the earlier snapshot is still valid.

    Those answered by a snapshot that was withdrawn since are left out.
    """
    not_withdrawn = {snapshot.snapshot_id for snapshot in landing.snapshots(source)}
    for ask in Ledger(landing, source).asks(settings.as_of_instant):
        for window_ask in ask.windows if ask.answer == "ok" else ():
            if not window_ask.is_new and window_ask.snapshot_id in not_withdrawn:
                yield {
                    "source": source,
                    "frequency": window_ask.frequency,
                    "period_start": window_ask.start,
                    "asked_at": ask.asked_at,
                    "snapshot_id": window_ask.snapshot_id,
                }


def _last_ask(source: str, landing: Landing, settings: Settings) -> dict[str, Any]:
    ledger = Ledger(landing, source)
    asks = ledger.asks(settings.as_of_instant)
    worst = ledger.last_run(settings.as_of_instant)
    return {
        "last_asked_at": asks[-1].asked_at if asks else None,
        "last_answer": worst.answer if worst else "not_asked",
    }


def _sources(
    settings: Settings,
    sources: Collection[Source],
    landing: Landing,
    filled: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    rows = [
        {
            "source": card.name,
            "title": card.title,
            "publisher": card.publisher,
            "licence": card.licence,
            "is_redistributable": card.is_redistributable,
            "cadence": card.cadence,
            "url": card.homepage,
            "enabled": bool(card.bundled)
            or is_fetched(settings, source)
            or bool(_bundled_or_received(landing, card.name, settings.as_of_instant)),
            "is_fetched": is_fetched(settings, source),
            **_last_ask(card.name, landing, settings),
            "fills_tables": filled.get(card.name, ()),
        }
        for source, card in ((source, source.CARD) for source in sources)
    ]
    return pl.DataFrame(
        rows,
        schema_overrides={
            "is_redistributable": pl.Boolean,
            "last_asked_at": INSTANT,
            "fills_tables": pl.List(pl.String),
        },
    )
