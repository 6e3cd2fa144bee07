"""Withdraws a snapshot, reinstates a withdrawn one, and lists the snapshots.

Where the bytes are, and which write makes a withdrawal final, is decided in `lake/landing.py`.
"""

from __future__ import annotations

import contextlib
import difflib
import getpass
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from dagster_project.errors import BusyError, ConfigurationError, counted, indented, iso_instant
from dagster_project.intake.conform import conform
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import Landing, Snapshot, SnapshotRows, Withdrawn
from dagster_project.lake.schemas import INTAKE_TABLES, LAKE_TABLES
from dagster_project.lake.tables import Lake
from dagster_project.settings import Settings
from dagster_project.sources.card import Source

CurrentRows = Counter[tuple[str, str]]
"""The number of current rows, by snapshot and table."""


def withdraw(
    settings: Settings,
    sources: Mapping[str, Source],
    snapshot_id: str,
    because: str,
    write: Callable[[str], None] = print,
) -> None:
    """Withdraw a snapshot; `write` gets lines on it and on the rows that become current.

    Raises ConfigurationError for a snapshot that does not exist, or without a reason.
    """
    source, landing, lake = _source_of(settings, sources, snapshot_id)
    name = source.CARD.name
    with source_lock(settings, name, write):
        complete(landing, lake, name)
        known = landing.withdrawn(name).get(snapshot_id)
        if known is not None:
            write(f"{snapshot_id} is withdrawn already: {_by_whom(known)}.")
            return
        if not because.strip():
            raise ConfigurationError(
                "A withdrawal needs a reason.",
                hint=f"kido withdraw {snapshot_id} --because 'a slip'",
            )
        snapshot = next(
            candidate
            for candidate in landing.snapshots(name)
            if candidate.snapshot_id == snapshot_id
        )
        before = _current_rows(landing, lake, source)
        rows = _rows_by_snapshot(lake, source).get(snapshot_id, [])
        landing.withdraw(snapshot, by=_user(), reason=" ".join(because.split()), rows=rows)
        lake.withdraw(name, snapshot_id)
        after = _current_rows(landing, lake, source)
    write(f"{snapshot_id} is withdrawn: {snapshot.document}, {_describe(rows)}.")
    was_current = any(before[snapshot_id, table] for table in source.CARD.tables)
    now_current = list(_sentences(landing.snapshots(name), after - before))
    if now_current:
        write(f"  Current again: {'; '.join(now_current)}.")
    elif was_current:
        write("  Nothing replaces its rows.")
    elif rows:
        write("  None of its rows was current; the figures do not change.")
    write("Then: kido build.")


def reinstate(
    settings: Settings,
    sources: Mapping[str, Source],
    snapshot_id: str,
    write: Callable[[str], None] = print,
) -> bool:
    """Reinstate a withdrawn snapshot; `write` gets lines on it and on the rows that it replaces.

    Returns False if a document of the source can no longer be used and is quarantined. Raises
    ConfigurationError for a snapshot that does not exist.
    """
    source, landing, lake = _source_of(settings, sources, snapshot_id)
    name = source.CARD.name
    with source_lock(settings, name, write):
        complete(landing, lake, name)
        withdrawn = landing.withdrawn(name).get(snapshot_id)
        if withdrawn is None:
            write(f"{snapshot_id} is not withdrawn.")
            return True
        before = _current_rows(landing, lake, source)
        landing.reinstate(withdrawn)
        outcome = conform(settings, source)
        after = _current_rows(landing, lake, source)
    for reason in outcome.rejected.values():
        write(f"A document can no longer be used and is quarantined: {reason}")
    snapshots = landing_of(settings).snapshots(name)
    if snapshot_id not in {snapshot.snapshot_id for snapshot in snapshots}:
        return False
    rows = _rows_by_snapshot(lake, source).get(snapshot_id, [])
    write(f"{snapshot_id} is reinstated: {withdrawn.snapshot.document}, {_describe(rows)}.")
    replaced = list(_sentences(snapshots, before - after))
    if replaced:
        write(f"  It replaces {'; '.join(replaced)}.")
    write("Then: kido build.")
    return not outcome.rejected


def complete(landing: Landing, lake: Lake, source: str) -> None:
    """Finish an interrupted withdrawal or reinstatement.

    The caller must have locked the source.
    """
    landing.complete(source)
    for snapshot_id in lake.snapshot_ids(source) & set(landing.withdrawn(source)):
        lake.withdraw(source, snapshot_id)


def sweep(settings: Settings, source: Source) -> None:
    """Finish interrupted withdrawals, and remove files of rows that are no longer in the lake.

    Only for a build before it selects the files to read, and while no other build reads: a build
    reads its selected files until dbt has finished. A source that another process has locked is
    swept by the next build.
    """
    landing, lake, card = landing_of(settings), lake_of(settings), source.CARD
    with contextlib.suppress(BusyError), source_lock(settings, card.name):
        complete(landing, lake, card.name)
        lake.sweep(card.name, [*card.tables, *(table.name for table in INTAKE_TABLES)])


def refuse_withdrawn(landing: Landing, source: str, document: str, sha256: str) -> None:
    """Raise ConfigurationError for bytes that were withdrawn."""
    withdrawn = landing.withdrawn_bytes(sha256, source=source)
    if withdrawn is not None:
        raise ConfigurationError(
            f"{document}: these bytes were withdrawn {_by_whom(withdrawn)}.",
            hint=f"To undo that: kido reinstate {withdrawn.snapshot.snapshot_id}.",
        )


def reason_of(withdrawn: Withdrawn) -> str:
    """The reason why a publisher's answer, which repeats a withdrawn one, is not used."""
    return (
        f"withdrawn {_by_whom(withdrawn)}; to undo that: kido reinstate "
        f"{withdrawn.snapshot.snapshot_id}"
    )


@dataclass(frozen=True)
class TableRows:
    """The rows of a snapshot in a table of the lake; `counting` of them are current.

    The fields are keys of `kido landed --json`.
    """

    table_name: str
    rows: int
    counting: int
    first_period: str | None
    last_period: str | None


@dataclass(frozen=True)
class LandedState:
    """A snapshot that is landed or withdrawn; the fields are keys of `kido landed --json`.

    Instants are ISO text in UTC, null where there is none; `way` is bundled, landed or fetched.
    """

    snapshot_id: str
    source: str
    document: str
    landed_at: str
    retrieved_at: str
    way: str
    sha256: str
    tables: tuple[TableRows, ...]
    is_withdrawn: bool
    withdrawn_at: str | None
    withdrawn_by: str | None
    withdrawn_because: str | None


def landed_states(settings: Settings, sources: Iterable[Source]) -> Iterator[LandedState]:
    """The snapshots of the sources; of each source the landed ones, then the withdrawn ones."""
    landing, lake = landing_of(settings), lake_of(settings)
    for source in sources:
        name = source.CARD.name
        snapshots, withdrawn = landing.snapshots(name), landing.withdrawn(name)
        if not (snapshots or withdrawn):
            continue
        rows, current = _rows_by_snapshot(lake, source), _current_rows(landing, lake, source)
        for snapshot in snapshots:
            yield _landed_state(snapshot, rows.get(snapshot.snapshot_id, []), current)
        for record in withdrawn.values():
            yield _landed_state(record.snapshot, record.rows, Counter(), record)


def _landed_state(
    snapshot: Snapshot,
    rows: Iterable[SnapshotRows],
    current: CurrentRows,
    record: Withdrawn | None = None,
) -> LandedState:
    return LandedState(
        snapshot_id=snapshot.snapshot_id,
        source=snapshot.source,
        document=snapshot.document,
        landed_at=iso_instant(snapshot.landed_at),
        retrieved_at=iso_instant(snapshot.retrieved_at),
        way=_way(snapshot),
        sha256=snapshot.sha256,
        tables=tuple(
            TableRows(
                table_name=of_table.table,
                rows=of_table.rows,
                counting=current[snapshot.snapshot_id, of_table.table],
                first_period=of_table.first or None,
                last_period=of_table.last or None,
            )
            for of_table in rows
        ),
        is_withdrawn=record is not None,
        withdrawn_at=iso_instant(record.at) if record else None,
        withdrawn_by=record.by if record else None,
        withdrawn_because=record.reason if record else None,
    )


def landed_lines(landed: Iterable[LandedState], sources: Mapping[str, Source]) -> Iterator[str]:
    """The snapshots for a terminal, under their sources, two lines or more each."""
    for name, snapshots in groupby(landed, key=lambda state: state.source):
        yield f"{name}: {sources[name].CARD.title}"
        for state in snapshots:
            at = state.landed_at[: len("2026-01-31T12:00")].replace("T", " ")
            way = "withdrawn" if state.is_withdrawn else state.way
            yield from indented(f"{state.snapshot_id}  {at}  {way}", by=2)
            parts = [
                _describe_table(
                    rows.table_name, rows.rows, rows.first_period or "", rows.last_period or ""
                )
                + ("" if state.is_withdrawn else f", {_current_part(rows.counting, rows.rows)}")
                for rows in state.tables
            ]
            yield from indented(f"{state.document}: {'; '.join(parts) or 'no rows in the lake'}")
            if state.withdrawn_at:
                yield from indented(
                    f"withdrawn on {state.withdrawn_at[: len('2026-01-31')]} by "
                    f"{state.withdrawn_by} ({state.withdrawn_because})"
                )


def _source_of(
    settings: Settings, sources: Mapping[str, Source], snapshot_id: str
) -> tuple[Source, Landing, Lake]:
    """The source of a snapshot that is landed or withdrawn. Raises ConfigurationError."""
    landing = landing_of(settings)
    documents: dict[str, str] = {}
    for name, source in sources.items():
        known = {snapshot.snapshot_id: snapshot.document for snapshot in landing.snapshots(name)}
        known |= {key: record.snapshot.document for key, record in landing.withdrawn(name).items()}
        if snapshot_id in known:
            return source, landing, lake_of(settings)
        documents |= known
    close = [key for key, document in documents.items() if document == snapshot_id]
    close = close or difflib.get_close_matches(snapshot_id, documents, n=3)
    raise ConfigurationError(
        f"There is no snapshot {snapshot_id[:200]!r}.",
        hint=f"Did you mean {' or '.join(close)}?" if close else "kido landed lists them.",
    )


def _rows_by_snapshot(lake: Lake, source: Source) -> Mapping[str, list[SnapshotRows]]:
    tables = [LAKE_TABLES[name] for name in source.CARD.tables]
    return lake.rows_by_snapshot(source.CARD.name, tables)


def _current_rows(landing: Landing, lake: Lake, source: Source) -> CurrentRows:
    today = datetime.now(UTC).date()
    copies = copies_of(landing, source.CARD.name, lake)
    asked = {
        snapshot.snapshot_id: snapshot.asked_codes
        for snapshot in landing.snapshots(source.CARD.name)
    }
    return Counter(
        {
            (snapshot_id, table): rows
            for table in source.CARD.tables
            for snapshot_id, rows in lake.current_row_counts(
                LAKE_TABLES[table],
                source.CARD.name,
                asked,
                today,
                copies.left_out(LAKE_TABLES[table], today),
            ).items()
        }
    )


def _sentences(snapshots: Iterable[Snapshot], rows: CurrentRows) -> Iterator[str]:
    """`52 rows of trade_flows of china.csv`, for each snapshot and table."""
    documents = {snapshot.snapshot_id: snapshot.document for snapshot in snapshots}
    for (snapshot_id, table), count in sorted(rows.items()):
        if snapshot_id in documents:
            yield f"{counted(count, 'row')} of {table} of {documents[snapshot_id]}"


def _describe(rows: Iterable[SnapshotRows]) -> str:
    """The rows of a snapshot in words, table by table."""
    parts = [
        _describe_table(of_table.table, of_table.rows, of_table.first, of_table.last)
        for of_table in rows
    ]
    return "; ".join(parts) or "no rows in the lake"


def _describe_table(table: str, rows: int, first: str, last: str) -> str:
    """`4,415 rows of reconciled_trade, 2024`; `first` and `last` are empty without periods."""
    periods = f", {_periods(first, last)}" if first else ""
    return f"{counted(rows, 'row')} of {table}{periods}"


def _periods(first: str, last: str) -> str:
    """First and last period; years and months without the days that all of them begin on."""
    for ending in ("-01-01", "-01"):
        if first.endswith(ending) and last.endswith(ending):
            first, last = first.removesuffix(ending), last.removesuffix(ending)
            break
    return first if first == last else f"{first} to {last}"


def _current_part(current: int, rows: int) -> str:
    if current == rows:
        return "all current" if rows != 1 else "current"
    return f"{current:,} current" if current else "none current"


def _way(snapshot: Snapshot) -> str:
    if snapshot.is_bundled:
        return "bundled"
    return "landed" if snapshot.is_landed_by_hand else "fetched"


def _by_whom(withdrawn: Withdrawn) -> str:
    return f"on {withdrawn.at:%Y-%m-%d} by {withdrawn.by} ({withdrawn.reason})"


def _user() -> str:
    """The name of the user; the number where there is no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"user {os.getuid()}"
