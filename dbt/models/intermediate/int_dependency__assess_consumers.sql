{# Read by both ways of computing a risk. #}
{{ config(materialized='table') }}

with world as (

    select * from {{ ref('int_dependency__weigh_world') }}

),

sourcing as (

    select * from {{ ref('int_dependency__weigh_sourcing') }}

),

groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}

),

reliance as (

    select * from {{ ref('import_reliance') }}

),

assessments as (

    select * from {{ ref('int_dependency__list_assessments') }}

),

end_uses as (

    select * from {{ ref('stg_lake__end_uses') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}
    where left_out is null

),

-- The newest study that prints them.
recycling as (

    select * from assessments
    where eol_recycling_rate is not null or substitution_index is not null
    qualify row_number() over (partition by material order by year desc, stage asc) = 1

),

importance as (

    select * from assessments
    where economic_importance is not null
    qualify row_number() over (partition by material order by year desc, stage asc) = 1

),

largest_sector as (

    select max(sector_value_added_eur_m) as value_added from end_uses

),

vulnerability as (

    select
        labels.material,
        {{ economic_importance_before_substitution(
            'end_uses.use_share', 'end_uses.sector_value_added_eur_m',
            'any_value(largest_sector.value_added)'
        ) }} as importance_unsubstituted,
        {{ snapshots_of('end_uses.snapshot_id') }} as snapshot_ids
    from end_uses
    inner join labels on end_uses.source = labels.source and end_uses.label = labels.label
    cross join largest_sector
    where end_uses.sector_value_added_eur_m is not null
    group by labels.material, end_uses.year
    qualify row_number() over (partition by labels.material order by end_uses.year desc) = 1

)

select
    world.consumer_iso3,
    world.material,
    world.stage,
    world.year,
    groups.mineral_group,
    groups.reason as group_reason,
    world.production_source,
    world.production_period,
    sourcing.sourcing_source,
    sourcing.sourcing_measure,
    world.hhi_global_supply,
    world.hhi_global_supply_low,
    world.hhi_global_supply_high,
    sourcing.hhi_consumer_sourcing,
    sourcing.hhi_consumer_sourcing_low,
    sourcing.hhi_consumer_sourcing_high,
    case when sourcing.material is null then 'global' else 'global_and_consumer' end
        as supply_used,
    reliance.import_reliance_ec as import_reliance,
    reliance.import_reliance_low,
    reliance.import_reliance_high,
    reliance.import_reliance_ec_raw as import_reliance_raw,
    recycling.eol_recycling_rate,
    recycling.substitution_index,
    recycling.assessment as recycling_assessment,
    importance.economic_importance,
    importance.assessment as importance_assessment,
    vulnerability.importance_unsubstituted,
    world.disruption_potential,
    reliance.net_import_reliance_usgs as trade_exposure,
    vulnerability.importance_unsubstituted / 10 as economic_vulnerability,
    world.restricted_world_share,
    world.restricting_producers,
    sourcing.restricted_share as restricted_sourcing_share,
    {{ snapshots_together([
        'world.snapshot_ids', 'sourcing.snapshot_ids', 'reliance.snapshot_ids',
        'recycling.snapshot_ids', 'importance.snapshot_ids', 'vulnerability.snapshot_ids'
    ]) }} as snapshot_ids
from world
left join sourcing
    on
        world.consumer_iso3 = sourcing.consumer_iso3
        and world.material = sourcing.material
        and world.stage = sourcing.stage
        and world.year = sourcing.year
left join groups on world.material = groups.material and world.stage = groups.stage
left join reliance
    on
        world.consumer_iso3 = reliance.economy_iso3
        and groups.mineral_group = reliance.mineral_group
        and world.year = reliance.year
left join recycling on world.material = recycling.material
left join importance on world.material = importance.material
left join vulnerability on world.material = vulnerability.material
