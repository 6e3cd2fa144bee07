"""Exports the published tables as Parquet files with a manifest, for people who may not have all.

A public export has no row of a source that may not be passed on. Single queries are in `query`.
"""

from __future__ import annotations

import glob
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import ConfigurationError, KidoError, counted, listed
from dagster_project.lake.build_file import connect
from dagster_project.lake.landing import sha256_of_file
from dagster_project.lake.space import disk_full
from dagster_project.lake.store import write_atomically
from dagster_project.serving.catalog import Row, asking, select_newest_release
from dagster_project.serving.dictionary import NAMES_SUFFIX, Table, has_table, quoted
from dagster_project.serving.passing_on import (
    columns_of,
    rows_of_sources,
    snapshots_of,
)

MANIFEST = "manifest.json"
FORMAT = "kido_export"
"""The key of the manifest by which an export is known; its value is the version of the layout."""

LEFTOVER_AGE_S = 24 * 3600.0
"""The folder of a killed export is removed after this time."""

Metas = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ExportedTable:
    """A file of an export; of a table that is left out whole `file` is empty.

    `texts_left_out` is the number of texts that may quote figures of a left out source.
    """

    table: str
    file: str
    rows: int
    rows_left_out: int
    sha256: str
    columns: Sequence[Mapping[str, Any]]
    texts_left_out: int = 0
    why: str = ""

    def sentence(self) -> str:
        """What of it is left out; empty where nothing is."""
        parts = []
        if self.rows_left_out:
            all_rows = self.rows + self.rows_left_out
            parts.append(f"{self.rows_left_out:,} of {counted(all_rows, 'row')}")
        if self.texts_left_out:
            parts.append(counted(self.texts_left_out, "text"))
        return f"{self.table}: {' and '.join(parts)} left out" if parts else ""


@dataclass(frozen=True)
class _Terms:
    """The sources of a file, those without rows included, and which of them are left out."""

    sources: Sequence[Row]
    private: set[str]


def export_parquet(
    published_file: Path,
    folder: Path,
    tables: Sequence[Table],
    metas: Metas,
    *,
    is_public: bool,
    memory: int | None = None,
) -> list[ExportedTable]:
    """Write every published table into a folder, `<schema>/<table>.parquet`, and `manifest.json`.

    The folder is written whole or not at all; an earlier export in it is replaced. With
    `is_public`, rows of a source that may not be passed on are left out: rows that name it or one
    of its snapshots, and whole tables that it may have filled and whose rows name no snapshots,
    but for tables of names (`names_only` in their meta). `tables` and `metas` describe the tables
    of the project. Raises ConfigurationError for a folder with anything else, and for one that
    cannot be replaced.
    """
    folder = folder.expanduser().resolve()
    if folder.is_mount():
        raise ConfigurationError(
            f"{folder} is a file system of its own: an export replaces its folder as a whole.",
            hint=f"Choose a folder in it, such as {folder / 'kido'}.",
        )
    _require_replaceable(folder)
    _require_replaceable(_before(folder))
    try:
        with (
            _new_folder(folder) as new,
            connect(published_file, memory=memory, read_only=True) as connection,
        ):
            exported = _export(connection, new, tables, metas, is_public=is_public)
    except (OSError, duckdb.IOException) as error:
        full = disk_full(error, [next(path for path in folder.parents if path.is_dir())])
        if full is None and not isinstance(error, OSError):
            raise
        raise full or ConfigurationError(f"{folder} cannot be written: {error.strerror}.") from None
    return exported


def _export(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[Table],
    metas: Metas,
    *,
    is_public: bool,
) -> list[ExportedTable]:
    if is_public and not has_table(connection, "catalog", "lineage"):
        raise KidoError(
            "The published file does not say what its tables are made from.",
            hint="Run kido build first.",
        )
    ask = asking(connection)
    sources = ask(
        "from catalog.sources select source, title, publisher, licence, is_redistributable, url "
        "order by source"
    )
    private = {row["source"] for row in sources if not row["is_redistributable"]}
    private |= _named_sources(connection) - {row["source"] for row in sources}
    terms = _Terms(sources, private if is_public else set())
    described = {table.full_name: table for table in tables}
    names = [
        f"{row['schema_name']}.{row['table_name']}"
        for row in ask("from catalog.tables order by schema_name, table_name")
        if not (row["is_view"] and row["table_name"].endswith(NAMES_SUFFIX))
    ]
    exported = [
        _export_table(connection, folder, name, described.get(name), metas.get(name, {}), terms)
        for name in names
    ]
    _write_manifest(connection, folder, exported, terms, is_public=is_public)
    return exported


def _named_sources(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The sources that rows may be of. One that is no longer in `catalog.sources` has no terms."""
    tables = [
        f"select source from catalog.{name}"
        for name in ("snapshots", "quarantine")
        if has_table(connection, "catalog", name)
    ]
    return {source for (source,) in connection.execute(" union ".join(tables)).fetchall()}


def _export_table(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    name: str,
    described: Table | None,
    meta: Mapping[str, Any],
    terms: _Terms,
) -> ExportedTable:
    schema, _, table = name.partition(".")
    ((total,),) = connection.execute(f"select count(*) from {name}").fetchall()
    left_out, why = _left_out(connection, name, meta, terms)
    file = folder / schema / f"{table}.parquet"
    columns = _columns(connection, schema, table)
    if left_out == "true":
        return ExportedTable(name, "", 0, total, "", columns, why=why)
    quotes = {
        column.name: column.quotes
        for column in (described.columns if described and terms.private else ())
        if column.quotes and snapshots_of(connection, terms.private)
    }
    texts = 0
    for column, condition in quotes.items():
        query = f"select count(*) from {name} where ({condition}) and {column} is not null"
        ((count,),) = connection.execute(query).fetchall()
        texts += count
    replaced = ", ".join(
        f"case when not coalesce(({condition}), true) then {column} end as {column}"
        for column, condition in quotes.items()
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"copy (select *{f' replace ({replaced})' if replaced else ''} from {name}"
        f"{f' where not ({left_out})' if left_out else ''}) "
        f"to '{quoted(file)}' (format parquet, compression zstd)"
    )
    ((rows,),) = connection.execute("select count(*) from read_parquet(?)", [str(file)]).fetchall()
    relative = file.relative_to(folder).as_posix()
    sha256 = sha256_of_file(file)
    why = why if rows < total else ""
    return ExportedTable(name, relative, rows, total - rows, sha256, columns, texts, why)


def _left_out(
    connection: duckdb.DuckDBPyConnection, name: str, meta: Mapping[str, Any], terms: _Terms
) -> tuple[str, str]:
    """The condition on the rows that are left out, and why: none (empty), some, or all (`true`)."""
    if not terms.private:
        return "", ""
    named = rows_of_sources(connection, name, terms.private)
    why = "they are made from sources that may not be passed on" if named else ""
    behind = _sources_behind(connection, name) & terms.private if not meta.get("names_only") else ()
    if not behind:
        return named, why
    if {"snapshot_id", "snapshot_ids"} & set(columns_of(connection, name)):
        return named, why
    return "true", f"its rows do not say which are of {listed(sorted(behind))}"


def _sources_behind(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    """The sources with snapshots in the file that a table may be made from."""
    rows = connection.execute(
        "with recursive behind as ("
        "  select input_schema || '.' || input_table as input, source from catalog.lineage"
        "  where schema_name || '.' || table_name = $name"
        "  union"
        "  select lineage.input_schema || '.' || lineage.input_table, lineage.source"
        "  from catalog.lineage as lineage"
        "  inner join behind on lineage.schema_name || '.' || lineage.table_name = behind.input"
        ") select distinct source from behind inner join catalog.snapshots using (source)",
        {"name": name},
    ).fetchall()
    return {source for (source,) in rows}


def _columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[Row]:
    return asking(connection)(
        "select columns.column_name as name, columns.data_type as type, described.unit, "
        "described.description from duckdb_columns() as columns "
        "left join catalog.columns as described using (schema_name, table_name, column_name) "
        "where columns.schema_name = $schema and columns.table_name = $table "
        "and columns.database_name = current_database() order by columns.column_index",
        schema=schema,
        table=table,
    )


def _write_manifest(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    exported: Sequence[ExportedTable],
    terms: _Terms,
    *,
    is_public: bool,
) -> None:
    ask = asking(connection)
    (release,) = ask(select_newest_release())
    with_rows = {row["source"] for row in ask("select distinct source from catalog.snapshots")}
    used = [row for row in terms.sources if row["source"] in with_rows]
    manifest = {
        FORMAT: 1,
        "release": release["release_id"],
        "as_of": release["as_of"],
        "published_at": release["published_at"],
        "contract_version": release["contract_version"],
        "exported_at": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        "is_public": is_public,
        "tables": [asdict(table) for table in exported],
        "sources": [row for row in used if row["source"] not in terms.private],
        "left_out": {
            "why": "their terms do not allow passing them on" if terms.private else "",
            "sources": [row for row in used if row["source"] in terms.private],
            "tables": [sentence for table in exported if (sentence := table.sentence())],
        },
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, default=str)
    write_atomically(folder / MANIFEST, f"{text}\n".encode())


# --- the folder ---


def _require_replaceable(folder: Path) -> None:
    """Raise ConfigurationError unless a folder is absent, empty, or has an export and no more."""
    hint = "Name another folder, or an empty one."
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise ConfigurationError(f"{folder} is not a folder.", hint=hint)
        files = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
        }
        if files and not files <= _files_of_export(folder):
            raise ConfigurationError(
                f"{folder} has other files than those of an export.", hint=hint
            )
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be read: {error.strerror}.") from None


def _files_of_export(folder: Path) -> set[str]:
    """The files that a folder has if it is an export; none if it is not."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if not isinstance(manifest, dict) or FORMAT not in manifest:
            return set()
        return {MANIFEST, *(table["file"] for table in manifest["tables"])}
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def _before(folder: Path) -> Path:
    """Where the earlier export is while the new one takes its place."""
    return folder.with_name(f".{folder.name}.before")


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` at the end, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    before = _before(folder)
    if before.exists() and not folder.exists():  # killed between the two renames
        before.rename(folder)
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}.new-*"):
        with suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > LEFTOVER_AGE_S:
                shutil.rmtree(leftover, ignore_errors=True)
    new = folder.with_name(f".{folder.name}.new-{uuid.uuid4().hex[:8]}")
    new.mkdir()
    try:
        yield new
        shutil.rmtree(before, ignore_errors=True)
        if folder.exists():
            folder.rename(before)
        new.rename(folder)
        shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if before.exists() and not folder.exists():
            before.rename(folder)
