with materials as (

    select distinct mineral_group
    from {{ ref('seed_trade_groups_of_materials') }}

),

supplier_shares as (

    select supplier_shares.*
    from {{ ref('supplier_shares') }} as supplier_shares
    semi join materials on supplier_shares.mineral_group = materials.mineral_group
    where
        supplier_shares.frequency = 'A'
        and extract(year from supplier_shares.period_start) >= {{ first_year_of_assessments() }}

),

reliance as (

    select * from {{ ref('import_reliance') }}

),

economies as (

    select * from {{ ref('economies') }}

),

-- By weight where it is known, else by value.
by_supplier as (

    select
        importer_iso3 as consumer_iso3,
        mineral_group,
        cast(extract(year from period_start) as integer) as year,
        supplier_iso3,
        measure,
        share,
        source,
        snapshot_ids
    from supplier_shares
    qualify
        measure = min(measure) over (partition by importer_iso3, mineral_group, period_start)

),

-- What a consumer produces is a part of its supply, where both are known in one mass; what the
-- European Union produces is its members'.
own_parts as (

    select
        consumers.economy_iso3 as consumer_iso3,
        consumers.mineral_group,
        consumers.year,
        producers.economy_iso3 as supplier_iso3,
        producers.production_t / (consumers.production_t + consumers.imports_t) as own_share,
        producers.snapshot_ids
    from reliance as consumers
    inner join reliance as producers
        on
            consumers.mineral_group = producers.mineral_group
            and consumers.year = producers.year
            and consumers.mass_basis = producers.mass_basis
    left join economies on producers.economy_iso3 = economies.economy_iso3
    where
        consumers.production_t > 0
        and producers.production_t > 0
        and case
            when consumers.economy_iso3 = 'EU27' then economies.is_eu27
            else consumers.economy_iso3 = producers.economy_iso3
        end

),

with_own as (

    select
        by_supplier.* exclude (share),
        any_value(by_supplier.share) * (1 - coalesce(sum(own_parts.own_share), 0)) as share
    from by_supplier
    left join own_parts
        on
            by_supplier.consumer_iso3 = own_parts.consumer_iso3
            and by_supplier.mineral_group = own_parts.mineral_group
            and by_supplier.year = own_parts.year
    group by all
    union all by name
    select distinct
        own_parts.consumer_iso3,
        own_parts.mineral_group,
        own_parts.year,
        own_parts.supplier_iso3,
        by_supplier.measure,
        by_supplier.source,
        own_parts.own_share as share,
        own_parts.snapshot_ids
    from by_supplier
    inner join own_parts
        on
            by_supplier.consumer_iso3 = own_parts.consumer_iso3
            and by_supplier.mineral_group = own_parts.mineral_group
            and by_supplier.year = own_parts.year

)

select
    consumer_iso3,
    mineral_group,
    year,
    supplier_iso3,
    measure,
    source,
    share,
    snapshot_ids
from with_own
