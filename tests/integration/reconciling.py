"""The reconciliation on flows that a test makes up or changes: its compiled models, and their
inputs as tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from tests.dbt_project import Project, make
from tests.integration.marts import Marts

FLOWS = "intermediate.int_trade__unite_flows"
INPUTS = (
    FLOWS, "intermediate.int_trade__list_disagreeing_totals", "reference.code_concordance",
    "trade.baci_flows", "catalog.snapshots",
)  # fmt: skip
"""What the models below are made from; of a home they are computed by `Marts`."""

RECONCILIATION = (
    "intermediate.int_trade__choose_reports", "intermediate.int_trade__list_declared_trade",
    "intermediate.int_trade__pair_reports", "intermediate.int_trade__rate_reporters",
    "intermediate.int_trade__reconcile_flows",
)  # fmt: skip
"""From what was declared to one figure for each flow, parents first."""

SEEDS = ("seed_source_precedence", "seed_nomenclature_breaks", "seed_mineral_group_codes")


class Reconciliation:
    """Compiled models on inputs of one home; `of` computes them for changed flows."""

    def __init__(self, project: Project, inputs: Mapping[str, pl.DataFrame], seeds: Path) -> None:
        self._models = dict(project.compiled())
        self._connection = duckdb.connect()
        self._connection.execute("attach ':memory:' as kido; use kido")
        for schema in ("intermediate", "reference", "trade", "dependency", "catalog", "seeds"):
            self._connection.execute(f"create schema {schema}")
        for name, frame in inputs.items():
            self._connection.register("frame", frame)
            self._connection.execute(f"create table {name} as from frame")
        for name in SEEDS:
            frame = pl.read_csv(seeds / f"{name}.csv", schema_overrides={"hs6_code": pl.String})
            self._connection.register("frame", frame)
            self._connection.execute(f"create table seeds.{name} as from frame")
        self._connection.execute(f"create table flows as from {FLOWS}")

    def of(self, flows: str = "from flows") -> Mapping[str, pl.DataFrame]:
        """The models' rows by their names without schema; `flows` is SQL on the home's `flows`."""
        self._connection.execute(f"create or replace table {FLOWS} as {flows}")
        return {name.partition("__")[2]: self.made(name) for name in RECONCILIATION}

    def made(self, name: str) -> pl.DataFrame:
        """One model, made anew from the tables of its parents."""
        self.make(name)
        return self._connection.sql(f"from {name}").pl()

    def make(self, name: str) -> None:
        """The same, as a table only."""
        make(self._connection, name, self._models[name])

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)


def inputs_of(marts: Marts, *given: object) -> Mapping[str, pl.DataFrame]:
    """The inputs for a home; `given` are the arguments of `marts_of` before the names."""
    return marts(*given, INPUTS, keep_snapshots=True)  # type: ignore[arg-type]
