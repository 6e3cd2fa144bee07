"""The marts on the lake of a home, computed without Dagster: what a build would publish."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.build_file import prepare, work_file
from dagster_project.lake.copies import left_out_on
from dagster_project.orchestration.dbt_runner import TARGET
from dagster_project.orchestration.runtime_tables import runtime_tables
from dagster_project.serving.dictionary import described_tables
from dagster_project.serving.wording.plugin import add_sentences
from dagster_project.settings import Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import all_sources
from tests.dbt_project import Project, make

OF_THE_LOADING = ("snapshot_id", "snapshot_ids", "vintage_at", "asked_at")
"""Columns on when and how a row was received, not on its content."""

OF_TRADE = (
    "trade.reported_flows", "dependency.supplier_shares", "dependency.import_concentration",
    "catalog.coverage",
)  # fmt: skip


RELATION = re.compile(r'(?:"kido"\.)?"(\w+)"\."(\w+)"')
"""A relation in compiled code: a view that readers get names no file."""

LAKE_FILE = re.compile(r"'([^']+\.parquet)'")


class Marts:
    """Compiled models on a file with the seeds; `of` computes them for a home.

    Built as of a day; by default one ahead of the clock, so that what a test asks for now counts,
    also around midnight.

    A model whose inputs are, row by row and in their order, those of an earlier computation is not
    computed again: each is kept as a table of its code and of all that it is made from.
    """

    def __init__(
        self, scratch: Path, day: date | None = None, *, reconciled_shares: bool = True
    ) -> None:
        project = Project(scratch / "target")
        self._file = scratch / "made" / "kido.duckdb"
        self._file.parent.mkdir()
        project.create_inputs(self._file)
        assert set(project.invoke("seed", self._file).values()) == {"success"}
        self._file.unlink()  # Of another format than that of a build; what was made is beside it.
        self._day = day or datetime.now(UTC).date() + timedelta(days=1)
        self._models = dict(
            project.compiled(self._day.isoformat(), reconciled_shares=reconciled_shares)
        )
        self._manifest = json.loads((TARGET / "manifest.json").read_text("utf8"))
        parents = _parents(self._manifest)
        self._reads = {
            name: sorted((_relations(code) | parents.get(name, set())) - {name})
            for name, code in self._models.items()
        }
        self._shown: dict[str, str] = {}
        self._kept: set[str] = set()
        self._frames: dict[tuple[str, bool], pl.DataFrame] = {}
        # Held open: `prepare` then neither opens the file nor writes it out.
        self._connection = duckdb.connect(str(work_file(self._file)))
        add_sentences(self._connection)
        self._connection.execute("create schema made")
        for schema in {name.split(".")[0] for name in self._models}:
            self._connection.execute(f"create schema if not exists {schema}")
        self._seeds = {f"{seed['schema']}.{seed['alias']}" for seed in project.seeds}

    @property
    def names(self) -> list[str]:
        """Every model, those of staging too."""
        return list(self._models)

    def of(
        self,
        settings: Settings,
        source: Source,
        names: tuple[str, ...] = OF_TRADE,
        *,
        keep_snapshots: bool = False,
    ) -> Mapping[str, pl.DataFrame]:
        """Marts by name, sorted, without the columns OF_THE_LOADING unless they are kept."""
        lake = lake_of(settings)
        left_out = left_out_on(self._day, landing_of(settings), lake, all_sources())
        of_run = runtime_tables(settings, [source], described_tables(self._manifest))
        for schema in ("lake", "runtime"):
            self._connection.execute(f"drop schema if exists {schema} cascade")
        prepare(self._file, lake, of_run, left_out=left_out)
        states = dict.fromkeys(self._seeds, "") | dict(self._inputs())
        for name in self._needed_by(names):
            made_from = [(other, states[other]) for other in self._reads[name]]
            states[name] = _digest(repr((name, self._models[name], made_from)).encode())
            if self._shown.get(name) != states[name]:
                self._show(name, states[name])
        return {name: self._frame(states[name], keep_snapshots) for name in names}

    def _needed_by(self, names: tuple[str, ...]) -> list[str]:
        """The models of some names and what they are made from, parents first."""
        wanted = set(names)
        for name in reversed(self.names):
            if name in wanted:
                wanted.update(self._reads[name])
        return [name for name in self.names if name in wanted]

    def _inputs(self) -> Iterator[tuple[str, str]]:
        """The relations of the lake and of the run, each with a digest of its rows."""
        views = self._connection.execute(
            "select view_name, sql from duckdb_views() where schema_name = 'lake'"
        )
        for name, sql in views.fetchall():
            files = LAKE_FILE.sub(lambda found: _digest(Path(found[1]).read_bytes()), sql)
            yield f"lake.{name}", _digest(files.encode())
        tables = self._connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('lake', 'runtime')"
        )
        for (name,) in tables.fetchall():
            rows = self._connection.execute(f"from {name} order by all")
            yield name, _digest(repr((rows.description, rows.fetchall())).encode())

    def _show(self, name: str, state: str) -> None:
        """Let a model's name stand for the table of that state, which is made where it is new."""
        kept = f'made."{state}"'
        if state not in self._kept:
            make(self._connection, kept, self._models[name])
            self._kept.add(state)
        self._connection.execute(f"create or replace view {name} as from {kept}")
        self._shown[name] = state

    def _frame(self, state: str, keep_snapshots: bool) -> pl.DataFrame:
        if (state, keep_snapshots) not in self._frames:
            found = self._connection.sql(f'from made."{state}"').pl()
            found = found.drop(() if keep_snapshots else OF_THE_LOADING, strict=False)
            self._frames[state, keep_snapshots] = found.sort(pl.all(), nulls_last=True)
        return self._frames[state, keep_snapshots].clone()


def _relations(code: str) -> set[str]:
    """What a compiled model reads, and in Python the model itself; Python has quotes escaped."""
    return {".".join(found) for found in RELATION.findall(code.replace('\\"', '"'))}


def _parents(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """What each model is declared to read; the tables of slices are not declared."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    names = {
        key: f"{node['schema']}.{node.get('alias') or node.get('identifier')}"
        for key, node in nodes.items()
    }
    return {
        names[key]: {names[parent] for parent in node["depends_on"]["nodes"]}
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
