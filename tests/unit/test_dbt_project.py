"""The dbt project as a whole: the published contract, its style, its checks.

What a build from the bundled figures must show is tested end to end, not here.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest
import yaml
from jinja2 import Template

from dagster_project import words
from dagster_project.lake.build_file import work_file
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.orchestration.dbt_files import written_by_hand
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.serving.dictionary import described_tables, unit_of
from dagster_project.serving.wording.plugin import add_sentences
from dagster_project.settings import BUNDLED, DBT_PROJECT
from dagster_project.sources.catalogue.claims import CLAIM_TESTS
from tests import contract
from tests.conftest import SHARED, needs_reference, needs_shared
from tests.dbt_project import Project, copy_of_build

MODEL_NAMES = {
    "staging": r"stg_[a-z0-9]+__[a-z_]+",
    "intermediate": r"int_[a-z]+__[a-z]+(_[a-z]+)+",
    "marts": r"[a-z]+(_[a-z]+)*",
}

PARTS_OF_A_UNION = ("int_claims__measure_", "int_answers__show_", "int_exposure__measure_")


def seeded(project: Project) -> set[str]:
    """The marts that are made from seeds alone: nothing has to land before they have rows."""
    parents: Mapping[str, list[str]] = project.manifest["parent_map"]

    def lake(node: str) -> bool:
        is_lake = node.startswith("source.") and node.split(".")[2] == "lake"
        return is_lake or any(lake(parent) for parent in parents.get(node, []))

    return {name for name, mart in project.marts().items() if not lake(mart["unique_id"])}


def described(columns: Mapping[str, Any]) -> set[str]:
    return {f"{name} {column['data_type']}" for name, column in columns.items()}


Build = Callable[..., Path]


@pytest.fixture
def build(project: Project, empty_build: Path, tmp_path: Path) -> Build:
    """Models on a lake with some rows: those of the given names, and all that they read."""

    def build(rows: str, *names: str) -> Path:
        build_file = copy_of_build(empty_build, tmp_path)
        with duckdb.connect(str(work_file(build_file))) as connection:
            connection.execute(rows)
        # Views are those of the empty build.
        tables = [f"+{name},config.materialized:table" for name in names]
        outcome = project.invoke("run", build_file, "--select", *tables)
        assert set(outcome.values()) == {"success"}
        return build_file

    return build


# ---- The contract


def test_the_published_schema_is_the_one_that_was_agreed(
    project: Project, update_golden: bool
) -> None:
    """A change breaks readers: it shows as a diff of the golden file, which all tests read."""
    declared = {
        table.full_name: {column.name: column.data_type for column in table.columns}
        for table in described_tables(project.manifest)
        if not table.statement
    }
    if update_golden:
        contract.write(declared)
    assert declared == contract.published()


def test_every_published_table_enforces_its_contract_and_carries_its_docs(
    project: Project,
) -> None:
    for table, model in project.marts().items():
        assert model["contract"]["enforced"], table
        # A view is read where it is published, with no name of a file in it.
        assert model["config"]["materialized"] in ("table", "view"), table
        assert model["config"]["persist_docs"] == {"relation": True, "columns": True}, table
        assert model["fqn"][2] == model["schema"], table


def test_the_built_tables_have_the_contracted_types_and_comments(
    project: Project, empty_build: Path
) -> None:
    with duckdb.connect(str(empty_build), read_only=True) as connection:
        columns = connection.execute(
            "select schema_name || '.' || table_name, column_name, lower(data_type), comment "
            "from duckdb_columns() where database_name = 'kido'"
        ).fetchall()
        comments = dict(
            connection.execute(
                "select schema_name || '.' || table_name, comment from duckdb_tables() "
                "where database_name = 'kido' union all "
                "select schema_name || '.' || view_name, comment from duckdb_views() "
                "where database_name = 'kido'"
            ).fetchall()
        )
    for table, model in project.marts().items():
        found = {f"{name} {kind}" for where, name, kind, _ in columns if where == table}
        assert found == described(model["columns"]), table
        assert all(comment for where, _, _, comment in columns if where == table), table
        assert comments[table] == model["description"], table


WITHOUT_A_UNIT = {"varchar", "varchar[]", "boolean"}


def test_every_number_and_time_that_is_published_has_a_unit_or_null_on_purpose(
    project: Project,
) -> None:
    for table, model in project.marts().items():
        for name, column in model["columns"].items():
            if column["data_type"] not in WITHOUT_A_UNIT:
                assert "unit" in column["meta"] or unit_of(name, column), (
                    f"{table}.{name} has no unit: give it `config: {{meta: {{unit: ...}}}}` "
                    f"in {model['original_file_path'].removesuffix('sql')}yml, null for a rank."
                )


@pytest.mark.parametrize(
    ("name", "data_type", "meta", "unit"),
    [
        ("value_usd", "double", {}, "USD"),
        ("share", "double", {}, "share, 0 to 1"),
        ("known_at", "date", {}, "day"),
        ("known_at", "timestamp", {}, "UTC"),
        ("importer_iso3", "varchar", {}, "ISO 3166-1 alpha-3"),
        ("statement", "varchar", {}, None),
        ("return_share", "double", {"unit": "share, from -1"}, "share, from -1"),
        ("first_year", "integer", {"unit": None}, None),
    ],
)
def test_the_unit_in_the_yaml_goes_before_what_type_and_name_say(
    name: str, data_type: str, meta: Mapping[str, str | None], unit: str | None
) -> None:
    assert unit_of(name, {"data_type": data_type, "meta": meta}) == unit


# ---- Style


def test_every_model_and_seed_has_its_own_yml_of_the_same_stem(project: Project) -> None:
    for node in project.models + project.seeds:
        own = DBT_PROJECT / Path(node["original_file_path"]).with_suffix(".yml")
        assert own.exists(), node["name"]
        assert node["patch_path"] == f"kido://{own.relative_to(DBT_PROJECT)}", node["name"]


def test_every_description_of_a_model_or_seed_states_its_grain_first(project: Project) -> None:
    for node in project.models + project.seeds:
        assert re.match(r"One row per [^.]+\.( |$)", node["description"]), node["name"]


def test_every_column_is_described_with_its_type_as_it_is_built(
    project: Project, empty_build: Path
) -> None:
    with duckdb.connect(str(empty_build), read_only=True) as connection:
        connection.execute(f"attach '{work_file(empty_build)}' as work (read_only)")
        add_sentences(connection)
        for node in project.models + project.seeds:
            relation = node["relation_name"]
            built = connection.execute(f"describe {relation}").fetchall()
            assert {row[0] for row in built} == set(node["columns"]), node["name"]
            for name, column in node["columns"].items():
                assert column["description"].strip(), f"{node['name']}.{name}"
                assert column["data_type"], f"{node['name']}.{name}"


def test_an_intermediate_model_exists_only_where_two_models_read_it(project: Project) -> None:
    """Where one reads it, it is part of that one, unless both together would be too long to read.

    Claims, answers and the windows of exposures are united from models of one form: each way to
    test a claim is one, and each part of the page of answers. Tests are not counted as readers.
    """
    readers: dict[str, list[int]] = {}
    for model in project.models:
        for parent in set(model["depends_on"]["nodes"]):
            readers.setdefault(parent, []).append(_lines(model))
    assert readers
    for model in project.models:
        is_part = model["name"].startswith(PARTS_OF_A_UNION)
        if model["fqn"][1] == "intermediate" and not is_part:
            first, *others = readers[model["unique_id"]]
            assert others or first + _lines(model) > LONGEST_MODEL, model["name"]


LONGEST_MODEL = 250
"""Lines of a model that is read from top to bottom."""


def _lines(model: Mapping[str, Any]) -> int:
    return len(str(model["raw_code"]).splitlines())


def test_a_model_lists_its_columns_once_at_its_end(project: Project) -> None:
    for model in project.models:
        if "claims" not in model["name"]:
            assert not re.search(r"select \* from \w+\s*$", model["raw_code"]), model["name"]
            # An import takes all columns; a build reads no more of them than are used.
            listed_import = r"as \(\s+select\s+(\w+,\s+)+\w+\s+from \{\{ (ref|source)\("
            assert not re.search(listed_import, model["raw_code"]), model["name"]


def test_no_model_asks_for_what_a_relation_made_in_place_does_not_have(project: Project) -> None:
    """Hooks, grants and indexes: every model is a table or a view, made anew by each build."""
    assert {model["config"]["materialized"] for model in project.models} == {"table", "view"}
    for model in project.models:
        for name in ("pre-hook", "post-hook", "grants", "indexes"):
            assert not model["config"].get(name), model["name"]


def test_every_model_is_named_by_the_scheme_of_its_folder(project: Project) -> None:
    for model in project.models:
        assert re.fullmatch(MODEL_NAMES[model["fqn"][1]], model["name"]), model["name"]
    for seed in project.seeds:
        assert seed["name"].startswith("seed_")
        assert seed["schema"] == "seeds"


def test_a_description_names_every_word_that_the_column_may_hold(project: Project) -> None:
    """Editions of the HS apart: nine codes by one rule."""
    marts = project.marts()
    held = {
        f"{table}.{column}": (set(allowed) - {""}, marts[table]["columns"][column]["description"])
        for table, suite in mart_suites().items()
        if table in marts
        for rule in suite.rules
        if rule.expectation == "ExpectColumnValuesToBeInSet" and not (rule.derived or rule.has_list)
        for column, allowed in [(str(rule.kwargs["column"]), rule.kwargs["value_set"])]
        if isinstance(allowed, tuple) and allowed != words.HS_EDITIONS
    }
    assert len(held) > 20
    for column, (allowed, description) in held.items():
        assert allowed <= set(re.findall(r"`([^`]+)`", description)), column


def test_what_may_be_inferred_of_a_measure_is_published_of_it(project: Project) -> None:
    columns = project.marts()["exposure.measures"]["columns"]
    assert set(words.INFERRED_COLUMNS) < set(columns)


def test_every_lake_table_is_staged_and_one_that_is_staged_by_slice_twice(
    project: Project,
) -> None:
    staged = {model["name"]: model for model in project.models if model["fqn"][1] == "staging"}
    assert set(staged) == {
        *(f"stg_lake__{name}" for name in LAKE_TABLES),
        "stg_lake__reconciled_trade_slices",
        "stg_lake__rows_by_snapshot",
    }
    for name, table in LAKE_TABLES.items():
        documented = {
            column: details["description"]
            for column, details in staged[f"stg_lake__{name}"]["columns"].items()
        }
        assert documented == {column: of.description for column, of in table.columns.items()}
        assert table.description in staged[f"stg_lake__{name}"]["description"], name


def test_every_rule_of_a_lake_table_has_a_unit_test_of_its_staging(project: Project) -> None:
    """A rule is generated with other arguments for each table, so it is tested with each."""
    tested = {test["model"] for test in project.unit_tests}
    # A plain one, by the rule of six others.
    untested = {"stg_lake__assessments"}
    staged = {model["name"] for model in project.models if model["fqn"][1] == "staging"}
    assert staged - tested == untested


def test_every_lake_table_has_a_rule_that_chooses_among_its_snapshots() -> None:
    """A slice is in one snapshot, and which of several snapshots counts is always decided."""
    for table in LAKE_TABLES.values():
        named = {*table.vintage_slice, *table.subject}
        named |= {table.edition, table.evidence, table.known_from, table.period} - {None}
        assert named <= set(table.columns), table.name
        assert table.vintage_slice[0] == "source", table.name
        # A row belongs to one slice: its key identifies it, or the file it was read from does.
        assert set(table.vintage_slice) <= {*table.key, "document", "unit"}, table.name
        # Documents that name the same thing need one that counts for it.
        assert ("document" in table.vintage_slice) == bool(table.subject), table.name
        assert table.known_from in {"vintage_at", "known_at", None}, table.name
        assert (table.known_from == "known_at") == ("known_at" in table.columns), table.name
        assert (table.evidence is None) == ("evidence_class" not in table.columns), table.name
        assert (table.edition is None) == ("edition" not in table.columns), table.name
    assert [table.name for table in LAKE_TABLES.values() if table.asked_by] == [
        "trade_flows", "national_trade",
    ]  # fmt: skip


def test_no_published_view_words_sentences(project: Project) -> None:
    """A BI tool reads it without the function `sentence`: only tables may hold what it gives."""
    views = {
        table
        for table, model in project.marts().items()
        if model["config"]["materialized"] == "view"
    }
    assert views
    assert not [table for table in views if "sentence(" in project.marts()[table]["raw_code"]]


def test_a_model_has_at_most_250_lines_and_15_ctes(project: Project) -> None:
    cte = re.compile(r"^(?:with )?\w+ as (?:(?:not )?materialized )?\($", re.M)
    too_long = {
        model["name"]
        for model in project.models
        if model["language"] == "sql"
        and (_lines(model) > LONGEST_MODEL or len(cte.findall(model["raw_code"])) > 15)
    }
    assert not too_long


def test_a_line_of_yaml_has_at_most_120_columns() -> None:
    """Rows of unit tests that would be longer are CSV, here or in `dbt/tests/fixtures`."""
    too_wide = {
        path.relative_to(DBT_PROJECT).as_posix()
        for path in written_by_hand()
        if path.suffix == ".yml"
        and any(len(line) > 120 for line in path.read_text("utf8").splitlines())
    }
    assert too_wide == set()


class _Unique(yaml.SafeLoader):
    """Reads a mapping only if none of its keys is written twice: the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), node.start_mark
        return super().construct_mapping(node, deep)


def test_no_key_of_yaml_is_written_twice() -> None:
    for path in written_by_hand():
        if path.suffix == ".yml":
            yaml.load(path.read_text("utf8"), _Unique)


def test_every_fixture_is_of_a_unit_test(project: Project) -> None:
    fixtures = {
        part["fixture"] for test in project.unit_tests for part in (*test["given"], test["expect"])
    } - {None}
    assert fixtures == {path.stem for path in DBT_PROJECT.glob("tests/fixtures/**/*.*")}


def test_no_model_chooses_among_vintages_in_words_of_its_own(project: Project) -> None:
    for model in project.models:
        assert not re.search(r"vintage_at\s*<|(vintage_at|snapshot_id) desc", model["raw_code"]), (
            model["name"]
        )


def test_a_constant_of_the_reconciliation_is_known_by_its_name() -> None:
    """An unknown one would be empty text; each has its meaning beside it."""
    text = (DBT_PROJECT / "macros" / "reconciliation.sql").read_text("utf8")
    meanings, _, constants = text.partition("{% macro reconciliation(name)")
    defined = set(re.findall(r"^ +'(\w+)': [\d.e-]+,$", constants, re.M))
    assert len(defined) > 10
    assert defined == set(re.findall(r"`(\w+)`", meanings))
    used = {
        name
        for path in written_by_hand()
        for name in re.findall(r"reconciliation\('(\w+)'\)", path.read_text("utf8"))
    }
    assert used <= defined


def test_revisions_compare_the_series_and_slices_that_the_schemas_declare(
    project: Project,
) -> None:
    """Dagster's assets and staging are made from the schemas; a mart cannot read them."""
    code = project.marts()["trade.revisions"]["raw_code"]
    [block] = re.findall(r"\{% set tables = .*? %\}", code, re.DOTALL)
    compared = Template(block).module.tables  # type: ignore[attr-defined]
    assert set(compared) == {"trade_flows", "reconciled_trade", "price_quotes"}
    for name, given in compared.items():
        table = LAKE_TABLES[name]
        assert tuple(given["slice"]) == table.vintage_slice, name
        assert (given["edition"], given["period"]) == (table.edition, table.period), name
        assert table.known_from == "vintage_at", name
        # A row of the lake is one figure of a series: the breakdowns that are not read apart.
        not_read = set(re.findall(r"(\w+) is null", given["is_read"]))
        of_key = {"source", *given["series"], given["period"], "frequency"} | not_read
        assert set(table.key) <= of_key, name
        measures = {column for column, of in table.columns.items() if of.dtype == pl.Float64}
        assert set(given["measures"]) <= measures & set(words.REVISED_MEASURES), name


def test_the_catalog_counts_the_rows_of_every_table_with_a_period(project: Project) -> None:
    [model] = [m for m in project.models if m["name"] == "stg_lake__rows_by_snapshot"]
    assert {ref["name"] for ref in model["refs"]} == {
        f"stg_lake__{table.name}{'_slices' if table.is_staged_by_slice else ''}"
        for table in LAKE_TABLES.values()
        if table.period and table.name != "coverage"
    }


def test_what_the_gate_does_not_compare_or_compares_without_sources(project: Project) -> None:
    """Its models declare it; an unknown word would be without effect."""
    metas = {name: model["config"]["meta"] for name, model in project.marts().items()}
    assert set().union(*metas.values()) == {
        "lake_rows", "expectations", "compared", "chooses_source", "shows_moves", "domain",
        "names_only",
    }  # fmt: skip
    schemas = {name: name.partition(".")[0] for name in metas}
    assert {name for name, meta in metas.items() if not meta.get("compared", True)} == {
        name for name, schema in schemas.items() if schema == "catalog"
    }
    assert {name for name, meta in metas.items() if meta.get("compared") == "count"} == {
        "exposure.calendar", "exposure.early_warnings", "exposure.notices", "trade.revisions",
        "trade.source_differences",
        # Of the newest year of trade, which moves on.
        "dependency.alternatives", "dependency.risk_ranking", "dependency.scenario_results",
        "exposure.relief_scenarios",
    }  # fmt: skip
    assert {name for name, meta in metas.items() if meta.get("chooses_source")} == {
        *(name for name, schema in schemas.items() if schema in ("dependency", "market")),
        "exposure.importer_exposure",
        "exposure.joint_exposure",
        "exposure.trade_response",
        "exposure.warning_backtest",
    }
    assert [name for name, meta in metas.items() if meta.get("shows_moves")] == [
        "dependency.supplier_shares"
    ]


def test_tables_of_names_have_no_figure_that_a_public_copy_could_give_away(
    project: Project,
) -> None:
    marts = project.marts()
    names_only = {
        name for name, model in marts.items() if model["config"]["meta"].get("names_only")
    }
    assert names_only == {
        "catalog.sources", "reference.commodities", "reference.instruments", "reference.materials",
        "reference.mineral_group_codes", "reference.mineral_groups",
    }  # fmt: skip
    figures = {
        f"{name}.{column}"
        for name in names_only
        for column, described in marts[name]["columns"].items()
        if described["data_type"] == "double"
    }
    assert figures == set()


def test_every_data_test_is_given_a_name_that_is_its_own(project: Project) -> None:
    for path in DBT_PROJECT.glob("models/**/*.yml"):
        for test in _data_tests(yaml.safe_load(path.read_text("utf8"))):
            assert isinstance(test, dict), f"{path.name}: {test} has no name"
            [(kind, settings)] = test.items()
            assert isinstance(settings, dict), f"{path.name}: {kind} has no name"
            assert settings.get("name"), f"{path.name}: {kind} has no name"
    names = Counter(test["name"] for test in project.data_tests + project.unit_tests)
    assert [name for name, times in names.items() if times > 1] == []
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){2,}", name) for name in names)


def test_every_published_table_is_tested_for_its_grain(project: Project) -> None:
    tested = {
        test["attached_node"]
        for test in project.data_tests
        if (test.get("test_metadata") or {}).get("name") == "one_row_per"
    }
    assert {model["unique_id"] for model in project.marts().values()} <= tested


def test_a_test_of_several_models_names_the_one_it_is_shown_with(project: Project) -> None:
    """Dagster shows a dbt test with one asset; with several models that one must be configured."""
    for test in project.data_tests:
        several = len(test["depends_on"]["nodes"]) > 1
        if several and not test.get("attached_node"):
            named = test["config"]["meta"]["dagster"]["ref"]["name"]
            assert named in {ref["name"] for ref in test["refs"]}, test["name"]


def _data_tests(part: object) -> Iterator[object]:
    if isinstance(part, Mapping):
        yield from part.get("data_tests") or ()
        for value in part.values():
            yield from _data_tests(value)
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for value in part:
            yield from _data_tests(value)


# ---- What it reads


def test_the_lake_is_declared_as_its_schemas_say(project: Project) -> None:
    types = {
        pl.String: "varchar", pl.Float64: "double", pl.Boolean: "boolean", pl.Date: "date",
        pl.Int32: "integer", pl.Int64: "bigint",
        pl.Datetime("us"): "timestamp", pl.List(pl.String): "varchar[]",
    }  # fmt: skip
    declared = {
        source["identifier"]: {
            name: (column["data_type"], column["description"])
            for name, column in source["columns"].items()
        }
        for source in project.sources
        if source["schema"] == "lake"
    }
    assert declared == {
        table.name: {
            name: (types[column.dtype], column.description)
            for name, column in table.columns.items()
        }
        for table in LAKE_TABLES.values()
    }


def test_the_project_needs_no_package_no_variable_of_the_environment_and_no_telemetry() -> None:
    text = "".join(
        path.read_text("utf8")
        for path in DBT_PROJECT.rglob("*")
        if path.suffix in {".sql", ".yml"} and path.relative_to(DBT_PROJECT).parts[0] != "target"
    )
    named = re.findall(r"\benv_var\(([^)]*)\)", text)
    assert {name.split(",")[0].strip("'\"") for name in named} == {
        "DBT_AS_OF", "DBT_RECONCILED_SHARES",
    }  # fmt: skip
    assert all("," in name for name in named), "each has a default"
    assert not (DBT_PROJECT / "packages.yml").exists()
    flags = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf8"))["flags"]
    assert flags["send_anonymous_usage_stats"] is False


# ---- What it does


def test_before_anything_has_landed_every_table_is_there_empty_and_every_check_passes(
    project: Project, empty_build: Path, tmp_path: Path
) -> None:
    build_file = copy_of_build(empty_build, tmp_path)
    checks = project.invoke("test", build_file, "--resource-type", "test")
    assert len(checks) == len(project.data_tests)
    assert {name: status for name, status in checks.items() if status != "pass"} == {}
    of_seeds = seeded(project)
    assert {"reference.minerals", "reference.nomenclature_breaks"} <= of_seeds
    with duckdb.connect(str(build_file), read_only=True) as connection:
        for table in project.marts():
            [rows] = connection.execute(f"select count(*) from {table}").fetchone() or [None]
            if table in of_seeds and table.startswith("reference."):
                assert rows > 0, table
            elif not table.startswith("reference."):
                assert rows == 0, table


FLAWED_ROWS = """
insert into lake.corrections (
    source, correction_id, table_name, row_key, action, wrong_value, right_value, reason, citation,
    status, rows_changed, is_provisional, document, vintage_at, snapshot_id
)
select
    source, 'A-1', 'production', 'year=2024', 'replace', '1', '2', 'Known.', 'Page 1', 'applied',
    rows_changed, false, 'a.csv', timestamp '2025-07-01', 's1'
-- One identifier in two registers, and a correction that changed nothing.
from (values ('usgs_mcs', 1), ('baci', 0)) as registers (source, rows_changed);

insert into lake.economies (source, economy_iso3, name, name_ja, is_eu27, document, snapshot_id)
select 'catalogue', code, code, code, false, 'economies.csv', 's1'
from (values ('JPN'), ('CHN'), ('VNM'), ('WLD'), ('_X')) as codes (code);

insert into lake.trade_flows (
    source, reporter_iso3, partner_iso3, flow, commodity_code, is_basket, frequency, period_start,
    value_usd, valuation, is_provisional, vintage_at, snapshot_id
)
select
    'comtrade_baskets', 'JPN', partner, 'import', basket, true, 'A', date '2024-01-01',
    value_usd, 'CIF', false, timestamp '2025-07-01', 's1'
from (values
    -- 110 alone is more than the printed total of 100: the slice is set apart.
    ('rare_earths', 'WLD', 100), ('rare_earths', 'CHN', 110), ('rare_earths', 'VNM', 50),
    -- This partner is in no list, and this one is duplicated.
    ('permanent_magnets', 'WLD', 100), ('permanent_magnets', 'ZZZ', 20),
    ('permanent_magnets', 'CHN', 40), ('permanent_magnets', 'CHN', 40)
) as flows (basket, partner, value_usd);

insert into lake.reconciled_trade (
    source, exporter_iso3, importer_iso3, hs6_code, hs_revision, period_start, value_usd,
    is_provisional, document, vintage_at, snapshot_id
)
select
    'baci', exporter, importer, code, 'HS2022', date '2024-01-01', value_usd, false, 'b.csv',
    timestamp '2026-01-31', 's1'
from (values
    -- This flow is duplicated, with two values, and this one is invalid.
    ('CHN', 'JPN', '850511', 60), ('CHN', 'JPN', '850511', 61), ('VNM', 'JPN', '850511', 0),
    -- No list knows this exporter, this importer and this code.
    ('ZZZ', 'JPN', '811010', 1), ('CHN', 'QQQ', '811010', 1), ('CHN', 'JPN', '999999', 1)
) as flows (exporter, importer, code, value_usd);

insert into lake.restriction_clauses (
    source, measure_id, clause_id, title, implementer_iso3, direction, announced_date,
    date_precision, effective_date, known_at, target_iso3, target_class, reach, evidence_class,
    document, snapshot_id
)
values (
    'catalogue', 'M', 'M-1', 'suspended by an act that is not there', 'CHN', 'restrict',
    date '2025-01-01', 'day', date '2025-01-01', date '2025-01-01', 'ALL', 'all', 'direct',
    'official', 'measures.yaml', 's1'
);

insert into lake.restriction_suspensions (
    source, clause_id, suspended_from, suspended_by, known_at, document, snapshot_id
)
values ('catalogue', 'M-1', date '2025-02-01', 'M-2', date '2025-01-01', 'measures.yaml', 's1');

insert into lake.restriction_scope (
    source, clause_id, hs_code, mineral, control_share_low, control_share_high, basis, document,
    snapshot_id
)
values
('catalogue', 'M-1', '9999', 'unobtainium', 0.8, 0.2, 'heading', 'measures.yaml', 's1');

insert into lake.company_facts (
    source, company, home_iso3, clause_id, minerals, evidence, evidence_class, statement, known_at,
    document, snapshot_id
)
values
-- The home and the mineral are in no list, and the second clause is not in the catalogue.
('catalogue', 'C', 'ZZZ', 'M-1', ['unobtainium'], 'disclosed', 'reported', 'hit',
 date '2025-01-10', 'companies.yaml', 's1'),
('catalogue', 'C', 'JPN', 'M-9', [], 'disclosed', 'reported', 'hit', date '2025-01-10',
 'companies.yaml', 's1');

insert into lake.critical_lists (
    source, list_id, material_as_printed, jurisdiction_iso3, list_name, list_date, date_precision,
    class, status, slug, confidence, source_url, known_at, document, snapshot_id
)
select
    'catalogue', 'L', slug, jurisdiction, 'a list', date '2025-01-10', 'day', 'critical',
    'in force', slug, 'from knowledge', 'https://example.org/', date '2025-01-10', 'lists.yaml',
    's1'
-- No list knows this economy, this word, and the material that the last word leads to.
from (values ('ZZZ', 'gallium'), ('JPN', 'unobtainium'), ('JPN', 'tin')) as listed
    (jurisdiction, slug);

insert into lake.claims (
    source, claim_id, statement, claimed_by, claimed_at, is_low_excluded, test, evidence_ids,
    known_at, document, vintage_at, snapshot_id
)
select
    'catalogue', test, 'a statement', 'someone', date '2025-01-10', false, test,
    -- The second entry is not in the catalogue.
    ['M-1', 'M-9'], date '2025-01-10', 'claims.yaml', timestamp '2026-01-31', 's1'
-- No model decides claims of the last.
from (values ('none'), ('supplier_share'), ('oracle')) as claims (test);

insert into lake.price_quotes (
    source, instrument, price_date, frequency, close, currency, unit, vintage_at, snapshot_id
)
values
('ecb', 'EURXYZ', date '2026-10-28', 'D', 1, 'XYZ', 'XYZ per EUR', timestamp '2026-10-28', 's1'),
('ecb', 'EURXYZ', date '2026-10-29', 'D', 2, 'XYZ', 'XYZ per EUR', timestamp '2026-10-29', 's1'),
('ecb', 'EURXYZ', date '2026-10-30', 'D', -1, 'XYZ', 'XYZ per EUR', timestamp '2026-10-30', 's1'),
-- A second unit: yen and sen, or an index on another base.
('ecb', 'EURXYZ', date '2026-10-27', 'D', 99, 'XYZ', 'XYZ per 100 EUR', timestamp '2026-10-27',
 's1');

insert into lake.material_labels (source, label, material, mineral, mineral_group, snapshot_id)
values
('ec_crm', 'Gallium', 'gallium', 'gallium', null, 's1'),
('ec_crm', 'Indium', 'indium', 'indium', null, 's1'),
-- This mineral and this group are in no list, and this label is duplicated.
('ec_crm', 'Unobtainium', 'unobtainium', 'unobtainium', 'hs_999999', 's1'),
('usgs_mcs', 'Gallium, refinery', 'gallium', 'gallium', null, 's1'),
('usgs_mcs', 'Kaolin', 'kaolin', null, null, 's1'),
('usgs_mcs', 'Kaolin', 'kaolin', null, null, 's1');

insert into lake.production (
    source, label, stage, scope_iso3, economy_iso3, year, edition, amount_t, share, bound, flag,
    vintage_at, snapshot_id
)
select
    source, label, 'processing', 'WLD', economy, year, 2026, amount_t, share, 'exact', 'reported',
    timestamp '2026-01-31', 's1'
from (values
    -- 90 % and 20 % are more than the world, and no list knows this label.
    ('ec_crm', 'Indium', 'CHN', 2023, null, 0.9), ('ec_crm', 'Indium', 'JPN', 2023, null, 0.2),
    ('ec_crm', 'Indivm', 'KOR', 2023, null, 0.1),
    -- No list knows this economy, and one amount is negative.
    ('usgs_mcs', 'Gallium, refinery', 'WLD', 2023, 100, null),
    ('usgs_mcs', 'Gallium, refinery', 'CHN', 2023, 99, null),
    ('usgs_mcs', 'Gallium, refinery', 'YUG', 2023, 2, null),
    ('usgs_mcs', 'Gallium, refinery', 'VNM', 2023, -1, null),
    -- This economy is duplicated.
    ('usgs_mcs', 'Gallium, refinery', 'WLD', 2024, 100, null),
    ('usgs_mcs', 'Gallium, refinery', 'CHN', 2024, 50, null),
    ('usgs_mcs', 'Gallium, refinery', 'CHN', 2024, 50, null),
    -- A total that lost a digit.
    ('usgs_mcs', 'Gallium, refinery', 'WLD', 2025, 10, null),
    ('usgs_mcs', 'Gallium, refinery', 'CHN', 2025, 99, null),
    -- Kilograms, then tons under that name.
    ('usgs_mcs', 'Gallium, refinery', 'RUS', 2021, 12000, null),
    ('usgs_mcs', 'Gallium, refinery', 'RUS', 2022, 12, null)
) as figures (source, label, economy, year, amount_t, share);

insert into lake.end_uses (
    source, label, application, sector, nace2_code, year, use_share, vintage_at, snapshot_id
)
select
    'ec_crm', label, application, application, null, 2023, use_share, timestamp '2023-03-16', 's1'
from (values
    -- A part of the uses was lost.
    ('Gallium', 'Integrated circuits', 0.7),
    ('Unobtainium', 'Everything', 1)
) as uses (label, application, use_share);
"""

TWO_FLOWS_OF_BACI = """
insert into lake.reconciled_trade (
    source, exporter_iso3, importer_iso3, hs6_code, hs_revision, period_start, value_usd,
    net_weight_kg, is_provisional, document, vintage_at, snapshot_id
)
select
    'baci', exporter, 'JPN', '850511', 'HS2022', date '2024-01-01', value_usd, net_weight_kg, false,
    'b.csv', timestamp '2026-01-31', 's1'
from (values ('CHN', 60, 6), ('VNM', 40, 4)) as flows (exporter, value_usd, net_weight_kg);
"""

CHECKS_THAT_FIND_THE_FLAWS = {
    "corrections_has_one_row_per_correction",
    "a_correction_changes_rows_where_it_is_applied",
    "totals_by_value_agree_with_their_parts",
    "reported_flows_has_one_row_per_grain",
    "reported_flows_have_known_partners",
    "baci_flows_has_one_row_per_grain",
    "baci_flows_have_positive_values",
    "baci_flows_have_known_exporters",
    "baci_flows_have_known_importers",
    "baci_flows_are_of_known_codes",
    "flows_are_of_known_codes_and_editions",
    "supplier_shares_has_one_row_per_grain",
    "supplier_shares_have_known_importers",
    "supplier_shares_have_known_suppliers",
    "answers_has_one_row_per_importer_and_line",
    "latest_imports_are_one_per_importer_group_and_measure",
    "suspended_clauses_name_what_suspends_them",
    "company_facts_name_clauses_of_the_catalogue",
    "critical_lists_are_of_known_economies",
    "critical_lists_have_known_words",
    "critical_lists_name_known_materials_and_groups",
    "company_exposure_has_known_homes",
    "company_exposure_names_known_minerals",
    "measure_scope_covers_known_codes",
    "measure_scope_names_known_minerals",
    "claims_name_a_test_that_has_a_model",
    "claims_point_to_entries_of_the_catalogue",
    # The run knows no source at all.
    "coverage_is_of_known_sources",
    "corrections_are_of_known_sources",
    "prices_are_of_known_instruments",
    "quotes_of_an_instrument_are_in_one_unit",
    "performance_is_of_known_instruments",
    "materials_has_one_row_per_source_and_label",
    "materials_are_of_known_minerals",
    "materials_are_of_known_groups",
    "labels_of_the_lake_are_known_materials",
    "end_uses_are_of_known_minerals",
    "end_uses_sum_to_one_within_what_is_published",
    "latest_production_names_an_economy_once",
    "printed_world_totals_equal_their_parts",
    "production_does_not_jump_from_year_to_year",
    "production_is_not_negative",
    "production_shares_has_one_row_per_grain",
    "figures_with_totals_are_one_per_material_stage_year_economy_and_source",
    "production_shares_have_known_economies",
    "production_shares_sum_to_one_within_rounding",
    # The run knows no snapshot either.
    "answers_leads_to_snapshots",
    "baci_flows_leads_to_snapshots",
    "claims_leads_to_snapshots",
    "end_uses_leads_to_snapshots",
    "import_concentration_leads_to_snapshots",
    "importer_exposure_leads_to_snapshots",
    "joint_exposure_leads_to_snapshots",
    "performance_leads_to_snapshots",
    "prices_leads_to_snapshots",
    "production_concentration_leads_to_snapshots",
    "production_shares_leads_to_snapshots",
    "reported_flows_leads_to_snapshots",
    "supplier_shares_leads_to_snapshots",
}


def test_flawed_rows_fail_the_checks_that_guard_them(build: Build, project: Project) -> None:
    every_model = [model["name"] for model in project.models]
    build_file = build(FLAWED_ROWS, *every_model)
    found = project.invoke("test", build_file, "--select", *CHECKS_THAT_FIND_THE_FLAWS)
    assert set(found) == CHECKS_THAT_FIND_THE_FLAWS
    assert {name for name, status in found.items() if status == "pass"} == set()


def test_the_tests_of_claims_are_those_the_catalogue_knows_and_each_has_a_model(
    project: Project,
) -> None:
    [registry] = [
        macro["macro_sql"]
        for macro in project.manifest["macros"].values()
        if macro["name"] == "models_of_claim_tests"
    ]
    models = dict(re.findall(r"'(\w+)': '(int_claims__\w+)'", registry))
    assert {*models, "none"} == set(CLAIM_TESTS)
    [judged] = [one for one in project.models if one["name"] == "int_claims__judge_findings"]
    read = {one["name"] for one in judged["refs"]} - {"stg_lake__claims"}
    assert read == set(models.values())
    measured = {
        one["name"] for one in project.models if one["name"].startswith("int_claims__measure_")
    }
    assert read == measured


FLAWS_OF_SHARES = {
    "supplier_shares_from_baci_equal_its_flows": (
        "update dependency.supplier_shares set amount = amount + 1 where supplier_iso3 = 'VNM'",
        "update dependency.supplier_shares set supplier_iso3 = 'USA' where supplier_iso3 = 'VNM'",
        "update trade.baci_flows set value_usd = 61 where exporter_iso3 = 'CHN'",
        "delete from trade.baci_flows where exporter_iso3 = 'VNM'",
        "delete from trade.baci_flows",
    ),
    "supplier_shares_sum_to_one": (
        "update dependency.supplier_shares set share = share * 1.1 where supplier_iso3 = 'VNM'",
        # Less than a publisher's rounding may be, where there is none.
        "update dependency.supplier_shares set share = share * 0.9999 where supplier_iso3 = 'VNM'",
        "delete from dependency.supplier_shares where supplier_iso3 = 'VNM'",
    ),
}


@pytest.mark.parametrize("check", FLAWS_OF_SHARES)
def test_a_share_that_differs_from_its_flows_is_found(
    check: str, build: Build, project: Project, tmp_path: Path
) -> None:
    build_file = build(TWO_FLOWS_OF_BACI, "supplier_shares", "baci_flows")
    assert project.invoke("test", build_file, "--select", check) == {check: "pass"}
    for flaw in FLAWS_OF_SHARES[check]:
        flawed = copy_of_build(build_file, tmp_path / "flawed")
        with duckdb.connect(str(flawed)) as connection:
            connection.execute(flaw)
        assert project.invoke("test", flawed, "--select", check) == {check: "fail"}, flaw


A_PRICE_OF_TWO_SNAPSHOTS = """
insert into runtime.snapshots by name
select
    snapshot_id, 'ecb' as source, 'rates.csv' as document, 'a' as sha256, 1 as bytes,
    'text/csv' as media_type, timestamp '2026-10-30' as retrieved_at,
    timestamp '2026-10-30' as landed_at
from (values ('ecb-1'), ('ecb-2')) as snapshots (snapshot_id);

insert into lake.price_quotes by name
select
    'ecb' as source, 'D' as frequency, 'EURJPY' as instrument, date '2026-10-30' as price_date,
    175 as close, 'JPY' as currency, 'JPY per EUR' as unit, timestamp '2026-10-30' as vintage_at,
    'ecb-1' as snapshot_id;
"""


def test_a_list_of_snapshots_that_does_not_lead_to_them_is_found(
    build: Build, project: Project
) -> None:
    check = "prices_leads_to_snapshots"
    build_file = build(A_PRICE_OF_TWO_SNAPSHOTS, "prices", "snapshots")
    for found, outcome in (
        (["ecb-1"], "pass"), (["ecb-1", "ecb-2"], "pass"), ([], "fail"), (["ecb-3"], "fail"),
        (["ecb-2", "ecb-1"], "fail"), (["ecb-1", "ecb-1"], "fail"),
    ):  # fmt: skip
        with duckdb.connect(str(build_file)) as connection:
            connection.execute("update market.prices set snapshot_ids = ?", [found])
        assert project.invoke("test", build_file, "--select", check) == {check: outcome}, found


FLOWS_ON_BOTH_SIDES_OF_A_BREAK = """
insert into lake.reconciled_trade by name
select
    'baci' as source, 'CHN' as exporter_iso3, 'JPN' as importer_iso3, hs6_code, hs_revision,
    make_date(year, 1, 1) as period_start, 60 as value_usd, false as is_provisional,
    'b.csv' as document, timestamp '2026-01-31' as vintage_at, 's1' as snapshot_id
from (values
    ('250490', 'HS1992', 2014), ('250490', 'HS2012', 2015), ('250490', 'HS2012', 2016),
    ('250490', 'HS2017', 2024), ('284690', 'HS1992', 2024), ('811230', 'HS1992', 2005),
    ('811230', 'HS2002', 2008),
    ('811230', 'HS1992', 2010), ('811230', 'HS1992', 2011)
) as flows (hs6_code, hs_revision, year);
"""


RECONCILED_IN_ANOTHER_EDITION = """
insert into dependency.import_concentration
select * replace ('reconciled' as source, date '2025-01-01' as period_start)
from dependency.import_concentration where mineral_group = 'hs_284690';
insert into work.intermediate.int_dependency__number_series
select * replace (
    'reconciled' as source, 'HS2017' as hs_revision, date '2025-01-01' as period_start
)
from work.intermediate.int_dependency__number_series where mineral_group = 'hs_284690';
"""


def test_figures_are_compared_on_one_side_of_a_break_and_that_is_checked(
    build: Build, project: Project
) -> None:
    """Other graphite (250490) was reconciled apart in HS 1992 and HS 2017: an edition between is
    comparable with itself only. Germanium (811230) changed within HS 1992 from 2006 to 2009; what
    there is of 2008 in HS 2002 was estimated apart. What Kido reconciles of a code without a break
    (284690) is compared with what CEPII does, whatever its edition.
    """
    check = "figures_are_comparable_on_one_side_of_a_break_only"
    build_file = build(FLOWS_ON_BOTH_SIDES_OF_A_BREAK, "import_concentration")
    with duckdb.connect(str(build_file)) as connection:
        found = connection.execute(
            "select mineral_group, year(period_start), year(comparable_since) "
            "from dependency.import_concentration where mineral_group[:3] = 'hs_' order by all"
        ).fetchall()
    assert found == [
        ("hs_250490", 2014, None), ("hs_250490", 2015, 2015), ("hs_250490", 2016, 2015),
        ("hs_250490", 2024, 2024), ("hs_284690", 2024, None), ("hs_811230", 2005, None),
        ("hs_811230", 2008, 2008), ("hs_811230", 2010, 2010), ("hs_811230", 2011, 2010),
    ]  # fmt: skip
    assert project.invoke("test", build_file, "--select", check) == {check: "pass"}
    with duckdb.connect(str(build_file)) as connection:
        connection.execute(f"attach '{work_file(build_file)}' as work")
        connection.execute(RECONCILED_IN_ANOTHER_EDITION)
    assert project.invoke("test", build_file, "--select", check) == {check: "pass"}
    with duckdb.connect(str(build_file)) as connection:
        connection.execute("update dependency.import_concentration set comparable_since = null")
    assert project.invoke("test", build_file, "--select", check) == {check: "fail"}


@needs_shared
def test_what_remx_has_gained_agrees_with_an_independent_computation(build: Build) -> None:
    """Published: +81.8 % since 2025-06-30, largest fall 41.0 %, volatility 0.497."""
    prices = SHARED / "data/equities/REMX_close.csv"
    build_file = build(
        "insert into lake.price_quotes (source, instrument, price_date, frequency, close, unit, "
        "vintage_at, snapshot_id) select 'equity_indices', 'REMX', date, 'D', close, 'index', "
        f"date, 's1' from read_csv('{prices}')",
        "performance",
    )
    with duckdb.connect(str(build_file), read_only=True) as connection:
        found = {
            window: figures
            for window, *figures in connection.execute(
                'select "window", window_start, return_share, max_drawdown_share, '
                "annualised_volatility, sessions from market.performance"
            ).fetchall()
        }

    closes = pd.read_csv(prices, index_col="date", parse_dates=True)["close"]
    first_days = {
        "since_2025_06_30": "2025-06-30", "ytd": "2025-12-31", "1y": "2025-08-05",
        "3y": "2023-08-04", "all": "2019-01-02",
    }  # fmt: skip
    assert set(found) == set(first_days)
    for window, first_day in first_days.items():
        since = closes[first_day:]
        returns = since.map(math.log).diff().dropna()
        assert found[window] == [
            date.fromisoformat(first_day),
            pytest.approx(since.iloc[-1] / since.iloc[0] - 1),
            pytest.approx((since / since.cummax() - 1).min()),
            pytest.approx(returns.std() * math.sqrt(252)),
            len(returns),
        ]
    assert found["since_2025_06_30"][1:4] == pytest.approx([0.818, -0.410, 0.497], abs=5e-4)


FLOWS_OF_A_PERIOD = """
insert into lake.trade_flows (
    source, reporter_iso3, partner_iso3, flow, commodity_code, is_basket, hs_revision, frequency,
    period_start, value_usd, net_weight_kg, valuation, is_provisional, vintage_at, snapshot_id
)
select
    source, 'JPN', partner, 'import', code, code = 'rare_earths',
    if(code = 'rare_earths', null, 'HS2022'), frequency, period, value_usd, value_usd / 10, 'CIF',
    false, timestamp '2025-12-01', source
from (values
    ('comtrade', 'M', date '2025-06-01', '280530', 'WLD', 100.0),
    ('comtrade', 'M', date '2025-06-01', '280530', 'CHN', 60.0),
    ('comtrade', 'M', date '2025-06-01', '280530', 'VNM', 40.0),
    ('comtrade', 'M', date '2025-06-01', '284610', 'WLD', 100.0),
    ('comtrade', 'M', date '2025-06-01', '284610', 'CHN', 100.0),
    ('comtrade', 'M', date '2025-06-01', '284690', 'WLD', 200.0),
    ('comtrade', 'M', date '2025-06-01', '284690', 'CHN', 80.0),
    ('comtrade', 'M', date '2025-06-01', '284690', 'FRA', 120.0),
    -- Of July one code is not there yet.
    ('comtrade', 'M', date '2025-07-01', '280530', 'WLD', 10.0),
    ('comtrade', 'M', date '2025-07-01', '280530', 'CHN', 10.0),
    ('comtrade', 'M', date '2025-07-01', '284690', 'WLD', 20.0),
    ('comtrade', 'M', date '2025-07-01', '284690', 'CHN', 20.0),
    ('comtrade_baskets', 'M', date '2025-06-01', 'rare_earths', 'WLD', 1000.0),
    ('comtrade_baskets', 'M', date '2025-06-01', 'rare_earths', 'CHN', 1000.0),
    ('comtrade_baskets', 'M', date '2025-07-01', 'rare_earths', 'WLD', 50.0),
    ('comtrade_baskets', 'M', date '2025-07-01', 'rare_earths', 'CHN', 50.0),
    -- A code by the importer's own customs and by Comtrade, and the basket of all three.
    ('japan_customs', 'A', date '2024-01-01', '280530', 'CHN', 7.0),
    ('comtrade', 'A', date '2024-01-01', '280530', 'CHN', 6.0),
    ('comtrade_baskets', 'A', date '2024-01-01', 'rare_earths', 'CHN', 5.0)
) as flows (source, frequency, period, code, partner, value_usd);

insert into lake.reconciled_trade (
    source, exporter_iso3, importer_iso3, hs6_code, hs_revision, period_start, value_usd,
    is_provisional, document, vintage_at, snapshot_id
)
select
    'baci', 'CHN', 'JPN', code, 'HS2022', date '2024-01-01', 1.0, false, 'b.csv',
    timestamp '2025-12-01', 'baci'
from (values ('280530'), ('284610'), ('284690'), ('850511')) as codes (code);
"""


def test_what_an_importer_declares_goes_before_estimates_and_codes_before_baskets_in_months_too(
    build: Build,
) -> None:
    """June by code: China 60 + 100 + 80 of 400, France 120, Viet Nam 40."""
    build_file = build(FLOWS_OF_A_PERIOD, "supplier_shares", "import_concentration")
    with duckdb.connect(str(build_file), read_only=True) as connection:
        shares = connection.execute(
            "select mineral_group, frequency, period_start, source, supplier_iso3, amount, share, "
            "supplier_rank from dependency.supplier_shares where measure = 'value_usd' "
            "order by mineral_group, frequency, period_start, supplier_rank"
        ).fetchall()
        [concentration] = connection.execute(
            "select source, total_amount, hhi, top_supplier_iso3 "
            "from dependency.import_concentration where mineral_group = 'rare_earths' "
            "and period_start = date '2025-06-01' and measure = 'value_usd'"
        ).fetchall()
    june, july, year = date(2025, 6, 1), date(2025, 7, 1), date(2024, 1, 1)
    assert [row for row in shares if row[0] == "rare_earths"] == [
        ("rare_earths", "A", year, "comtrade_baskets", "CHN", 5.0, 1.0, 1),
        ("rare_earths", "M", june, "comtrade", "CHN", 240.0, 0.6, 1),
        ("rare_earths", "M", june, "comtrade", "FRA", 120.0, 0.3, 2),
        ("rare_earths", "M", june, "comtrade", "VNM", 40.0, 0.1, 3),
        ("rare_earths", "M", july, "comtrade_baskets", "CHN", 50.0, 1.0, 1),
    ]
    assert concentration[:2] + concentration[3:] == ("comtrade", 400.0, "CHN")
    assert concentration[2] == pytest.approx(0.6**2 + 0.3**2 + 0.1**2)
    by_code = {(group, start): source for group, _, start, source, *_ in shares}
    assert by_code["hs_280530", year] == "japan_customs"
    assert by_code["hs_280530", june] == "comtrade"
    assert by_code["hs_284610", year] == "baci"


# ---- Lists edited by hand


def test_publishers_of_trade_stand_in_the_order_of_the_contract() -> None:
    ranks = {
        row["source"]: int(row["rank"])
        for row in _seed("seed_source_precedence")
        if row["purpose"] == "trade"
    }
    customs = {"japan_customs", "estat", "comext", "us_census", "hmrc", "comexstat"}
    behind = sorted(ranks.keys() - customs, key=lambda source: ranks[source])
    assert behind == ["comtrade", "comtrade_baskets", "reconciled", "baci", "baci_top_flows"]
    assert max(ranks[source] for source in customs) < ranks["comtrade"]


def _seed(name: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_named_groups_hold_the_codes_the_contract_gives_them() -> None:
    named: dict[str, set[str]] = {}
    for row in _seed("seed_mineral_group_codes"):
        named.setdefault(row["mineral_group"], set()).add(row["hs6_code"])
    single = {group: codes for group, codes in named.items() if group.startswith("hs_")}
    assert {group: named[group] for group in named if group not in single} == {
        "rare_earths": {"280530", "284610", "284690"},
        "permanent_magnets": {"850511"},
        "natural_graphite": {"250410", "250490"},
        "artificial_graphite": {"380110"},
    }
    assert single == {
        f"hs_{row['hs6_code']}": {row["hs6_code"]} for row in _seed("seed_commodities")
    }
    # What customs publish only as a national line, or the press reports, has no code of its own.
    reported = {"rare_earth_magnets", "rare_earths_all_forms", "gallium", "germanium"}
    assert set(named) | reported == {row["mineral_group"] for row in _seed("seed_mineral_groups")}
    assert not set(named) & reported


def test_rare_earths_are_split_as_the_european_commission_does() -> None:
    families: dict[str, set[str]] = {}
    for row in _seed("seed_minerals"):
        if row["is_rare_earth"] == "true":
            families.setdefault(row["family"], set()).add(row["symbol"])
    assert families == {
        "light_rare_earth": {"La", "Ce", "Pr", "Nd", "Sm"},
        "heavy_rare_earth": {"Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Y"},
        "other": {"Sc"},
    }


@needs_reference
def test_codes_in_scope_are_in_the_nomenclature_and_cover_trade_and_restrictions() -> None:
    text = {"infer_schema_length": 0}
    nomenclature = set(
        pl.read_csv(SHARED / "data/classifications/harmonized-system.csv", **text)["hscode"]
    )
    traded = set(pl.read_csv(SHARED / "data/baci/baci_2024.csv", **text)["cmd"])
    scope = pl.read_csv(SHARED / "reference/restriction_scope.csv", **text)
    restricted = {
        code
        for entry in {*scope["hs_code"], "2611", "2613", "8101", "8102"}
        for code in nomenclature
        if len(code) == 6 and code.startswith(entry)
    }
    codes = {row["hs6_code"] for row in _seed("seed_commodities") if row["hs_revision"] == "HS2022"}
    assert codes <= nomenclature
    assert traded | restricted <= codes
    minerals = {row["mineral"] for row in _seed("seed_minerals")}
    assert set(scope["mineral"]) - {"all_rare_earths"} <= minerals


@needs_reference
def test_a_code_that_a_restriction_names_for_a_mineral_may_hold_it() -> None:
    scope = pl.read_csv(SHARED / "reference/restriction_scope.csv", infer_schema_length=0)
    named = {
        (code, mineral)
        for code, mineral in scope.select("hs_code", "mineral").iter_rows()
        if len(code) == 6 and mineral != "all_rare_earths"
    }
    held = {(row["hs6_code"], row["mineral"]) for row in _seed("seed_commodity_minerals")}
    assert named <= held


NAMES_IN_TEXTS = {
    "aluminium": "alumin",
    "baryte": "barium sulphate|barytes",
    "boron": "bor",
    "phosphate_rock": "phosphates",
    "silicon": "silic",
    "superhard_materials": "diamond",
    "tungsten": "tungst",
}
"""How texts of the Harmonized System name a mineral, where it is not by its own name."""


def test_no_text_of_a_code_is_cited_for_a_mineral_that_it_does_not_name() -> None:
    texts = {
        row["code"]: row["description"].lower()
        for row in csv.DictReader(
            (BUNDLED / "nomenclature" / "hs_2022.csv").read_text("utf8").splitlines()
        )
    }
    rare_earths = {
        row["mineral"] for row in _seed("seed_minerals") if row["is_rare_earth"] == "true"
    }
    cited = [
        row
        for row in _seed("seed_commodity_minerals")
        if row["source"].startswith("HS 2022, text of the code")
    ]
    unnamed = [
        (row["hs6_code"], row["mineral"])
        for row in cited
        if not re.search(
            r"rare.earth|earth-metals, rare"
            if row["source"].endswith("(rare-earth metals)") and row["mineral"] in rare_earths
            else NAMES_IN_TEXTS.get(row["mineral"], row["mineral"]),
            texts[row["hs6_code"]],
        )
    ]
    assert unnamed == []
    assert len(cited) > 90


def test_no_announcement_is_cited_for_a_mineral_that_it_does_not_name() -> None:
    """Of 18/2025: samarium, gadolinium, terbium, dysprosium, lutetium, scandium and yttrium."""
    measures = yaml.safe_load((BUNDLED / "catalogue" / "measures.yaml").read_text("utf8"))
    named: dict[str, set[str]] = {}
    for measure in measures["measures"]:
        for clause in measure["clauses"]:
            for scope in clause.get("scope") or ():
                named.setdefault(measure["measure"], set()).update(scope["minerals"])
    cited = [
        (row["mineral"], *number.groups())
        for row in _seed("seed_commodity_minerals")
        if (number := re.match(r"MOFCOM and GAC Announcement (\d+)/(\d{4})", row["source"]))
    ]
    assert [
        (mineral, number, year)
        for mineral, number, year in cited
        if mineral not in named[f"CN-{year}-{number}"]
    ] == []
    assert len(cited) > 35
    of_april = {mineral for mineral, number, year in cited if (number, year) == ("18", "2025")}
    assert of_april == {
        "samarium", "gadolinium", "terbium", "dysprosium", "lutetium", "scandium", "yttrium",
    }  # fmt: skip


def test_no_use_is_cited_for_a_mineral_that_the_study_does_not_name_for_it() -> None:
    with (BUNDLED / "ec_crm" / "end_uses.csv").open(encoding="utf8") as file:
        uses = {(use["label"].lower(), use["application"].lower()) for use in csv.DictReader(file)}
    cited = [
        (row["mineral"], use[1])
        for row in _seed("seed_commodity_minerals")
        if (use := re.match(r"EC 2023 study, annex, shares of uses \((\w+)\)", row["source"]))
    ]
    assert cited
    assert set(cited) <= uses
