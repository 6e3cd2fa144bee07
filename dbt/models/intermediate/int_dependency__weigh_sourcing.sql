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

insiders as (

    select * from {{ ref('int_dependency__list_insiders') }}

),

unions as (

    select * from {{ ref('int_dependency__list_customs_unions') }}

),

restricted as (

    select * from {{ ref('int_dependency__list_restricted_supplies') }}

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

-- Who has no score, and who is not published, may be the worst or count for nothing: of little of
-- the sourcing that widens the bounds, of more nothing is known but these.
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
        coalesce(sum(share) filter (where governance_score is null), 0)
        <= {{ most_without_a_score() }} as is_mostly_scored,
        coalesce(sum(share) filter (where trade_parameter > 1), 0) as restricted_share,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from weighted
    group by consumer_iso3, mineral_group, material, stage, year

),

-- Of the Union's members the worst governed may produce all, or many of them next to nothing each.
own_scores as (

    select
        insiders.importer_iso3 as consumer_iso3,
        scores.year,
        case when insiders.importer_iso3 <> 'EU27' then max(scores.governance_score) else 0 end
            as least_score,
        max(scores.governance_score) as largest_score
    from scores
    inner join insiders on scores.economy_iso3 = insiders.insider_iso3
    group by insiders.importer_iso3, scores.year

),

-- Where production is not known, the own part is any between its bounds.
with_own_weight as (

    select
        sums.*,
        reliance.production_t is not null as has_production,
        coalesce(reliance.own_share_low, 0) as own_low,
        coalesce(reliance.own_share_high, 1) as own_high,
        {{ own_trade_parameter() }} * coalesce(own_scores.least_score, 0) as own_weight,
        {{ own_trade_parameter() }}
        * coalesce(own_scores.largest_score, {{ worst_governance() }}) as own_weight_high
    from sums
    left join reliance
        on
            sums.consumer_iso3 = reliance.economy_iso3
            and sums.mineral_group = reliance.mineral_group
            and sums.year = reliance.year
    -- Of the nearest year that is not later.
    asof left join own_scores
        on
            sums.consumer_iso3 = own_scores.consumer_iso3
            and sums.year >= own_scores.year

)

select
    consumer_iso3,
    material,
    stage,
    year,
    mineral_group,
    sourcing_measure,
    sourcing_source,
    case when has_production and is_mostly_scored then hhi end as hhi_consumer_sourcing,
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
