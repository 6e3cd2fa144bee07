"""The least that BACI's three tables cost: one hand-written DuckDB script from CEPII's archive.

    python benchmarks/floor.py BACI_HS22_V202601.zip floor.duckdb

Makes tables with the columns and by the rules of `trade.baci_flows`, `dependency.supplier_shares`
and `dependency.import_concentration`, of BACI's figures only and of every code in the archive, in a
file that the same readers open. No checks, no vintages, no other source.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

CHECKOUT = Path(__file__).resolve().parents[1]
ECONOMIES = CHECKOUT / "dagster_project" / "bundled" / "catalogue" / "economies.csv"
GROUPS = CHECKOUT / "dbt" / "seeds" / "seed_mineral_group_codes.csv"

FORMAT = {
    "storage_compatibility_version": "v1.0.0",
    "disabled_compression_methods": "fsst",
}
"""The published file's: drivers since DuckDB 1.0 open it. Today's own format is written in a sixth
less CPU time, and none of them opens it."""

SCRIPT = """
create table economies as
select
    country_code,
    case country_iso3 when 'S19' then 'TWN' else country_iso3 end as economy_iso3
from read_csv('{folder}/country_codes_*.csv');

create schema trade;
create table trade.baci_flows as
select
    exporters.economy_iso3 as exporter_iso3,
    importers.economy_iso3 as importer_iso3,
    k as hs6_code,
    'HS20' || regexp_extract(filename, 'BACI_HS([0-9]+)_Y', 1) as hs_revision,
    t as year,
    round(v * 1000, 3) as value_usd,
    round(q * 1000, 3) as net_weight_kg,
    timestamp '2026-01-31' as vintage_at,
    'floor' as snapshot_id,
    ['floor'] as snapshot_ids
from
    read_csv(
        '{folder}/BACI_HS*.csv',
        header = true,
        filename = true,
        nullstr = 'NA',
        columns = {{
            't': 'integer', 'i': 'integer', 'j': 'integer',
            'k': 'varchar', 'v': 'double', 'q': 'double'
        }}
    ) as flows
inner join economies as exporters on flows.i = exporters.country_code
inner join economies as importers on flows.j = importers.country_code
where i <> j;

create table groups as
with codes as (
    select mineral_group, hs6_code
    from read_csv('{groups}', all_varchar = true)
    union  -- a code stands in the list once per edition of the HS
    select 'hs_' || hs6_code, hs6_code
    from (select distinct hs6_code from trade.baci_flows)
)
select mineral_group, hs6_code, count(*) over (partition by mineral_group) as codes
from codes;

create schema dependency;
create temp table totals as
with by_code as (
    select
        importer_iso3,
        year,
        hs6_code,
        sum(value_usd) as value_usd,
        sum(net_weight_kg) as net_weight_kg,
        sum(value_usd) filter (net_weight_kg is not null) as weighed_usd,
        count(*) - count(net_weight_kg) as without_weight
    from trade.baci_flows
    where importer_iso3 <> '_X'
    group by all
),
-- An importer without a code of a group has none of it in a year that has the code.
covered as (
    select mineral_group, year
    from groups inner join (select distinct hs6_code, year from trade.baci_flows) using (hs6_code)
    group by mineral_group, year
    having count(*) = any_value(codes)
),
by_group as (
    select
        importer_iso3,
        mineral_group,
        year,
        sum(value_usd) as value_usd,
        sum(net_weight_kg) as net_weight_kg,
        case
            when sum(without_weight) = 0 then 1
            else coalesce(sum(weighed_usd), 0) / sum(value_usd)
        end as weight_coverage_share
    from by_code inner join groups using (hs6_code) inner join covered using (mineral_group, year)
    group by importer_iso3, mineral_group, year
),
by_measure as (
    select
        importer_iso3, mineral_group, year, 'value_usd' as measure, value_usd as total_amount,
        null as weight_coverage_share
    from by_group
    union all
    -- Flows without a weight are left out where they are at most 5 % of the value.
    select
        importer_iso3, mineral_group, year, 'net_weight_kg', net_weight_kg, weight_coverage_share
    from by_group
    where weight_coverage_share >= 0.95
)
select row_number() over () as number, *
from by_measure
where total_amount > 0;

create temp table supplies as
with flows as (
    select
        exporter_iso3, importer_iso3, hs6_code, year, 'value_usd' as measure, value_usd as amount
    from trade.baci_flows
    union all
    select exporter_iso3, importer_iso3, hs6_code, year, 'net_weight_kg', net_weight_kg
    from trade.baci_flows
    where net_weight_kg is not null
),
amounts as (
    -- Of a group of one code every flow is a supply; of several codes they are summed.
    select totals.number, flows.exporter_iso3 as supplier_iso3, flows.amount
    from flows
    inner join groups on flows.hs6_code = groups.hs6_code and groups.codes = 1
    inner join totals using (importer_iso3, mineral_group, year, measure)
    union all
    select totals.number, flows.exporter_iso3, sum(flows.amount)
    from flows
    inner join groups on flows.hs6_code = groups.hs6_code and groups.codes > 1
    inner join totals using (importer_iso3, mineral_group, year, measure)
    group by all
)
select
    *,
    row_number() over (partition by number order by amount desc, supplier_iso3) as supplier_rank
from amounts;

create table dependency.supplier_shares as
select
    importer_iso3,
    mineral_group,
    'A' as frequency,
    make_date(year, 1, 1) as period_start,
    measure,
    supplier_iso3,
    amount,
    amount / total_amount as share,
    cast(supplier_rank as integer) as supplier_rank,
    'baci' as source,
    'FOB' as valuation,
    false as is_provisional,
    cast(weight_coverage_share as double) as weight_coverage_share,
    cast(null as date) as comparable_since,
    ['floor'] as snapshot_ids
from supplies inner join totals using (number);

create table dependency.import_concentration as
with by_total as (
    select
        number,
        sum(amount * amount) as squares,
        sum(amount) filter (where supplier_rank <= 3) as top_three_amount,
        max(amount) filter (where supplier_rank = 1) as top_amount,
        max(supplier_iso3) filter (where supplier_rank = 1) as top_supplier_iso3,
        count(*) filter (where amount > 0) as suppliers
    from supplies
    group by number
),
sums as (
    select
        totals.*,
        squares / (total_amount * total_amount) as hhi,
        top_three_amount / total_amount as top_three_share,
        top_amount / total_amount as top_share,
        top_supplier_iso3,
        suppliers
    from by_total inner join totals using (number)
)
select
    importer_iso3,
    mineral_group,
    'A' as frequency,
    make_date(year, 1, 1) as period_start,
    measure,
    total_amount,
    hhi,
    hhi as hhi_low,
    hhi as hhi_high,
    case
        when suppliers > 1 then greatest((hhi * suppliers - 1) / (suppliers - 1), 0)
    end as hhi_normalised,
    top_share as cr1_share,
    top_three_share as cr3_share,
    1 / hhi as effective_suppliers,
    top_supplier_iso3,
    top_share as top_supplier_share,
    1.0::double as partner_coverage_share,
    'baci' as source,
    false as is_provisional,
    cast(weight_coverage_share as double) as weight_coverage_share,
    cast(null as date) as comparable_since,
    ['floor'] as snapshot_ids
from sums;
"""


def build(archive: Path, target: Path) -> None:
    """Unzip and run the script into a new DuckDB file."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        with zipfile.ZipFile(archive) as members:
            members.extractall(folder)
        with duckdb.connect(str(target), config=FORMAT) as connection:
            connection.execute("set preserve_insertion_order = false")
            connection.execute(SCRIPT.format(folder=folder, groups=GROUPS))


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
