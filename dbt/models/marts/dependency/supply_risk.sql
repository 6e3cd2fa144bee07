{# The studies print the risk of a family without a stage. #}
{% set stage_of_family -%}
    case when starts_with(computed.assessment, 'EC ') then 'not_stated' else computed.stage end
{%- endset %}

with computed as (

    select * from {{ ref('int_dependency__compute_supply_risk') }}

),

consumers as (

    select * from {{ ref('int_dependency__assess_consumers') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

published as (

    select * from {{ ref('int_dependency__list_assessments') }}

),

families as (

    select
        mineral,
        family || 's' as material,
        count(*) over (partition by family) as members
    from minerals
    where family in ('light_rare_earth', 'heavy_rare_earth')

),

-- The risk of a family is the mean of its members'.
means as (

    select
        computed.assessment,
        computed.method,
        computed.consumer_iso3,
        families.material,
        computed.year,
        {{ stage_of_family }} as stage,
        starts_with(computed.assessment, 'EC ') as is_of_study,
        {% for column in [
            'hhi_global_supply', 'hhi_consumer_sourcing', 'import_reliance',
            'import_reliance_raw', 'eol_recycling_rate', 'substitution_index', 'supply_risk',
            'supply_risk_low', 'supply_risk_high', 'supply_risk_global_only',
            'supply_risk_sourcing_only',
        ] -%}
            case
                when count(*) = count(computed.{{ column }}) then avg(computed.{{ column }})
            end as {{ column }},
        {% endfor -%}
        max(computed.supply_used) as supply_used,
        any_value(computed.mineral_group) as mineral_group,
        any_value(computed.group_reason) as group_reason,
        any_value(computed.production_source) as production_source,
        any_value(computed.production_period) as production_period,
        any_value(computed.restricted_world_share) as restricted_world_share,
        any_value(computed.restricting_producers) as restricting_producers,
        any_value(computed.restricted_sourcing_share) as restricted_sourcing_share,
        any_value(computed.recycling_assessment) as recycling_assessment,
        any_value(computed.sourcing_source) as sourcing_source,
        any_value(computed.sourcing_measure) as sourcing_measure,
        {{ union_of('list(distinct computed.missing_factors)') }} as missing_factors,
        {{ union_of_snapshots('computed.snapshot_ids') }} as snapshot_ids
    from computed
    inner join families on computed.material = families.mineral
    where coalesce(computed.supply_risk, computed.supply_risk_low) is not null
    group by
        computed.assessment,
        computed.method,
        computed.consumer_iso3,
        families.material,
        computed.year,
        {{ stage_of_family }}
    having count(*) = any_value(families.members)

),

-- As the newest study prints it.
importance_of_families as (

    select * from published
    where stage = 'not_stated'
    qualify row_number() over (partition by material order by year desc) = 1

),

-- A family has its own importance, of a study that of the study, and its published risk where there
-- is one.
of_families as (

    select
        means.* exclude (snapshot_ids, missing_factors),
        case
            when means.is_of_study then published.economic_importance
            else importance_of_families.economic_importance
        end as family_importance,
        case when not means.is_of_study then importance_of_families.assessment end
            as importance_assessment,
        published.published_supply_risk,
        case
            when family_importance is null then means.missing_factors
            else {{ without('means.missing_factors', 'economic_importance') }}
        end as missing_factors,
        {{ snapshots_together([
            'means.snapshot_ids', 'published.snapshot_ids',
            'case when not means.is_of_study then importance_of_families.snapshot_ids end',
        ]) }} as snapshot_ids
    from means
    left join importance_of_families on means.material = importance_of_families.material
    left join published
        on
            means.assessment = published.assessment
            and means.material = published.material
            and means.stage = published.stage

),

ec as (

    select computed.* from computed
    anti join of_families
        on
            computed.assessment = of_families.assessment
            and computed.consumer_iso3 = of_families.consumer_iso3
            and computed.material = of_families.material
            and computed.stage = of_families.stage
    union all by name
    select
        * exclude (is_of_study, family_importance),
        family_importance as economic_importance
    from of_families

),

geometric as (

    select
        * exclude (supply_used, hhi_global_supply, hhi_consumer_sourcing, snapshot_ids),
        'kido ' || year as assessment,
        'geometric_mean' as method,
        {{ clamped('disruption_potential') }} as disruption_potential_share,
        {{ supply_risk_geometric(
            'disruption_potential_share', 'trade_exposure', 'economic_vulnerability'
        ) }} as supply_risk,
        {{ missing_factors(
            ['disruption_potential', 'trade_exposure', 'economic_vulnerability']
        ) }} as missing_factors,
        snapshot_ids
    from consumers
    where supply_used = 'global_and_consumer'

),

risks as (

    select * from ec
    union all by name
    select * exclude (import_reliance, import_reliance_raw, eol_recycling_rate, substitution_index)
    from geometric

)

select
    assessment,
    method,
    consumer_iso3,
    material,
    stage,
    year,
    mineral_group,
    group_reason,
    production_source,
    production_period,
    restricted_world_share,
    restricting_producers,
    sourcing_source,
    sourcing_measure,
    restricted_sourcing_share,
    hhi_global_supply,
    hhi_consumer_sourcing,
    import_reliance,
    import_reliance_raw,
    eol_recycling_rate,
    substitution_index,
    recycling_assessment,
    supply_used,
    economic_importance,
    importance_assessment,
    importance_unsubstituted,
    disruption_potential,
    trade_exposure,
    economic_vulnerability,
    supply_risk,
    supply_risk_low,
    supply_risk_high,
    supply_risk_global_only,
    supply_risk_sourcing_only,
    published_supply_risk,
    case
        when method = 'ec_2017'
            then {{ is_critical(
                "case when starts_with(assessment, 'EC ') then published_supply_risk else supply_risk_low end",
                "case when starts_with(assessment, 'EC ') then published_supply_risk else supply_risk_high end",
                'economic_importance'
            ) }}
    end as is_critical,
    missing_factors,
    snapshot_ids
from risks
