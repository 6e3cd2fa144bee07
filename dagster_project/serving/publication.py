"""Publishing: the audited marts, copied into a compact file and swapped in by one rename.

Readers never wait and never see half a release; the last ones are kept for going back.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
from pydantic import BaseModel, ConfigDict

from dagster_project.errors import PublicationError
from dagster_project.lake.build_file import connect
from dagster_project.lake.store import write_atomically
from dagster_project.settings import Settings

CONTRACT_VERSION = "1.0"
"""Of the published tables: the first number changes when a column goes or changes meaning."""

PUBLISHED_SCHEMAS = (
    "reference", "trade", "dependency", "exposure", "market", "catalog",
)  # fmt: skip
STORAGE_VERSION = "v1.0.0"
"""DuckDB's oldest stable format: every driver since DuckDB 1.0 opens it."""

RELEASES_KEPT = 5


class Release(BaseModel):
    """One published state of the warehouse. Instants are UTC without a zone attached."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    published_at: datetime
    as_of: date
    contract_version: str
    code_version: str
    duckdb_version: str


def new_release(started_at: datetime, as_of: date, code_version: str) -> Release:
    """The release a build is going to be; `published_at` is set when it is."""
    return Release(
        release_id=f"{started_at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}",
        published_at=started_at,
        as_of=as_of,
        contract_version=CONTRACT_VERSION,
        code_version=code_version,
        duckdb_version=duckdb.__version__,
    )


def published_releases(settings: Settings) -> list[Release]:
    """Releases that were published, oldest first: those kept, and those the current file lists."""
    found = {release.release_id: release for release in _kept_releases(settings)}
    if settings.published_file.exists():
        with connect(settings.published_file, read_only=True) as connection:
            for row in connection.sql("from catalog.releases").pl().iter_rows(named=True):
                release = Release(**row)
                found.setdefault(release.release_id, release)
    return sorted(found.values(), key=lambda release: release.release_id)


def current_release(settings: Settings) -> Release | None:
    """The release that readers see now."""
    if not settings.published_file.exists():
        return None
    with connect(settings.published_file, read_only=True) as connection:
        rows = connection.sql(
            "from catalog.releases order by release_id desc limit 1"
        ).pl()  # fmt: skip
    return Release(**rows.row(0, named=True)) if rows.height else None


def publish(
    settings: Settings,
    build_file: Path,
    release: Release,
    checks: pl.DataFrame,
    published_at: datetime,
    inputs: str | None = None,
) -> Release:
    """Complete the catalog of an audited build file, copy its marts out and swap them in.

    `checks` has the columns of `catalog.checks` and replaces what the build knew of them;
    `inputs` is a hash of what the release was made from. The caller has seen every blocking check
    pass. Raises PublicationError if a schema is missing.
    """
    if (settings.releases_dir / release.release_id).is_dir():
        # This very build is published already: it becomes the current one (again).
        _make_current(settings, release.release_id)
        return release
    release = release.model_copy(update={"published_at": published_at})
    with connect(build_file) as connection:
        connection.register("all_checks", checks.to_arrow())
        connection.execute("begin")
        connection.execute("delete from catalog.checks")
        connection.execute(
            "insert into catalog.checks by name "
            "from all_checks order by layer, table_name, check_name"
        )
        connection.execute(
            "update catalog.releases set published_at = ? where release_id = ?",
            [published_at, release.release_id],
        )
        connection.execute("commit")

    settings.releases_dir.mkdir(parents=True, exist_ok=True)
    _sweep(settings)
    fresh = settings.releases_dir / f".new-{release.release_id}"
    fresh.mkdir()
    copy_marts(build_file, fresh / "kido.duckdb")
    write_atomically(fresh / "release.json", release.model_dump_json(indent=2).encode())
    if inputs:
        write_atomically(fresh / "inputs", inputs.encode())
    os.replace(fresh, settings.releases_dir / release.release_id)
    _make_current(settings, release.release_id)
    _prune(settings)
    return release


def current_inputs(settings: Settings) -> str | None:
    """The hash of what the published release was made from; None where none is known."""
    marker = settings.releases_dir / "current"
    if not marker.exists() or not settings.published_file.exists():
        return None
    record = settings.releases_dir / marker.read_text("utf8") / "inputs"
    return record.read_text("utf8") if record.exists() else None


def rollback(settings: Settings, release_id: str | None = None) -> Release:
    """Make an earlier release the published one: the one before the current, or the one named.

    Raises PublicationError if it is not kept.
    """
    kept = {release.release_id: release for release in _kept_releases(settings)}
    current = current_release(settings)
    if release_id is None:
        earlier = [name for name in kept if current is None or name < current.release_id]
        if not earlier:
            raise PublicationError("There is no earlier release to go back to.")
        release_id = max(earlier)
    if release_id not in kept:
        raise PublicationError(
            f"Release {release_id} is not kept.",
            hint=f"Kept: {', '.join(sorted(kept)) or 'none'}.",
        )
    _make_current(settings, release_id)
    return kept[release_id]


def copy_marts(build_file: Path, target: Path) -> None:
    """Copy the published schemas with constraints and comments into a new, compact file.

    Comments are written again: `create table as` would drop them, and copying the whole database
    would take the private schemas along.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{_quoted(build_file)}' as build (read_only)")
        connection.execute(
            f"attach '{_quoted(target)}' as published (storage_version '{STORAGE_VERSION}')"
        )
        tables = _rows(
            connection,
            "select schema_name, table_name, sql, comment from duckdb_tables() "
            "where database_name = 'build' and list_contains(?, schema_name) order by all",
            [list(PUBLISHED_SCHEMAS)],
        )
        absent = set(PUBLISHED_SCHEMAS) - {schema for schema, *_ in tables}
        if absent:
            raise PublicationError(f"The build holds nothing in {', '.join(sorted(absent))}.")
        columns = _rows(
            connection,
            "select schema_name, table_name, column_name, comment from duckdb_columns() "
            "where database_name = 'build' and comment is not null "
            "and list_contains(?, schema_name)",
            [list(PUBLISHED_SCHEMAS)],
        )
        connection.execute("use published")
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"create schema {schema}")
        for schema, table, create, comment in tables:
            connection.execute(create)
            connection.execute(f"insert into {schema}.{table} from build.{schema}.{table}")
            if comment:
                connection.execute(f"comment on table {schema}.{table} is '{_quoted(comment)}'")
        for schema, table, column, comment in columns:
            connection.execute(
                f"comment on column {schema}.{table}.{column} is '{_quoted(comment)}'"
            )
        connection.execute("use memory")
        # Detaching closes and checkpoints: a file with a .wal beside it would not open elsewhere.
        connection.execute("detach published")
    _flush(target)


def _make_current(settings: Settings, release_id: str) -> None:
    # A copy, not a link: a reader that opens the published file for writing spoils no release.
    fresh = settings.published_file.with_name(f".kido.duckdb.{uuid.uuid4().hex[:8]}")
    try:
        shutil.copyfile(settings.releases_dir / release_id / "kido.duckdb", fresh)
        _flush(fresh)
        # A .wal that a writing reader left belongs to the file that goes, and would break this one.
        settings.published_file.with_name("kido.duckdb.wal").unlink(missing_ok=True)
        os.replace(fresh, settings.published_file)
        write_atomically(settings.releases_dir / "current", release_id.encode())
    finally:
        fresh.unlink(missing_ok=True)


def _kept_releases(settings: Settings) -> list[Release]:
    return sorted(
        (
            Release.model_validate_json(record.read_bytes())
            for record in settings.releases_dir.glob("[!.]*/release.json")
        ),
        key=lambda release: release.release_id,
    )


def _prune(settings: Settings) -> None:
    for release in _kept_releases(settings)[:-RELEASES_KEPT]:
        shutil.rmtree(settings.releases_dir / release.release_id, ignore_errors=True)


def _sweep(settings: Settings) -> None:
    """Remove what a killed publication left behind."""
    for leftover in settings.releases_dir.glob(".new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for leftover in settings.home.glob(".kido.duckdb.*"):
        leftover.unlink(missing_ok=True)


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object]
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = connection.execute(query, list(parameters)).fetchall()
    return rows


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
