"""A small published file made by hand, with a catalog like those of a build."""

from __future__ import annotations

from pathlib import Path

import duckdb

SHARE = 0.7132793500780414
AMOUNT = 15981526.0
ROWS = 100

_STATEMENTS = f"""
create schema catalog;
create schema dependency;
create schema reference;
create table reference.economies (economy_iso3 varchar, name varchar, name_ja varchar);
comment on table reference.economies is 'One row per economy. With the names of each.';
insert into reference.economies values ('JPN', 'Japan', '日本'), ('FJI', 'Fiji', null);
create table dependency.supplier_shares (
    importer_iso3 varchar, hs6_code varchar, period_start date, year integer, amount double,
    share double, is_provisional boolean, supplier_rank integer, snapshot_ids varchar[],
    note varchar
);
comment on table dependency.supplier_shares is
    'One row per importer, HS6 code and year. The share of each supplier; nothing is renormalised.';
insert into dependency.supplier_shares
select
    'JPN', '250410', date '2024-01-01', 2024, {AMOUNT!r}, {SHARE!r}, false, i + 1,
    ['baci-20261127T115953143363-21ccd258'],
    case i % 4 when 0 then null when 1 then '' when 2 then 'a "quoted", text | 日本' else
    'two' || chr(10) || 'lines' end
from range({ROWS}) as numbers (i);
create view dependency.supplier_shares_named as
    select shares.*, economies.name as importer_name from dependency.supplier_shares as shares
    left join reference.economies as economies on shares.importer_iso3 = economies.economy_iso3;
comment on view dependency.supplier_shares_named is 'One row per importer, HS6 code and year.';
create table catalog.columns as
    select 'dependency' as schema_name, 'supplier_shares' as table_name,
        unnest(['importer_iso3', 'amount']) as column_name,
        unnest(['varchar', 'double']) as data_type,
        unnest(['ISO 3166-1 alpha-3', 'USD']) as unit,
        unnest(['Importer.', 'Imports from the supplier.']) as description;
create table catalog.snapshots as
    select 'baci-20261127T115953143363-21ccd258' as snapshot_id, 'baci' as source;
create table catalog.sources as
    select 'baci' as source, 'Reconciled trade' as title, 'CEPII' as publisher,
        'Etalab Open Licence 2.0' as licence;
"""

_TABLES = """
create table catalog.tables (
    schema_name varchar, table_name varchar, is_view boolean, grain varchar, description varchar,
    rows bigint, latest_period date
);
insert into catalog.tables values
    ('dependency', 'supplier_shares', false, 'importer, HS6 code and year', 'The share.', 100,
     '2024-01-01'),
    ('dependency', 'supplier_shares_named', true, 'importer, HS6 code and year', 'Names.', 100,
     '2024-01-01'),
    ('reference', 'economies', false, 'economy', 'Names of each.', 2, null);
"""


def publish(home: Path, *, has_list_of_tables: bool = True) -> Path:
    """The file of a home; without `catalog.tables` it is as an earlier version published it."""
    file = home / "kido.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(_STATEMENTS)
        if has_list_of_tables:
            connection.execute(_TABLES)
    return file
