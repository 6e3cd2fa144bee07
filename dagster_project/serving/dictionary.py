"""The data dictionary: published tables and columns with their units, and the views with names.

Built from dbt's manifest, where each table and column is described once. dbt defines the figures;
here only codes get names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from dagster_project import words
from dagster_project.lake.build_file import connect

NAMES_SUFFIX = "_named"
"""The view with names of a table has the name of the table and this suffix."""

PERIODS = (
    "known_at", "period_start", "price_date", "window_end", "year", "valid_from",
    "announced_date", "claimed_at", "retrieved_at", "published_at",
)  # fmt: skip
"""Columns with the time of a row, the most relevant first: for a fact, when it became known (a
claim's `period_start` is that of the figures that decide it)."""

_UNIT_OF_TYPE = {"date": "day", "timestamp": "UTC"}
_UNIT_OF_SUFFIX = {
    "_usd": "USD", "_kg": "kg", "_t": "t", "_share": "share, 0 to 1", "_pct": "percent, 0 to 100",
    "_year": "year", "_iso3": "ISO 3166-1 alpha-3",
}  # fmt: skip
"""Unit by the last word of a column's name; any other unit is in the model's YAML."""

_INTERVAL = "valid_from"
"""An interval may begin in the future, by law: its latest day is not a latest period."""

_GRAIN = "One row per "


@dataclass(frozen=True)
class NamesOf:
    """Where the names of a kind of code are: `key` is a condition on `{code}` and `{names}`."""

    relation: str
    key: str
    special: Mapping[str, tuple[str, str]]
    """English and Japanese names of words that denote no single code."""


_ECONOMIES = NamesOf(
    "reference.economies",
    "{code} = {names}.economy_iso3",
    {"ALL": ("All economies", "すべての国・地域")},
)
_MINERALS = NamesOf(
    "reference.minerals",
    "{code} = {names}.mineral",
    {"all_rare_earths": ("All rare earths", "すべての希土類")},
)
_GROUPS = NamesOf("reference.mineral_groups", "{code} = {names}.mineral_group", {})
_MATERIALS = NamesOf(
    "(select distinct material, material_name as name, material_name_ja as name_ja "
    "from reference.materials)",
    "{code} = {names}.material",
    {
        "ALL": ("All materials", "すべての材料"),
        "rare_earth_oxides": ("Rare-earth oxides", "希土類酸化物"),
        "ndpr_oxide": ("Neodymium and praseodymium oxide", "ネオジム・プラセオジム酸化物"),
        "dy_tb_oxide": ("Dysprosium and terbium oxide", "ジスプロシウム・テルビウム酸化物"),
        "metal": ("Metal", "金属"),
        "magnets": ("Magnets", "磁石"),
    },
)
# A group of its own has the name of each HS6 code; a basket is a group.
_COMMODITIES = NamesOf(
    "reference.mineral_groups",
    "case when regexp_full_match({code}, '[0-9]{{6}}') then 'hs_' || {code} else {code} end "
    "= {names}.mineral_group",
    {},
)
_KINDS: Mapping[str, tuple[str, NamesOf]] = {
    "mineral": ("mineral", _MINERALS),
    "mineral_group": ("mineral_group", _GROUPS),
    "material": ("material", _MATERIALS),
    "hs6_code": ("commodity", _COMMODITIES),
    "commodity_code": ("commodity", _COMMODITIES),
}
"""By the column of a code: what the columns of its names begin with, and where they are."""


@dataclass(frozen=True)
class Column:
    """A published column; a required one is never null.

    `quotes` is a condition in SQL: whether its text may quote figures of any source. Empty where it
    never does, or where its row names the source.
    """

    name: str
    data_type: str
    description: str
    unit: str | None
    is_required: bool = False
    quotes: str = ""


@dataclass(frozen=True)
class Table:
    """A published table or view; `statement` makes a view with names, and is empty otherwise."""

    schema: str
    name: str
    grain: str
    description: str
    columns: Sequence[Column]
    is_view: bool
    statement: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def name_of_rows(self) -> str:
        """The table that has its rows: for a view with names its table."""
        return self.full_name.removesuffix(NAMES_SUFFIX) if self.statement else self.full_name


def described_tables(manifest: Mapping[str, Any]) -> list[Table]:
    """Every published table and view of dbt's manifest, each followed by its view with names.

    Those that dbt does not build, but describes, are its sources of a published schema.
    """
    tables: list[Table] = []
    for node in _published(manifest):
        grain, description = grain_and_rest(node["description"])
        table = Table(
            schema=node["schema"],
            name=node.get("alias") or node["name"],
            grain=grain,
            description=description,
            columns=[_column(name, column) for name, column in node["columns"].items()],
            is_view=node["config"].get("materialized") == "view",
        )
        tables.append(table)
        unpublished = {
            name: column["meta"]["not_published"]
            for name, column in node["columns"].items()
            if "not_published" in column["meta"]
        }
        tables.extend(_view_with_names(table, unpublished))
    return tables


def _column(name: str, described: Mapping[str, Any]) -> Column:
    is_required = any(
        constraint["type"] == "not_null" for constraint in described.get("constraints", ())
    )
    return Column(
        name,
        described["data_type"],
        described["description"],
        unit_of(name, described),
        is_required or bool(described["meta"].get("required")),
        described["meta"].get("quotes", ""),
    )


def meta_of_marts(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By published table (`schema.table`) of dbt's manifest, its `meta`."""
    return {
        f"{node['schema']}.{node.get('alias') or node['name']}": node["config"].get("meta", {})
        for node in _published(manifest)
    }


def _published(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models, and the sources that are tables of the published file."""
    return [
        node
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
        if node["resource_type"] in ("model", "source") and node["schema"] in words.SCHEMAS
    ]


def columns_frame(tables: Sequence[Table]) -> pl.DataFrame:
    """Rows of `catalog.columns`."""
    return pl.DataFrame(
        [
            {
                "schema_name": table.schema,
                "table_name": table.name,
                "column_name": column.name,
                "data_type": column.data_type,
                "unit": column.unit,
                "description": column.description,
            }
            for table in tables
            for column in table.columns
        ],
        schema_overrides={"unit": pl.String},
    )


def add_views(build_file: Path, tables: Sequence[Table], memory: int | None = None) -> None:
    """Create the views with names of the tables that a build file has, and comment all of them.

    dbt comments a table that it makes; of one that stands a description may have changed.
    """
    with connect(build_file, memory=memory) as connection:
        existing = {
            f"{schema}.{name}"
            for schema, name in connection.execute(
                "select schema_name, table_name from duckdb_tables() "
                "union all select schema_name, view_name from duckdb_views() where not internal"
            ).fetchall()
        }
        connection.execute("begin")
        for table in tables:
            if table.name_of_rows in existing:
                if table.statement:
                    connection.execute(table.statement)
                comment_on(connection, table)
        connection.execute("commit")


def latest_period_of(table: Table) -> str:
    """The latest period that a row of a table is of, as an aggregate in SQL: a date, or null."""
    period = period_column([column.name for column in table.columns])
    if period is None or period == _INTERVAL:
        return "cast(null as date)"
    return "make_date(max(year), 1, 1)" if period == "year" else f"cast(max({period}) as date)"


def period_column(columns: Sequence[str]) -> str | None:
    """The column with the time of a row, if there is one."""
    return next((name for name in PERIODS if name in columns), None)


def unit_of(name: str, column: Mapping[str, Any]) -> str | None:
    """The unit of a column of dbt's manifest; None for names, codes, flags, ranks.

    `meta.unit` of the column in its model's YAML, also null, takes precedence over the unit of its
    type (a day, a time) or of the last word of its name.
    """
    if "unit" in column["meta"]:
        unit: str | None = column["meta"]["unit"]
        return unit
    if column["data_type"] in _UNIT_OF_TYPE:
        return _UNIT_OF_TYPE[column["data_type"]]
    return next((u for suffix, u in _UNIT_OF_SUFFIX.items() if f"_{name}".endswith(suffix)), None)


def grain_and_rest(description: str) -> tuple[str, str]:
    """The grain, from the first sentence of a table's description, and the rest of it."""
    first, _, rest = " ".join(description.split()).partition(". ")
    return first.removeprefix(_GRAIN).removesuffix("."), rest


def _view_with_names(table: Table, unpublished: Mapping[str, tuple[str, str]]) -> Iterator[Table]:
    """The view of a table and the names of its codes; none for a table of names.

    `unpublished` gives by column the names of `_X`, whose meaning differs between tables.
    """
    present = {column.name for column in table.columns}
    if "name" in present:
        return
    columns: list[Column] = []
    selected: list[str] = []
    joins: list[str] = []
    for column in table.columns:
        columns.append(column)
        selected.append(f"figures.{column.name}")
        stem, names_of = _names_of(column.name)
        if names_of is None:
            continue
        if {f"{stem}_name", f"{stem}_name_ja"} & present:
            if names_of is not _ECONOMIES:
                continue
            stem = f"{stem}_economy"
        code = f"figures.{column.name}"
        joins.append(
            f"left join {names_of.relation} as {stem}_names "
            f"on {names_of.key.format(code=code, names=f'{stem}_names')}"
        )
        special = dict(names_of.special)
        if column.name in unpublished:
            english, japanese = unpublished[column.name]
            special["_X"] = (english, japanese)
        for which, (suffix, language) in enumerate((("", "English"), ("_ja", "Japanese"))):
            name, looked_up = f"{stem}_name{suffix}", f"{stem}_names.name{suffix}"
            cases = " ".join(
                f"when {code} = '{word}' then '{quoted(both[which])}'"
                for word, both in special.items()
            )
            value = f"case {cases} else {looked_up} end" if cases else looked_up
            selected.append(f"{value} as {name}")
            columns.append(Column(name, "varchar", f"Name of `{column.name}` in {language}.", None))
    if not joins:
        return
    name = f"{table.name}{NAMES_SUFFIX}"
    yield Table(
        schema=table.schema,
        name=name,
        grain=table.grain,
        description=f"A view of `{table.full_name}` with names in English and Japanese beside the "
        f"codes. {table.description}".rstrip(),
        columns=columns,
        is_view=True,
        statement=f"create or replace view {table.schema}.{name} as select {', '.join(selected)} "
        f"from {table.full_name} as figures {' '.join(joins)}",
    )


def name_columns(column: str) -> tuple[str, ...]:
    """The possible columns of the English names of a code; none for another column."""
    stem, names_of = _names_of(column)
    return () if names_of is None else (f"{stem}_name", f"{stem}_economy_name")


def _names_of(column: str) -> tuple[str, NamesOf | None]:
    if column.endswith("_iso3"):
        return column.removesuffix("_iso3"), _ECONOMIES
    return _KINDS.get(column, ("", None))


def comment_on(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Comment a table or view and its columns, as dbt comments those that it makes."""
    kind = "view" if table.is_view else "table"
    description = f"{_GRAIN}{table.grain}. {table.description}"
    connection.execute(f"comment on {kind} {table.full_name} is '{quoted(description)}'")
    for column in table.columns:
        connection.execute(
            f"comment on column {table.full_name}.{column.name} is '{quoted(column.description)}'"
        )


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the connected file has a table or view; that of an earlier version may lack it."""
    return bool(
        connection.execute(
            "select 1 from duckdb_columns() where schema_name = ? and table_name = ? "
            "and database_name = current_database()",
            [schema, table],
        ).fetchone()
    )


def quoted(text: object) -> str:
    """A text inside quotes in SQL."""
    return str(text).replace("'", "''")
