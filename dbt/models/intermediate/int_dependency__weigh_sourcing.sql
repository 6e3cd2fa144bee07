{# Small, and read by all that is assessed. #}
{{ config(materialized='table') }}

with shares as (

    select * from {{ ref('int_dependency__list_sourcing_shares') }}

),

groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}
    where mineral_group is not null

),

reliance as (

    select * from {{ ref('import_reliance') }}

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

-- Where production is not known, the own part is any between these.
own_bounds as (

    select
        reliance.economy_iso3 as consumer_iso3,
        reliance.mineral_group,
        reliance.year,
        reliance.production_t is not null as has_production,
        coalesce(
            reliance.production_low_t / nullif(reliance.production_low_t + reliance.imports_t, 0), 0
        ) as own_low,
        coalesce(
            reliance.production_high_t / nullif(reliance.production_high_t + reliance.imports_t, 0),
            1
        ) as own_high
    from reliance

),

weighted as (

    select
        shares.* exclude (snapshot_ids),
        groups.material,
        groups.stage,
        scores.governance_score,
        shares.share * shares.share as square,
        {{ trade_parameter(
            'shares.consumer_iso3', 'shares.supplier_iso3',
            'consumer_unions.customs_union', 'supplier_unions.customs_union',
            'restricted.material is not null'
        ) }} as trade_parameter,
        {{ snapshots_together(['shares.snapshot_ids', 'scores.snapshot_ids']) }} as snapshot_ids
    from shares
    inner join groups on shares.mineral_group = groups.mineral_group
    left join unions as consumer_unions
        on shares.consumer_iso3 = consumer_unions.economy_iso3
    left join unions as supplier_unions
        on shares.supplier_iso3 = supplier_unions.economy_iso3
    left join restricted
        on
            shares.year = restricted.year
            and groups.material = restricted.material
            and shares.supplier_iso3 = restricted.supplier_iso3
            and shares.consumer_iso3 = restricted.consumer_iso3
    -- Of the nearest year that is not later.
    asof left join scores
        on
            shares.supplier_iso3 = scores.economy_iso3
            and shares.year >= scores.year

),

-- Who has no score, and who is not published, may be the worst or count for nothing.
sums as (

    select
        consumer_iso3,
        mineral_group,
        material,
        stage,
        year,
        any_value(measure) as sourcing_measure,
        any_value(source) as sourcing_source,
        coalesce({{ sum_in_order('square * governance_score * trade_parameter') }}, 0) as hhi,
        {{ sum_in_order(
            'square * coalesce(governance_score, ' ~ worst_governance() ~ ') * trade_parameter'
        ) }} as hhi_high,
        coalesce(sum(share) filter (where trade_parameter > 1), 0) as restricted_share,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from weighted
    group by consumer_iso3, mineral_group, material, stage, year

),

-- The concentration of the own part alone: of the Union's members none or the worst.
with_own_weight as (

    select
        sums.*,
        coalesce(own_bounds.has_production, false) as has_production,
        coalesce(own_bounds.own_low, 0) as own_low,
        coalesce(own_bounds.own_high, 1) as own_high,
        {{ own_trade_parameter() }} * coalesce(scores.governance_score, 0) as own_weight,
        {{ own_trade_parameter() }} * coalesce(scores.governance_score, {{ worst_governance() }})
            as own_weight_high
    from sums
    left join own_bounds
        on
            sums.consumer_iso3 = own_bounds.consumer_iso3
            and sums.mineral_group = own_bounds.mineral_group
            and sums.year = own_bounds.year
    -- Of the nearest year that is not later.
    asof left join scores
        on
            sums.consumer_iso3 = scores.economy_iso3
            and sums.year >= scores.year

)

select
    consumer_iso3,
    material,
    stage,
    year,
    mineral_group,
    sourcing_measure,
    sourcing_source,
    case when has_production then hhi end as hhi_consumer_sourcing,
    case
        when has_production then hhi
        else {{ least_with_own_part('hhi', 'own_weight', 'own_low', 'own_high') }}
    end as hhi_consumer_sourcing_low,
    case
        when has_production then hhi_high
        else greatest(
            {{ with_own_part('hhi_high', 'own_weight_high', 'own_low') }},
            {{ with_own_part('hhi_high', 'own_weight_high', 'own_high') }}
        )
    end as hhi_consumer_sourcing_high,
    restricted_share,
    snapshot_ids
from with_own_weight
