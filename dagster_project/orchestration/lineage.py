"""The lineage of marts: their sources, their inputs, and the inputs of each column.

Columns are traced in the compiled SQL when the project is parsed, not in a build: it takes seconds
and changes only with the SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from dagster_project import words
from dagster_project.lake.corrections import corrections
from dagster_project.lake.schemas import CORRECTIONS, COVERAGE
from dagster_project.sources.registry import all_sources

Lineage = dict[str, dict[str, list[tuple[str, str]]]]


def sources_of_table(dbt_source: Mapping[str, Any]) -> list[str]:
    """The sources that fill the lake table of a dbt source; none for the facts of the run."""
    if dbt_source["source_name"] != "lake":
        return []
    cards = {name: source.CARD for name, source in all_sources().items()}
    if dbt_source["name"] == COVERAGE.name:  # from the ledger of every source with windows
        return [name for name, card in cards.items() if card.windows]
    if dbt_source["name"] == CORRECTIONS.name:
        return [name for name in cards if corrections(name)]
    return [name for name, card in cards.items() if dbt_source["name"] in card.tables]


def sources_behind(manifest: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    """By table of the dbt project (`schema.table`), the sources it is made from."""

    @cache
    def behind(unique_id: str) -> frozenset[str]:
        if unique_id in manifest["sources"]:
            return frozenset(sources_of_table(manifest["sources"][unique_id]))
        parents = manifest["nodes"][unique_id].get("depends_on", {}).get("nodes", ())
        return frozenset[str]().union(*map(behind, parents))

    return {
        f"{node['schema']}.{node.get('alias') or node['name']}": behind(unique_id)
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }


class Input(NamedTuple):
    """A table that a published table is made from; `source` is given for one of the lake."""

    schema_name: str
    table_name: str
    input_schema: str
    input_table: str
    source: str | None


def inputs_of_tables(manifest: Mapping[str, Any]) -> list[Input]:
    """The inputs of every published table of the dbt project, in the order of their names.

    An input is the nearest other published table, a table of the lake by source (its asset,
    `lake/<source>_<table>`), a seed, or a fact of the run. Models between them are passed over.
    """
    nodes = {**manifest["nodes"], **manifest["sources"]}

    @cache
    def nearest(unique_id: str) -> frozenset[tuple[str, str, str | None]]:
        node = nodes[unique_id]
        name = node.get("alias") or node["name"]
        if node["resource_type"] == "source" and node["source_name"] == "lake":
            return frozenset(
                ("lake", f"{source}_{name}", source) for source in sources_of_table(node)
            )
        if node["resource_type"] in ("source", "seed") or node["schema"] in words.SCHEMAS:
            return frozenset({(node["schema"], name, None)})
        return inputs_of(unique_id)

    def inputs_of(unique_id: str) -> frozenset[tuple[str, str, str | None]]:
        parents = nodes[unique_id].get("depends_on", {}).get("nodes", ())
        return frozenset[tuple[str, str, str | None]]().union(*map(nearest, parents))

    return sorted(
        (
            Input(node["schema"], node.get("alias") or node["name"], *entry)
            for unique_id, node in manifest["nodes"].items()
            if node["resource_type"] == "model" and node["schema"] in words.SCHEMAS
            for entry in inputs_of(unique_id)
        ),
        key=lambda entry: entry[:4],
    )


def tables_by_source(
    manifest: Mapping[str, Any], columns: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
) -> Mapping[str, Sequence[str]]:
    """By source, the published tables that it may add rows to, in the order of their names.

    They are those of which a column of the key is made from the source's tables of the lake, by the
    lineage of columns (`column_lineage`). Where a model has none, as one in Python, it is what the
    whole model is made from.
    """
    sources_of = _sources_of_column(manifest, columns)
    tables: dict[str, set[str]] = {}
    for unique_id, key in _keys_of_tables(manifest):
        node = manifest["nodes"][unique_id]
        for source in frozenset[str]().union(*(sources_of(unique_id, name) for name in key)):
            tables.setdefault(source, set()).add(f"{node['schema']}.{node['alias']}")
    return {source: sorted(names) for source, names in tables.items()}


def _keys_of_tables(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """The published tables with the columns of their keys, which are tested to be unique."""
    for test in manifest["nodes"].values():
        if (test.get("test_metadata") or {}).get("name") == "one_row_per":
            unique_id = test["attached_node"]
            if manifest["nodes"][unique_id]["schema"] in words.SCHEMAS:
                yield unique_id, test["test_metadata"]["kwargs"]["columns"]


def _sources_of_column(
    manifest: Mapping[str, Any], columns: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
) -> Callable[[str, str], frozenset[str]]:
    """The sources that a column of a node is made from."""
    of_whole_model = sources_behind(manifest)

    @cache
    def sources_of(unique_id: str, column: str) -> frozenset[str]:
        if unique_id in manifest["sources"]:
            return frozenset(sources_of_table(manifest["sources"][unique_id]))
        node = manifest["nodes"][unique_id]
        if node["resource_type"] == "model" and not columns.get(unique_id):
            return of_whole_model[f"{node['schema']}.{node.get('alias') or node['name']}"]
        origins = columns.get(unique_id, {}).get(column, ())
        return frozenset[str]().union(*(sources_of(origin, name) for origin, name in origins))

    return sources_of


def column_lineage(
    manifest: Mapping[str, Any],
    compiled: Mapping[str, str],
    on_start: Callable[[int, int], None] = lambda number, total: None,
) -> Lineage:
    """By model and column, the (node, column) pairs that are its direct inputs.

    `compiled` is the SQL by model. A column that sqlglot cannot trace has no entry: lineage informs
    readers, nothing depends on it. `on_start` is called with the number of the model that begins
    and the number of all.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage as trace
    from sqlglot.optimizer.qualify import qualify

    nodes = {**manifest["nodes"], **manifest["sources"]}
    by_relation = {_relation(node): name for name, node in nodes.items() if "schema" in node}
    by_relation |= {
        (database, schema, f"{table}_slices"): name
        for (database, schema, table), name in by_relation.items()
        if schema == "lake"
    }
    schema = _columns_by_relation(nodes.values())

    lineage: Lineage = {}
    for number, (model, sql) in enumerate(compiled.items(), 1):
        on_start(number, len(compiled))
        if not sql:
            continue
        try:
            tree = qualify(parse_one(sql, dialect="duckdb"), dialect="duckdb", schema=schema)
        except SqlglotError:
            continue
        origins_of = lineage.setdefault(model, {})
        for column in tree.named_selects if isinstance(tree, exp.Query) else ():
            try:
                root = trace(column, tree, dialect="duckdb", schema=schema)
            except (SqlglotError, ValueError, KeyError):
                continue
            origins = set()
            for step in root.walk():
                if not step.downstream and isinstance(step.expression, exp.Table):
                    table = step.expression
                    node_id = by_relation.get((table.catalog, table.db, table.name))
                    origin = step.name.rsplit(".", 1)[-1].strip('"')
                    if node_id and origin in (nodes[node_id].get("columns") or {origin}):
                        origins.add((node_id, origin))
            if origins:
                origins_of[column] = sorted(origins)
    return lineage


def _columns_by_relation(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Types of columns, by database, schema and table."""
    schema: dict[str, Any] = {}
    for node in nodes:
        if node["resource_type"] in {"model", "source", "seed"} and node.get("columns"):
            relation = node.get("alias") or node["identifier"]
            relations = schema.setdefault(node["database"], {}).setdefault(node["schema"], {})
            columns = {
                column: details.get("data_type") or "unknown"
                for column, details in node["columns"].items()
            }
            relations[relation] = columns
            if node["resource_type"] == "source" and node["schema"] == "lake":
                # The slices of a lake table have some of its columns and a number of rows; staging
                # selects rows by them.
                relations[f"{relation}_slices"] = {**columns, "rows": "bigint"}
    return schema


def _relation(node: Mapping[str, Any]) -> tuple[str, str, str]:
    return (node["database"] or "", node["schema"], node.get("alias") or node.get("identifier", ""))
