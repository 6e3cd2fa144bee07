with production as (

    select * from {{ ref('int_dependency__choose_production') }}

),

sourcing as (

    select * from {{ ref('int_dependency__weigh_sourcing') }}

),

unions as (

    select * from {{ ref('int_dependency__list_customs_unions') }}

),

restricted as (

    select * from {{ ref('int_dependency__list_restricted_supplies') }}

),

newest_years_of_consumers as (

    select distinct
        consumer_iso3,
        year
    from sourcing
    qualify rank() over (partition by consumer_iso3 order by year desc) = 1

),

-- Who sources a material; of a consumer's newest year, what it may source nobody knows how.
consumers as (

    select
        consumer_iso3,
        material,
        stage,
        year
    from sourcing
    union distinct
    select
        newest_years_of_consumers.consumer_iso3,
        production.material,
        production.stage,
        production.assessed_year as year
    from newest_years_of_consumers
    inner join production on newest_years_of_consumers.year = production.assessed_year

),

weighted as (

    select
        consumers.consumer_iso3,
        consumers.year,
        production.*,
        consumers.consumer_iso3 = production.economy_iso3
        or (
            consumers.consumer_iso3 = 'EU27'
            and coalesce(supplier_unions.customs_union = consumer_unions.customs_union, false)
        ) as is_own,
        production.share * production.share * production.governance_score as square,
        {{ trade_parameter(
            'consumers.consumer_iso3', 'production.economy_iso3',
            'consumer_unions.customs_union', 'supplier_unions.customs_union',
            'restricted.material is not null'
        ) }} as trade_parameter
    from consumers
    inner join production
        on
            consumers.material = production.material
            and consumers.stage = production.stage
            and consumers.year = production.assessed_year
    left join unions as consumer_unions
        on consumers.consumer_iso3 = consumer_unions.economy_iso3
    left join unions as supplier_unions
        on production.economy_iso3 = supplier_unions.economy_iso3
    left join restricted
        on
            consumers.year = restricted.year
            and consumers.material = restricted.material
            and production.economy_iso3 = restricted.supplier_iso3
            and consumers.consumer_iso3 = restricted.consumer_iso3

)

-- Who has no score, and the rest, may be the worst or count for nothing.
select
    consumer_iso3,
    material,
    stage,
    year,
    any_value(source) as production_source,
    any_value(reference_period) as production_period,
    {{ sum_in_order('square * trade_parameter') }} as hhi_global_supply,
    {{ sum_in_order('share_low * share_low * governance_score * trade_parameter') }}
        as hhi_global_supply_low,
    least(
        {{ sum_in_order(
            'share_high * share_high * coalesce(governance_score, ' ~ worst_governance()
            ~ ') * trade_parameter'
        ) }},
        {{ worst_governance() }} * max(trade_parameter)
    ) as hhi_global_supply_high,
    coalesce({{ sum_in_order('case when not is_own then square end') }}, 0)
    / {{ worst_governance() }} as disruption_potential,
    coalesce({{ sum_in_order('case when trade_parameter > 1 then share end') }}, 0)
        as restricted_world_share,
    list_filter(
        list(
            case when trade_parameter > 1 then economy_iso3 end
            order by share desc, economy_iso3 asc
        ), lambda producer: producer is not null
    ) as restricting_producers,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from weighted
group by consumer_iso3, material, stage, year
