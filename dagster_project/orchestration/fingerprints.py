"""What a build makes anew: the fingerprint of each dbt node, and the copy that a build starts from.

A node's fingerprint is a hash of its own text and of what its inputs contain. A build starts from
a copy of the last one's files; dbt makes what has a new fingerprint (`dbt/macros/kept.sql`), and
the chain ends where a table that was made again has equal rows. No SQL of models here.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl

from dagster_project import words
from dagster_project.lake.build_file import (
    STORAGE_VERSION,
    connect,
    connect_in_memory,
    work_file,
)
from dagster_project.lake.relations import quoted
from dagster_project.lake.tables import Contents
from dagster_project.lake.vintages import DBT_AS_OF
from dagster_project.orchestration import builds, dbt_runner
from dagster_project.serving import wording
from dagster_project.serving.wording.plugin import add_sentences
from dagster_project.settings import CHECKOUT, DBT_PROJECT, Settings

COUNTED_BY_SOURCES = "models/staging/generated/"
"""Of these models the day decides only which vintages are current: the sources count these."""

_OF_TESTS = ("severity", "where", "limit", "fail_calc", "warn_if", "error_if")
_OF_MODELS = (
    "materialized", "contract", "column_types", "delimiter", "quote_columns", "pre-hook",
    "post-hook",
)  # fmt: skip
_VARIABLE = re.compile(r"env_var\(\s*['\"](\w+)")
_PAGE = re.compile(r"\bsentence\(\s*['\"](\w+)\.")


def start(
    build_file: Path,
    manifest: Mapping[str, Any],
    variables: Mapping[str, Any],
    read: Mapping[str, Contents],
    suites: Mapping[str, str],
    memory: int | None = None,
) -> list[str]:
    """Write down what a build will be decided by; the dbt nodes that may have to be made, by id.

    These are the nodes with a new fingerprint and all that read them. `variables` are dbt's
    environment, `read` is what the lake's tables are made from (`build_file.prepare`), `suites` has
    a hash of the rules of each mart (`schema.table`).
    """
    nodes = {
        name: node for name, node in manifest["nodes"].items() if not dbt_runner.is_left_out(node)
    }
    own = {name: own_of(node, manifest, variables) for name, node in nodes.items()}
    own |= {_SUITE + table: Own(of_rules, False) for table, of_rules in suites.items()}
    edges = [
        (unique_id, read_by) for unique_id, node in nodes.items()
        for read_by in node["depends_on"].get("nodes", ())
    ]  # fmt: skip
    edges += [
        (_SUITE + table, unique_id) for unique_id, node in nodes.items()
        if node["resource_type"] == "model"
        and (table := f"{node['schema']}.{node['alias']}") in suites
    ]  # fmt: skip
    with connect(work_file(build_file), memory=memory) as connection:
        contents, parts = _contents_of_sources(connection, manifest, read, variables[DBT_AS_OF])
        edges = [(node, part) for node, read_by in edges for part in parts.get(read_by, [read_by])]
        contents |= {
            name: own[name].hash for name, node in nodes.items() if node["resource_type"] == "seed"
        }
        connection.execute(_TABLES)
        _insert(
            connection,
            "own",
            [
                (name, *own.get(name, Own(None, False)), contents.get(name))
                for name in {**own, **contents}
            ],
        )
        _insert(connection, "edges", edges)
        # What the project does not make any more stands nowhere, and may come back.
        connection.execute("delete from build.made where node not in (select node from build.own)")
        new = {node for (node,) in connection.execute(
            "select node from build.decided where not is_kept"
        ).fetchall()}  # fmt: skip
    readers: dict[str, list[str]] = {}
    for node, read_by in edges:
        readers.setdefault(read_by, []).append(node)
    waiting = list(new)
    while waiting:
        more = set(readers.get(waiting.pop(), ())) - new
        new |= more
        waiting += more
    return sorted(new & nodes.keys())


_SUITE = "suite."
"""Before the name of a mart: the node of its suite, which reads the mart."""


def suites_due(build_file: Path, memory: int | None = None) -> list[str]:
    """The marts whose suites were not evaluated on these rows, by these rules."""
    with connect(work_file(build_file), memory=memory) as connection:
        rows = connection.execute(
            "select node from build.decided where starts_with(node, ?) and not is_kept", [_SUITE]
        ).fetchall()
    return [node.removeprefix(_SUITE) for (node,) in rows]


def record_suites(build_file: Path, marts: Collection[str], memory: int | None = None) -> None:
    """Record that the suites of these marts were evaluated."""
    _record(build_file, [_SUITE + mart for mart in marts], memory)


def _record(build_file: Path, nodes: Sequence[str], memory: int | None) -> None:
    with connect(work_file(build_file), memory=memory) as connection:
        connection.execute(
            "insert into build.made select node, fingerprint, fingerprint, true "
            "from build.decided where list_contains(?, node) and not is_kept",
            [nodes],
        )


def made(
    build_file: Path, seeds_and_tests: Sequence[str], memory: int | None = None
) -> dict[str, str]:
    """The nodes that dbt made in this build, of those that it was asked for, each with the reason.

    dbt records its models itself, on whose rows others depend, but not the `seeds_and_tests` that
    it has loaded and run.
    """
    _record(build_file, seeds_and_tests, memory)
    return reasons(build_file, memory)


def contents_of_marts(
    build_file: Path, manifest: Mapping[str, Any], memory: int | None = None
) -> dict[str, str]:
    """The hash of the rows of each mart (`schema.table`) of a build, as far as it is on record."""
    with connect(work_file(build_file), memory=memory) as connection:
        if not connection.sql(
            "from duckdb_tables() where schema_name = 'build' and table_name = 'made'"
        ).fetchall():
            return {}
        contents = dict(
            connection.execute(
                "select node, content from build.made "
                "qualify row_number() over (partition by node order by is_new desc) = 1"
            ).fetchall()
        )
    return {
        f"{node['schema']}.{node['alias']}": contents[name]
        for name, node in manifest["nodes"].items()
        if node["schema"] in words.SCHEMAS and name in contents
    }


def reasons(build_file: Path, memory: int | None = None) -> dict[str, str]:
    """The nodes that a build has made, each with the reason."""
    with connect(work_file(build_file), memory=memory) as connection:
        rows = connection.execute(_REASONS).fetchall()
    return {node: _reason(is_new, is_changed, inputs) for node, is_new, is_changed, inputs in rows}


def _reason(is_new: bool, is_changed: bool, inputs: Sequence[str]) -> str:
    if is_new:
        return "it is new"
    snapshots = {name.split(".")[1] for name in inputs if name.startswith(_SNAPSHOTS)}
    tables = {
        ".".join(name.split(".")[2:]) for name in inputs
        if not name.startswith((_SNAPSHOTS, _KNOWN))
    }  # fmt: skip
    stated = [
        *(["its code or the day"] if is_changed else []),
        *([f"snapshots of {', '.join(sorted(snapshots))}"] if snapshots else []),
        *([f"rows of {', '.join(sorted(tables))}"] if tables else []),
    ]
    # Of what else may be another input, only what is known on the day of a build.
    return " and ".join(stated) or "what is known on the day"


def predecessor(settings: Settings) -> tuple[builds.Build | None, str]:
    """The complete build that the next one starts from, of any day; if there is none, why.

    It is as it was sealed, made by the same engine, and from no snapshot that was withdrawn since:
    such rows would stay in the file's bytes.
    """
    own, other = (
        builds.complete_build(settings.build_dir, is_replay=is_replay)
        for is_replay in (settings.is_replay, not settings.is_replay)
    )
    obstacles = {build: _obstacle(settings, build) for build in (own, other) if build}
    for build, obstacle in obstacles.items():
        if not obstacle:
            return build, ""
    return None, next(iter(obstacles.values()), "there is no complete build yet")


def _obstacle(settings: Settings, build: builds.Build) -> str:
    """Why no build can start from a complete one; empty if one can."""
    if build.engine != engine():
        return "libraries or rules of building have changed since the last complete build"
    if not build.is_as_sealed():
        return "the last complete build is not as it was checked"
    withdrawn = builds.withdrawn_from(settings, build)
    return f"the last complete build used withdrawn snapshots ({withdrawn})" if withdrawn else ""


@cache
def engine() -> str:
    """A hash of what builds, whatever is built: the libraries, and the rules of this module."""
    files = [
        CHECKOUT / "requirements.lock", DBT_PROJECT / "dbt_project.yml",
        DBT_PROJECT / "macros" / "kept.sql", Path(__file__),
    ]  # fmt: skip
    return _hash([duckdb.__version__, sys.version, *(file.read_text("utf8") for file in files)])


def copy_of(
    last: builds.Build,
    build: builds.Build,
    manifest: Mapping[str, Any],
    memory: int | None = None,
) -> bool:
    """Copy the files of the last build, without what the project does not make any more.

    Views with names are made anew in each build. False, and no file, if a build that ended
    meanwhile has removed the last one.
    """
    build.directory.mkdir(parents=True, exist_ok=True)
    try:
        for file, copy in zip(last.files, build.files, strict=True):
            shutil.copyfile(file, copy)
    except FileNotFoundError:
        for copy in build.files:
            copy.unlink(missing_ok=True)
        return False
    made = {(node["schema"], node["alias"]) for node in manifest["nodes"].values()}
    for file in build.files:
        with connect(file, memory=memory) as connection:
            relations = connection.execute(
                "select 'view', schema_name, view_name from duckdb_views() where not internal "
                "union all select 'table', schema_name, table_name from duckdb_tables()"
            ).fetchall()
            for kind, schema, name in relations:
                if schema not in _INPUTS and (schema, name) not in made:
                    connection.execute(f'drop {kind} "{schema}"."{name}"')
    return True


LARGEST_FREE_SHARE = 0.2
"""Of the blocks of a file; above it both files of a build are written anew. DuckDB uses the blocks
of replaced tables again, but never makes a file smaller."""


def compact(build: builds.Build, memory: int | None = None) -> bool:
    """Write the files of a build anew if too much of one is free; whether it was too much."""
    if max(map(_free_share, build.files)) <= LARGEST_FREE_SHARE:
        return False
    copies = [file.with_suffix(".compact") for file in build.files]
    with connect_in_memory(build.file, memory) as connection:
        add_sentences(connection)  # views with names call it
        for file, name in zip(build.files, ("kido", "work"), strict=True):
            connection.execute(f"attach {quoted([file])} as {name} (read_only)")
        for name, copy, version in zip(
            ("kido", "work"), copies, (STORAGE_VERSION, "latest"), strict=True
        ):
            connection.execute(
                f"attach {quoted([copy])} as compacted (storage_version '{version}')"
            )
            connection.execute(f"copy from database {name} to compacted")
            connection.execute("detach compacted")
    for copy, file in zip(copies, build.files, strict=True):
        copy.replace(file)
    return True


def _free_share(file: Path) -> float:
    with connect(file, read_only=True) as connection:
        size = connection.sql("pragma database_size").pl().row(0, named=True)
    return float(size["free_blocks"] / max(size["total_blocks"], 1))


_INPUTS = ("lake", "runtime", "build")
"""Schemas of the work file that a build writes itself; dbt makes the others."""


_TABLES = """
create schema if not exists build;
create table if not exists build.made (
    node varchar, fingerprint varchar, content varchar, is_new boolean
);
create or replace table build.made as
    select node, fingerprint, content, false as is_new from build.made
    qualify row_number() over (partition by node order by is_new desc) = 1;
create table if not exists build.own (
    node varchar, own varchar, names_day boolean, content varchar
);
create or replace table build.own_before as from build.own;
create or replace table build.own (
    node varchar, own varchar, names_day boolean, content varchar
);
create or replace table build.edges (node varchar, input varchar);
create or replace view build.decided as
with latest as (
    select node, fingerprint, content from build.made
    qualify row_number() over (partition by node order by is_new desc) = 1
),
inputs as (
    select
        edges.node,
        string_agg(
            edges.input || '=' || coalesce(own.content, latest.content, '?'), ' '
            order by edges.input
        ) as contents
    from build.edges as edges
    left join build.own as own on edges.input = own.node
    left join latest on edges.input = latest.node
    group by edges.node
),
fingerprints as (
    select own.node, own.names_day, md5(concat_ws(' ', own.own, inputs.contents)) as fingerprint
    from build.own as own
    left join inputs on own.node = inputs.node
    where own.own is not null
)
select
    fingerprints.node,
    fingerprints.fingerprint,
    fingerprints.names_day,
    coalesce(fingerprints.fingerprint = latest.fingerprint, false) as is_kept
from fingerprints
left join latest on fingerprints.node = latest.node
"""
"""`own`: what a node computes, and what a source or seed contains. `made`: what stands, and what
this build has made. `decided`: the fingerprint that each node has by what its inputs contain now.
"""


_REASONS = """
with new as (select * from build.made where is_new),
old as (select * from build.made where not is_new),
contents as (
    select node, content from build.own where content is not null
    union all
    select node, content from new
    union all
    select node, content from old anti join new using (node)
),
contents_before as (
    select node, content from build.own_before where content is not null
    union all
    select node, content from old
),
changed as (
    select node
    from contents
    anti join contents_before using (node, content)
),
inputs as (
    select edges.node, list(edges.input order by edges.input) as inputs
    from build.edges as edges
    semi join changed on edges.input = changed.node
    group by edges.node
)
select
    new.node,
    old.node is null as is_new,
    own.own is distinct from own_before.own as is_changed,
    coalesce(inputs.inputs, []) as inputs
from new
left join old on new.node = old.node
left join build.own as own on new.node = own.node
left join build.own_before as own_before on new.node = own_before.node
left join inputs on new.node = inputs.node
order by new.node
"""
"""Why nodes were made: by their own hashes and the contents of their inputs, before and now."""


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]
) -> None:
    frame = pl.DataFrame(rows, schema=_COLUMNS[table], orient="row")
    connection.register("rows_of_table", frame.to_arrow())
    connection.execute(f"insert into build.{table} from rows_of_table")
    connection.unregister("rows_of_table")


_COLUMNS: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "own": {
        "node": pl.String,
        "own": pl.String,
        "names_day": pl.Boolean,
        "content": pl.String,
    },
    "edges": {"node": pl.String, "input": pl.String},
}


def _contents_of_sources(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    read: Mapping[str, Contents],
    as_of: str,
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What counts of the dbt project's sources on the day, as a hash by part; the parts by source.

    A table of the lake has a part for each of Kido's sources, and one for the day.
    """
    hashes: dict[str, str] = {}
    parts: dict[str, list[str]] = {}
    for unique_id, source in manifest["sources"].items():
        name = source["name"].removesuffix("_slices")
        if source["source_name"] == "lake":
            of_lake = {
                f"{part}.{name}": hashed
                for part, hashed in _of_lake(connection, read[name], as_of).items()
            }
            hashes |= of_lake
            parts[unique_id] = list(of_lake)
        elif source["source_name"] == "runtime":
            relation = f"{source['schema']}.{source['name']}"
            row = connection.execute(
                f"select count(*), sum(hash(facts)) from {relation} as facts"
            ).fetchone()
            columns = connection.execute(f"describe {relation}").fetchall()
            hashes[unique_id] = _hash([columns, row])
            parts[unique_id] = [unique_id]
    return hashes, parts


def _of_lake(
    connection: duckdb.DuckDBPyConnection, contents: Contents, as_of: str
) -> dict[str, str]:
    """What decides the current rows of a table: its files, and the last that is known on the day.

    Nothing that is known later counts: with the same files and the same last one the same is known.
    """
    table = contents.table
    files: dict[str, list[list[Any]]] = {}
    for file in contents.files:
        snapshots = [file.sha256 or file.name, sorted(file.snapshots), sorted(file.others)]
        files.setdefault(file.name.split("/")[1], []).append(snapshots)
    last = None
    if table.known_from:
        relation = f"lake.{table.name}"
        if table.known_from == "vintage_at":
            relation += "_slices"
        last = connection.execute(
            f"select max({table.known_from}) from {relation} "
            f"where {table.known_from} < cast(? as date) + interval 1 day",
            [as_of],
        ).fetchone()
    columns = [(name, str(column.dtype)) for name, column in table.columns.items()]
    return {
        **{f"{_SNAPSHOTS}{source}": _hash(sorted(files[source])) for source in files},
        _KNOWN.removesuffix("."): _hash([columns, last]),
    }


_SNAPSHOTS, _KNOWN = "snapshots.", "known."
"""Before the parts of a lake table: the files of a source, and what is known of it on the day."""


class Own(NamedTuple):
    """The hash of what a node computes, without its inputs, and whether the day is in it."""

    hash: str | None
    names_day: bool


def own_of(
    node: Mapping[str, Any],
    manifest: Mapping[str, Any],
    variables: Mapping[str, Any],
    project: Path = CHECKOUT,
) -> Own:
    """What a node computes: its text, the macros and variables that this names, configuration.

    `variables` are dbt's environment. Descriptions and other `meta` are not in it.
    """
    macros = [manifest["macros"][name]["macro_sql"] for name in _macros(manifest, node)]
    text = "\n".join([node.get("raw_code") or "", *macros])
    used = set(_VARIABLE.findall(text))
    if node["original_file_path"].startswith(COUNTED_BY_SOURCES):
        used.discard(DBT_AS_OF)
    config = node["config"]
    counted = [
        text,
        {name: str(variables.get(name)) for name in sorted(used)},
        {name: config.get(name) for name in (*_OF_MODELS, *_OF_TESTS)},
        [node["database"], node["schema"], node["alias"], node["resource_type"]],
        [
            (column["name"], column["data_type"], column.get("constraints"))
            for column in node["columns"].values()
        ],
        (node.get("test_metadata") or {}).get("kwargs"),
        node["checksum"] if node["resource_type"] == "seed" else None,
        [modules_of(module, project) for module in _modules_of_sentences(text)],
        _of_python(node, project) if node.get("language") == "python" else None,
    ]  # fmt: skip
    return Own(_hash(counted), DBT_AS_OF in used)


def _macros(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    """The project's macros that a node uses, also by way of others; dbt's own are of the engine."""
    used: set[str] = set()
    waiting = list(node["depends_on"]["macros"])
    while waiting:
        name = waiting.pop()
        if name not in used and name in manifest["macros"]:
            used.add(name)
            waiting += manifest["macros"][name]["depends_on"]["macros"]
    return sorted(name for name in used if manifest["macros"][name]["package_name"] == "kido")


def _modules_of_sentences(text: str) -> list[str]:
    """The modules that word the sentences of a text: no other module imports a page statically."""
    pages = sorted(set(_PAGE.findall(text)))
    language = f"{wording.__name__}.{wording.LANGUAGE}"
    return [add_sentences.__module__, *(f"{language}.{page}" for page in pages)] if pages else []


def _of_python(node: Mapping[str, Any], project: Path) -> list[list[str]]:
    imported = _imports(node["raw_code"])
    return [modules_of(name, project) for name in sorted(imported)]


@cache
def modules_of(name: str, project: Path = CHECKOUT) -> list[str]:
    """The text of a module of the project and of all that it imports of it; empty for others."""
    texts: dict[str, str] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        path = _path(module, project)
        if path is None or module in texts:
            continue
        texts[module] = path.read_text("utf8")
        waiting += _imports(texts[module])
    return [f"{module}\n{texts[module]}" for module in sorted(texts)]


def _imports(text: str) -> set[str]:
    """The names of the project's modules that a module may import, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.split(".")[0] == "dagster_project"}


def _path(module: str, project: Path) -> Path | None:
    place = project.joinpath(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
