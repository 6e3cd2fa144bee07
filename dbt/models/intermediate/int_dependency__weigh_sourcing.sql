{# Small, and read by all that is assessed. #}
{{ config(materialized='table') }}

with supplier_shares as (

    select * from {{ ref('supplier_shares') }}
    where
        frequency = 'A'
        and extract(year from period_start) >= {{ first_year_of_assessments() }}

),

groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}
    where mineral_group is not null

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

sides as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where
        economy_iso3 = 'EU27'
        and partner_iso3 <> 'EU27'
        and flow = 'import'
        and year >= {{ first_year_of_assessments() }}

),

editions as (

    select * from {{ ref('int_dependency__choose_group_editions') }}

),

reliance as (

    select * from {{ ref('import_reliance') }}

),

economies as (

    select * from {{ ref('economies') }}

),

scores as (

    select * from {{ ref('int_dependency__score_governance') }}

),

unions as (

    select * from {{ ref('int_dependency__list_customs_unions') }}

),

restricted as (

    select * from {{ ref('int_dependency__list_restricted_supplies') }}

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
    union all
    select
        'EU27' as consumer_iso3,
        group_codes.mineral_group,
        sides.year,
        sides.partner_iso3 as supplier_iso3,
        'value_usd' as measure,
        sum(sides.value_usd)
        / sum(sum(sides.value_usd)) over (partition by group_codes.mineral_group, sides.year)
            as share,
        any_value(sides.source) as source,
        {{ union_of_snapshots('sides.snapshot_ids') }} as snapshot_ids
    from sides
    inner join group_codes on sides.hs6_code = group_codes.hs6_code
    inner join editions
        on
            group_codes.mineral_group = editions.mineral_group
            and sides.year = editions.year
            and sides.source = editions.source
            and sides.hs_revision = editions.hs_revision
    group by group_codes.mineral_group, sides.year, sides.partner_iso3

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

),

weighted as (

    select
        with_own.* exclude (snapshot_ids),
        groups.material,
        groups.stage,
        scores.governance_score,
        with_own.share * with_own.share as square,
        {{ trade_parameter(
            'with_own.consumer_iso3', 'with_own.supplier_iso3',
            'consumer_unions.customs_union', 'supplier_unions.customs_union',
            'restricted.material is not null'
        ) }} as trade_parameter,
        {{ snapshots_together(['with_own.snapshot_ids', 'scores.snapshot_ids']) }} as snapshot_ids
    from with_own
    inner join groups on with_own.mineral_group = groups.mineral_group
    left join unions as consumer_unions
        on with_own.consumer_iso3 = consumer_unions.economy_iso3
    left join unions as supplier_unions
        on with_own.supplier_iso3 = supplier_unions.economy_iso3
    left join restricted
        on
            with_own.year = restricted.year
            and groups.material = restricted.material
            and with_own.supplier_iso3 = restricted.supplier_iso3
            and with_own.consumer_iso3 = restricted.consumer_iso3
    -- Of the nearest year that is not later.
    asof left join scores
        on
            with_own.supplier_iso3 = scores.economy_iso3
            and with_own.year >= scores.year

)

-- Who has no score, and who is not published, may be the worst or count for nothing.
select
    consumer_iso3,
    material,
    stage,
    year,
    any_value(mineral_group) as mineral_group,
    any_value(measure) as sourcing_measure,
    any_value(source) as sourcing_source,
    {{ sum_in_order('square * governance_score * trade_parameter') }} as hhi_consumer_sourcing,
    {{ sum_in_order(
        'square * coalesce(governance_score, ' ~ worst_governance() ~ ') * trade_parameter'
    ) }} as hhi_consumer_sourcing_high,
    coalesce(sum(share) filter (where trade_parameter > 1), 0) as restricted_share,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from weighted
group by consumer_iso3, material, stage, year
