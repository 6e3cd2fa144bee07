"""What a node's fingerprint counts, and where the chain of what is made anew ends."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lake.build_file import work_file
from dagster_project.orchestration import dbt_runner, fingerprints
from dagster_project.orchestration.builds import Build
from dagster_project.orchestration.fingerprints import COUNTED_BY_SOURCES, own_of
from dagster_project.settings import CHECKOUT
from tests.dbt_project import Project

Node = Mapping[str, Any]
VARIABLES = dbt_runner.variables_of_models(date(2026, 11, 25), reconciled_shares=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("target"))


def named(project: Project, name: str) -> Node:
    (node,) = [node for node in project.nodes if node["name"] == name]
    return node


def test_the_day_counts_where_it_is_compiled_into_the_text(project: Project) -> None:
    """Of staging models the sources say what a day changes."""
    one, other = (dict(project.compiled(day)) for day in ("2026-11-25", "2027-01-02"))
    expected = {name for name in one if one[name] != other[name]}
    counted = {
        f"{node['schema']}.{node['alias']}"
        for node in project.models
        if own_of(node, project.manifest, VARIABLES).names_day
    }
    staging = {
        f"{node['schema']}.{node['alias']}"
        for node in project.models
        if node["original_file_path"].startswith(COUNTED_BY_SOURCES)
    }
    assert len(expected - staging) > 10
    assert expected - staging <= counted
    assert counted & staging == set()


def test_a_day_changes_the_hash_of_what_names_it_alone(project: Project) -> None:
    tomorrow = {**VARIABLES, "DBT_AS_OF": "2026-11-26"}
    for node in project.nodes:
        own = own_of(node, project.manifest, VARIABLES)
        assert (own_of(node, project.manifest, tomorrow).hash != own.hash) == own.names_day


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("measure_status", lambda node: {"raw_code": node["raw_code"] + "\n"}),
        ("measure_status", lambda node: {"config": {**node["config"], "materialized": "view"}}),
        ("measure_status", lambda node: {"schema": "other"}),
        (
            "measure_status",
            lambda node: {
                "columns": {
                    name: {**column, "constraints": []} for name, column in node["columns"].items()
                }
            },
        ),
        ("seed_mineral_groups", lambda node: {"checksum": {"name": "sha256", "checksum": "0"}}),
        (
            "indirect_dependence_has_one_row_per_grain",
            lambda node: {"test_metadata": {"kwargs": {"columns": ["year"]}}},
        ),
        (
            "indirect_dependence_has_one_row_per_grain",
            lambda node: {"config": {**node["config"], "severity": "warn"}},
        ),
    ],
)
def test_what_a_node_computes_counts(
    project: Project, name: str, change: Callable[[Node], Node]
) -> None:
    node = named(project, name)
    changed = {**node, **change(node)}
    own = own_of(node, project.manifest, VARIABLES)
    assert own_of(changed, project.manifest, VARIABLES).hash != own.hash


def test_what_is_said_of_a_node_does_not_count(project: Project) -> None:
    node = named(project, "measure_status")
    columns = {
        name: {**column, "description": "another"} for name, column in node["columns"].items()
    }
    said = {**node, "description": "another", "columns": columns, "meta": {"domain": "another"}}
    own = own_of(node, project.manifest, VARIABLES)
    assert own_of(said, project.manifest, VARIABLES) == own


def test_a_macro_counts_also_where_another_one_names_it(project: Project) -> None:
    macros = project.manifest["macros"]
    by_way_of = {
        inner: outer
        for outer, macro in macros.items()
        for inner in macro["depends_on"]["macros"]
        if outer.startswith("macro.kido.") and inner.startswith("macro.kido.")
    }
    tried = 0
    for node in project.models:
        used = node["depends_on"]["macros"]
        for inner, outer in by_way_of.items():
            if outer in used and inner not in used:
                other = {**macros[inner], "macro_sql": macros[inner]["macro_sql"] + " "}
                changed = {**project.manifest, "macros": {**macros, inner: other}}
                own = own_of(node, project.manifest, VARIABLES)
                assert own_of(node, changed, VARIABLES).hash != own.hash
                tried += 1
    assert tried > 10


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("plugin", r"sentence\("),
        ("english/production", r"sentence\('production\."),
        ("english/warnings", r"sentence\(\s*'warnings\."),
    ],
)
def test_the_words_of_sentences_count_where_sentences_are_made(
    project: Project, tmp_path: Path, module: str, call: str
) -> None:
    shutil.copytree(CHECKOUT / "dagster_project", tmp_path / "dagster_project")
    file = tmp_path / "dagster_project" / "serving" / "wording" / f"{module}.py"
    file.write_text(file.read_text("utf8") + "\n# other words\n", "utf8")
    changed = {
        node["name"]
        for node in project.models
        if own_of(node, project.manifest, VARIABLES)
        != own_of(node, project.manifest, VARIABLES, tmp_path)
    }
    assert changed == {node["name"] for node in project.models if re.search(call, node["raw_code"])}


# The chain.


def node(name: str, *inputs: str, kind: str = "model", text: str = "select 1") -> dict[str, Any]:
    return {
        "unique_id": f"{kind}.kido.{name}", "name": name, "alias": name, "resource_type": kind,
        "database": "kido", "schema": "s", "raw_code": text, "columns": {}, "config": {"tags": []},
        "original_file_path": f"models/{name}.sql", "checksum": {},
        "depends_on": {"nodes": list(inputs), "macros": []},
    }  # fmt: skip


FACTS = "source.kido.runtime.facts"
FIRST, SECOND, THIRD = "model.kido.first", "model.kido.second", "model.kido.third"
CHECK = "test.kido.check"


class Chain:
    """Two models and a test, one after the other, on a table of `runtime`; dbt is played here."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "kido.duckdb"
        self.nodes = {
            one["unique_id"]: one
            for one in (
                node("first", FACTS),
                node("second", FIRST),
                node("check", SECOND, kind="test"),
            )
        }
        with duckdb.connect(str(work_file(self.file))) as connection:
            connection.execute("create schema runtime")
        self.facts("1")
        self.rules = "rules"
        self.asked: list[str] = []

    def facts(self, rows: str) -> None:
        with duckdb.connect(str(work_file(self.file))) as connection:
            connection.execute(
                f"create or replace table runtime.facts as select unnest([{rows}]) as fact"
            )

    def start(self) -> list[str]:
        source = {"source_name": "runtime", "schema": "runtime", "name": "facts"}
        manifest = {"nodes": self.nodes, "sources": {FACTS: source}, "macros": {}}
        return fingerprints.start(self.file, manifest, VARIABLES, {}, {"s.second": self.rules})

    def make(self, name: str, content: str) -> bool:
        """Make a node unless it is kept, as the macros do; whether it was made."""
        with duckdb.connect(str(work_file(self.file))) as connection:
            ((is_kept,),) = connection.execute(
                "select is_kept from build.decided where node = ?", [name]
            ).fetchall()
            if not is_kept:
                connection.execute(
                    "insert into build.made select node, fingerprint, ?, true from build.decided "
                    "where node = ?",
                    [content, name],
                )
        return not is_kept

    def build(self, first: str = "one", second: str = "two") -> dict[str, str]:
        """What is made, with the reason, where the models have these rows."""
        self.asked = self.start()
        for name, content in ((FIRST, first), (SECOND, second), (THIRD, ""), (CHECK, "")):
            if name in self.asked:
                self.make(name, content)
        return fingerprints.made(self.file, [])


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def test_nothing_new_is_asked_for_nothing(chain: Chain) -> None:
    assert set(chain.build()) == {FIRST, SECOND, CHECK}
    assert chain.start() == []
    assert chain.build() == {}


def test_the_chain_ends_where_the_rows_are_equal(chain: Chain) -> None:
    chain.build()
    chain.facts("2")
    assert chain.build() == {FIRST: "rows of runtime.facts"}
    assert chain.asked == [FIRST, SECOND, CHECK]
    assert chain.start() == []


def test_it_goes_on_where_they_are_others(chain: Chain) -> None:
    chain.build()
    chain.facts("2")
    made = chain.build(first="other")
    assert made == {
        FIRST: "rows of runtime.facts", SECOND: "rows of first",
    }  # fmt: skip
    chain.facts("3")
    assert set(chain.build(first="third", second="third")) == {FIRST, SECOND, CHECK}


def test_the_order_of_rows_does_not_count_and_each_row_does(chain: Chain) -> None:
    chain.facts("1, 2, 2")
    chain.build()
    chain.facts("2, 1, 2")
    assert chain.start() == []
    for rows in ("1, 2", "1, 1, 2", "1, 2, 2, 2"):
        chain.facts(rows)
        assert chain.start() != [], rows


def test_other_code_is_the_reason_and_a_new_node_is_new(chain: Chain) -> None:
    chain.build()
    chain.nodes[SECOND] = node("second", FIRST, text="select 2")
    chain.nodes[THIRD] = node("third", SECOND)
    assert chain.build() == {SECOND: "its code or the day", THIRD: "it is new"}
    assert chain.asked == [SECOND, THIRD, CHECK]


def test_a_node_that_was_removed_and_comes_back_is_made(chain: Chain) -> None:
    """Its table was dropped with it, although its fingerprint is the old one."""
    chain.build()
    check = chain.nodes.pop(CHECK)
    assert chain.build() == {}
    chain.nodes[CHECK] = check
    assert set(chain.build()) == {CHECK}


def test_a_node_that_was_not_made_is_asked_for_again(chain: Chain) -> None:
    """A run that was killed, or a part that left it out, has recorded nothing of it."""
    chain.build()
    chain.facts("2")
    chain.start()
    chain.make(FIRST, "other")
    assert set(chain.start()) == {SECOND, CHECK}


def test_a_suite_is_due_where_its_rows_or_its_rules_are_others(chain: Chain) -> None:
    chain.build()
    assert fingerprints.suites_due(chain.file) == ["s.second"]
    fingerprints.record_suites(chain.file, ["s.second"])
    assert fingerprints.suites_due(chain.file) == []
    chain.facts("2")
    chain.build()
    assert fingerprints.suites_due(chain.file) == []
    chain.facts("3")
    chain.build(first="other", second="other")
    assert fingerprints.suites_due(chain.file) == ["s.second"]
    fingerprints.record_suites(chain.file, ["s.second"])
    chain.rules = "others"
    assert chain.build(first="other", second="other") == {}
    assert fingerprints.suites_due(chain.file) == ["s.second"]


def test_a_file_with_much_free_space_is_written_anew_with_all_that_is_in_it(tmp_path: Path) -> None:
    build = Build(tmp_path)
    with duckdb.connect(str(build.file)) as connection:
        connection.execute("create schema market")
        connection.execute("create table market.prices as select range as x from range(200)")
        connection.execute("comment on table market.prices is 'Prices.'")
        connection.execute("comment on column market.prices.x is 'A number.'")
    with duckdb.connect(str(work_file(build.file))) as connection:
        connection.execute("create table facts as select range as x from range(300)")
        connection.execute("create view doubled as select 2 * x as x from facts")
    assert not fingerprints.compact(build)
    before = [file.stat().st_size for file in build.files]
    with duckdb.connect(str(build.file)) as connection:
        for name, rows in (("old", 1_000_000), ("new", 1_000)):  # the new one at the file's end
            connection.execute(f"create table market.{name} as select random() from range({rows})")
            connection.execute("checkpoint")
        connection.execute("drop table market.old")
    assert build.file.stat().st_size > 4 * before[0]
    assert fingerprints.compact(build)
    assert [file.stat().st_size for file in build.files] == pytest.approx(before, rel=1)
    with duckdb.connect(str(build.file)) as connection:
        assert connection.sql("select sum(x) from market.prices").fetchall() == [(19900,)]
        comments = "select comment from duckdb_tables() union all "
        comments += "select comment from duckdb_columns() where not internal"
        assert {each for (each,) in connection.sql(comments).fetchall() if each} == {
            "Prices.", "A number.",
        }  # fmt: skip
    with duckdb.connect(str(work_file(build.file))) as connection:
        assert connection.sql("select sum(x) from doubled").fetchall() == [(89700,)]
    assert {path.name for path in tmp_path.iterdir()} == {file.name for file in build.files}
