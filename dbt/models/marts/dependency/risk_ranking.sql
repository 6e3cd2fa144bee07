with supply_risk as (

    select * from {{ ref('supply_risk') }}
    where method = 'ec_2017' and starts_with(assessment, 'kido ')

),

import_concentration as (

    select * from {{ ref('import_concentration') }}
    where frequency = 'A'

),

production as (

    select distinct
        assessed_year,
        material,
        stage,
        production_hhi,
        top_producer_iso3
    from {{ ref('int_dependency__choose_production') }}

),

scores as (

    select * from {{ ref('int_dependency__score_governance') }}

),

codes_of_groups as (

    select * from {{ ref('int_dependency__list_restricted_codes') }}

),

joint_exposure as (

    select * from {{ ref('joint_exposure') }}
    where {{ as_of_day() }} >= valid_from and (valid_to is null or {{ as_of_day() }} < valid_to)

),

unknown_clauses as (

    select clause_id
    from {{ ref('measure_status') }}
    where
        status = 'unknown'
        and {{ as_of_day() }} >= valid_from
        and (valid_to is null or {{ as_of_day() }} < valid_to)

),

importer_exposure as (

    select * from {{ ref('importer_exposure') }}

),

-- Of a material the stage with the larger risk, of the newest year. The consumer's own sourcing
-- goes before the world's supply alone.
chosen as (

    select * from supply_risk
    qualify
        row_number() over (
            partition by consumer_iso3, material
            order by
                supply_used = 'global_and_consumer' desc,
                year desc,
                coalesce(supply_risk, supply_risk_low) desc nulls last,
                supply_risk desc nulls last,
                stage asc
        ) = 1

),

imports as (

    select *
    from import_concentration
    qualify
        measure = min(measure) over (partition by importer_iso3, mineral_group, period_start)

),

restricted as (

    select
        joint_exposure.importer_iso3,
        codes_of_groups.mineral_group,
        wholes.period_start,
        {{ sum_in_order('joint_exposure.exposed_share_low * parts.total_amount') }}
        / any_value(wholes.total_amount) as share_low,
        -- All of a code may be restricted whose exposure is not known.
        case
            when count(*) = count(parts.total_amount)
                then
                    {{ sum_in_order(
                        'coalesce(joint_exposure.exposed_share_high, 1) * parts.total_amount'
                    ) }} / any_value(wholes.total_amount)
        end as share_high,
        list_sort(list_distinct(flatten(list(joint_exposure.clause_ids)))) as clause_ids,
        {{ union_of_snapshots('joint_exposure.snapshot_ids') }} as snapshot_ids
    from joint_exposure
    inner join codes_of_groups on joint_exposure.commodity_code = codes_of_groups.hs6_code
    left join import_concentration as wholes
        on
            joint_exposure.importer_iso3 = wholes.importer_iso3
            and codes_of_groups.mineral_group = wholes.mineral_group
            and wholes.measure = 'value_usd'
    left join import_concentration as parts
        on
            not codes_of_groups.is_part
            and joint_exposure.importer_iso3 = parts.importer_iso3
            and 'hs_' || joint_exposure.commodity_code = parts.mineral_group
            and wholes.period_start = parts.period_start
            and parts.measure = 'value_usd'
    group by joint_exposure.importer_iso3, codes_of_groups.mineral_group, wholes.period_start

),

-- Of the largest origin, hubs included, what comes through its largest hub.
through_hubs as (

    select
        importer_iso3,
        mineral_group,
        year,
        coalesce(hub_share, 0) as hub_share
    from {{ ref('indirect_dependence') }}
    where depth = 1 and reason is null
    qualify
        row_number() over (
            partition by importer_iso3, mineral_group, year
            order by total_share_high desc, origin_iso3 asc
        ) = 1

),

in_doubt as (

    select
        importer_exposure.importer_iso3,
        codes_of_groups.mineral_group,
        list(distinct importer_exposure.clause_id order by importer_exposure.clause_id)
            as clause_ids
    from importer_exposure
    inner join codes_of_groups on importer_exposure.commodity_code = codes_of_groups.hs6_code
    semi join unknown_clauses on importer_exposure.clause_id = unknown_clauses.clause_id
    group by importer_exposure.importer_iso3, codes_of_groups.mineral_group

)

select
    chosen.consumer_iso3 as importer_iso3,
    chosen.material,
    chosen.stage,
    chosen.mineral_group,
    chosen.year,
    imports.hhi as import_hhi,
    imports.top_supplier_iso3,
    imports.top_supplier_share,
    scores.governance_score,
    production.production_hhi,
    production.top_producer_iso3,
    case
        when imports.importer_iso3 is null then null
        when restricted.importer_iso3 is null then 0
        else coalesce(restricted.share_low, 0)
    end as restricted_share_low,
    case
        when imports.importer_iso3 is null then null
        when restricted.importer_iso3 is null then 0
        else {{ capped_at_one('restricted.share_high') }}
    end as restricted_share_high,
    case when chosen.mineral_group is not null then coalesce(restricted.clause_ids, []) end
        as clauses_in_force,
    case when chosen.mineral_group is not null then coalesce(in_doubt.clause_ids, []) end
        as clauses_unknown,
    chosen.restricted_world_share,
    chosen.restricting_producers,
    chosen.supply_risk,
    chosen.supply_risk_low,
    chosen.supply_risk_high,
    chosen.supply_used,
    chosen.economic_importance,
    chosen.is_critical,
    through_hubs.hub_share,
    case
        when chosen.supply_used = 'global' then coalesce(chosen.group_reason, 'no_imports_known')
        when chosen.supply_risk is not null then null
        when chosen.import_reliance is null then 'reliance_not_known'
        else 'recycling_not_known'
    end as reason,
    {{ snapshots_together(
        ['chosen.snapshot_ids', 'imports.snapshot_ids', 'restricted.snapshot_ids']
    ) }} as snapshot_ids
from chosen
left join imports
    on
        chosen.consumer_iso3 = imports.importer_iso3
        and chosen.mineral_group = imports.mineral_group
        and make_date(chosen.year, 1, 1) = imports.period_start
left join production
    on
        chosen.material = production.material
        and chosen.stage = production.stage
        and chosen.year = production.assessed_year
left join restricted
    on
        chosen.consumer_iso3 = restricted.importer_iso3
        and chosen.mineral_group = restricted.mineral_group
        and make_date(chosen.year, 1, 1) = restricted.period_start
left join through_hubs
    on
        chosen.consumer_iso3 = through_hubs.importer_iso3
        and chosen.mineral_group = through_hubs.mineral_group
        and chosen.year = through_hubs.year
left join in_doubt
    on
        chosen.consumer_iso3 = in_doubt.importer_iso3
        and chosen.mineral_group = in_doubt.mineral_group
-- Of the nearest year that is not later.
asof left join scores
    on
        imports.top_supplier_iso3 = scores.economy_iso3
        and chosen.year >= scores.year
