"""Exports of a published file as Parquet: whole, and without what may not be passed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import ConfigurationError, KidoError
from dagster_project.lake.landing import sha256_of_file
from dagster_project.serving import export
from dagster_project.serving.dictionary import Column, Table
from dagster_project.serving.export import ExportedTable, export_parquet

FILE = """
create schema catalog; create schema market; create schema reference;
create table catalog.releases as select '20261129T120000' as release_id, date '2026-11-29' as as_of,
  timestamp '2026-11-29 12:00:00' as published_at, '3.4' as contract_version,
  'market.prices lost CANARY' as accepted_losses;
create table catalog.sources as select * from (values
  ('ecb', 'Rates', 'European Central Bank', 'free with attribution', true, 'https://ecb.example'),
  ('mine', 'My prices', 'An agency', 'for me alone', false, 'https://agency.example'),
  ('idle', 'Others', 'Another', 'for nobody', false, 'https://idle.example')
  ) as rows(source, title, publisher, licence, is_redistributable, url);
create table catalog.snapshots as select * from (values ('e1', 'ecb', 'rates.csv'),
  ('m1', 'mine', 'CANARY.csv')) as rows(snapshot_id, source, document);
create table catalog.columns as select * from (values ('market', 'prices', 'close', 'USD per kg',
  'Price of the day.')) as rows(schema_name, table_name, column_name, unit, description);
create table catalog.checks as select * from (values ('a', 'passed', '9 rows'),
  ('b', 'failed', '1 of 9 rows, first CANARY')) as rows(check_name, status, observed);
create table catalog.quarantine as select * from (values ('m1', 'mine', 'CANARY'),
  ('e1', 'ecb', '-1.0')) as rows(snapshot_id, source, value);
create table market.prices as select * from (values
  ('USDJPY', 150::double, 'ecb', ['e1']), ('DY_OX', 4711.0, 'mine', ['m1']),
  ('DY_OX_YEN', 4712.0, 'ecb', ['e1', 'm1']), ('BOTH', 4713.0, 'ecb, mine', ['e1']),
  ('NO_FIGURE', null, null, []::varchar[])) as rows(instrument, close, source, snapshot_ids);
create table market.untold as select 'CANARY' as text;
create table market.of_seeds as select 'a seed' as text;
create table reference.names as select * from (values ('DY_OX', null), ('USDJPY', 'ecb'),
  ('X', 'mine')) as rows(instrument, source);
create table reference.labels as select instrument as label, source from reference.names;
create view market.prices_named as from market.prices;
create view market.latest as select instrument, source from market.prices;
create table catalog.lineage as select * from (values
  ('market', 'prices', 'lake', 'ecb_price_quotes', 'ecb'),
  ('market', 'prices', 'lake', 'mine_price_quotes', 'mine'),
  ('market', 'prices', 'lake', 'idle_price_quotes', 'idle'),
  ('market', 'untold', 'market', 'prices', null), ('market', 'of_seeds', 'seeds', 'seed_a', null),
  ('market', 'latest', 'market', 'prices', null),
  ('reference', 'names', 'market', 'prices', null),
  ('reference', 'labels', 'market', 'prices', null)
  ) as rows(schema_name, table_name, input_schema, input_table, source);
create table catalog.tables as select schema_name, table_name, is_view from (
  select schema_name, table_name, false as is_view from duckdb_tables()
  union all select schema_name, view_name, true from duckdb_views() where not internal);
"""

TABLES = [
    Table("catalog", name, "", "", [Column(column, "varchar", "", None, False, quotes)], False)
    for name, column, quotes in (
        ("checks", "observed", "status <> 'passed'"), ("releases", "accepted_losses", "true"),
    )
]  # fmt: skip
METAS = {name: {"names_only": True} for name in ("reference.names", "catalog.sources")}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "kido.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(FILE)
    return file


def exported(published: Path, folder: Path, *, is_public: bool = True) -> dict[str, ExportedTable]:
    tables = export_parquet(published, folder, TABLES, METAS, is_public=is_public)
    return {table.table: table for table in tables}


def rows_in(folder: Path, table: str) -> list[tuple[Any, ...]]:
    file = folder / f"{table.replace('.', '/')}.parquet"
    return duckdb.execute(f"from '{file}' order by all").fetchall()


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf8"))
    return manifest


def test_the_owners_export_has_every_row_and_a_manifest(published: Path, tmp_path: Path) -> None:
    tables = exported(published, tmp_path / "out", is_public=False)
    assert len(rows_in(tmp_path / "out", "market.prices")) == 5
    assert rows_in(tmp_path / "out", "market.untold") == [("CANARY",)]
    assert not any(table.rows_left_out or table.texts_left_out for table in tables.values())
    manifest = manifest_of(tmp_path / "out")
    assert (manifest["release"], manifest["as_of"], manifest["contract_version"]) == (
        "20261129T120000", "2026-11-29", "3.4",
    )  # fmt: skip
    assert [row["source"] for row in manifest["sources"]] == ["ecb", "mine"]
    for entry in manifest["tables"]:
        assert sha256_of_file(tmp_path / "out" / entry["file"]) == entry["sha256"]
    (prices,) = [each for each in manifest["tables"] if each["table"] == "market.prices"]
    assert prices["rows"] == 5
    assert prices["columns"][1] == {
        "name": "close", "type": "DOUBLE", "unit": "USD per kg", "description": "Price of the day.",
    }  # fmt: skip
    assert "market.prices_named" not in tables


def test_a_public_export_leaves_out_rows_that_are_in_part_of_a_private_source(
    published: Path, tmp_path: Path
) -> None:
    tables = exported(published, tmp_path / "out")
    names = [row[0] for row in rows_in(tmp_path / "out", "market.prices")]
    assert names == ["NO_FIGURE", "USDJPY"]
    assert tables["market.prices"].rows_left_out == 3
    assert rows_in(tmp_path / "out", "catalog.snapshots") == [("e1", "ecb", "rates.csv")]
    assert rows_in(tmp_path / "out", "catalog.quarantine") == [("e1", "ecb", "-1.0")]
    assert [row[0] for row in rows_in(tmp_path / "out", "catalog.sources")] == ["ecb"]


def test_a_table_whose_rows_do_not_tell_is_left_out_by_its_lineage(
    published: Path, tmp_path: Path
) -> None:
    tables = exported(published, tmp_path / "out")
    assert (tables["market.untold"].file, tables["market.untold"].rows_left_out) == ("", 1)
    assert "mine" in tables["market.untold"].why
    assert not (tmp_path / "out" / "market" / "untold.parquet").exists()
    assert rows_in(tmp_path / "out", "market.of_seeds") == [("a seed",)]
    # A name of ours is of no source, where the table says that it has names only.
    assert tables["reference.labels"].file == tables["market.latest"].file == ""
    assert [row[0] for row in rows_in(tmp_path / "out", "reference.names")] == ["DY_OX", "USDJPY"]


def test_rows_of_a_source_that_is_no_longer_known_are_left_out(
    published: Path, tmp_path: Path
) -> None:
    """Nothing says that they may be passed on."""
    with duckdb.connect(str(published)) as connection:
        connection.execute(
            "delete from catalog.sources where source = 'mine';"
            "insert into catalog.quarantine values ('g1', 'gone', 'CANARY')"
        )
    exported(published, tmp_path / "out")
    assert [row[0] for row in rows_in(tmp_path / "out", "market.prices")] == [
        "NO_FIGURE", "USDJPY",
    ]  # fmt: skip
    assert rows_in(tmp_path / "out", "catalog.quarantine") == [("e1", "ecb", "-1.0")]
    assert [row["source"] for row in manifest_of(tmp_path / "out")["sources"]] == ["ecb"]


def test_texts_that_may_quote_a_private_figure_are_left_out(
    published: Path, tmp_path: Path
) -> None:
    tables = exported(published, tmp_path / "out")
    checks = rows_in(tmp_path / "out", "catalog.checks")
    assert checks == [("a", "passed", "9 rows"), ("b", "failed", None)]
    assert tables["catalog.checks"].texts_left_out == 1
    assert rows_in(tmp_path / "out", "catalog.releases")[0][-1] is None
    left_out = manifest_of(tmp_path / "out")["left_out"]
    assert "market.prices: 3 of 5 rows left out" in left_out["tables"]
    assert [row["source"] for row in left_out["sources"]] == ["mine"]
    written = [table for table in tables.values() if table.file]
    everything = [str(rows_in(tmp_path / "out", table.table)) for table in written]
    everything.append((tmp_path / "out" / "manifest.json").read_text("utf8"))
    assert not any("CANARY" in text for text in everything)


def test_without_rows_of_a_private_source_nothing_is_left_out(
    published: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute("delete from catalog.snapshots where source = 'mine'")
    tables = exported(published, tmp_path / "out")
    assert tables["market.untold"].rows == 1
    assert tables["catalog.checks"].texts_left_out == 0


def test_an_export_replaces_an_earlier_one_and_nothing_else(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out"
    exported(published, out, is_public=False)
    exported(published, out)
    assert not (out / "market" / "untold.parquet").exists()
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"]
    (out / "mine.txt").write_text("a file of a person")
    with pytest.raises(ConfigurationError, match="other files"):
        exported(published, out)
    assert (out / "mine.txt").read_text() == "a file of a person"


@pytest.mark.parametrize("place", ["a file", "a file/below it", "full of others"])
def test_a_folder_that_cannot_be_used_is_refused_in_a_sentence(
    published: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "a file").write_text("text")
    (tmp_path / "full of others").mkdir()
    (tmp_path / "full of others" / "manifest.json").write_text('{"tables": []}')
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError) as refused:
        exported(published, tmp_path / place)
    assert "\n" not in refused.value.message
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_where_the_earlier_export_would_be_put_is_kept(
    published: Path, tmp_path: Path
) -> None:
    precious = tmp_path / ".out.before" / "precious"
    precious.parent.mkdir()
    precious.write_text("keep")
    with pytest.raises(ConfigurationError, match="has other files than those of an export"):
        exported(published, tmp_path / "out")
    assert precious.read_text() == "keep"


@pytest.mark.parametrize("step", [3, -1, 0])
def test_an_export_that_breaks_off_leaves_the_earlier_one(
    published: Path, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a table, before the manifest, and between the two renames of the folders."""
    out = tmp_path / "out"
    exported(published, out)
    release = manifest_of(out)["exported_at"]
    with monkeypatch.context() as patched:
        if step == 0:
            rename = Path.rename

            def killed(self: Path, to: Path) -> Path:
                if ".new-" in self.name:
                    raise KeyboardInterrupt
                return rename(self, to)

            patched.setattr(Path, "rename", killed)
        elif step == -1:
            patched.setattr(export, "_write_manifest", interrupted)
        else:
            patched.setattr(export, "sha256_of_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            exported(published, out)
    assert manifest_of(out)["exported_at"] == release
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["out"]


def interrupted(*given: Any, **named: Any) -> Any:
    raise KeyboardInterrupt


def test_an_export_killed_between_the_renames_comes_back(published: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(published, out)
    out.rename(tmp_path / ".out.before")
    exported(published, out)
    assert manifest_of(out)["is_public"]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["out"]


def test_a_file_without_lineage_has_no_public_export(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute("drop table catalog.lineage")
    with pytest.raises(KidoError, match="does not say what its tables are made from"):
        exported(published, tmp_path / "out")
    assert not (tmp_path / "out").exists()
