with published as (

    select * from {{ ref('int_dependency__list_assessments') }}

),

consumers as (

    select * from {{ ref('int_dependency__assess_consumers') }}

),

-- Inputs are printed with one decimal, rates in whole per cent.
factors as (

    select
        * exclude (published_supply_risk),
        'EU27' as consumer_iso3,
        published_supply_risk,
        {{ half_unit_around('hhi_global_supply', 0.05) }},
        {{ half_unit_around('hhi_consumer_sourcing', 0.05) }},
        {{ half_unit_around('import_reliance', 0.005, 'import_reliance_raw') }},
        {{ half_unit_around('eol_recycling_rate', 0.005) }},
        {{ half_unit_around('substitution_index', 0.05) }}
    from published
    union all by name
    select
        *,
        'kido ' || year as assessment,
        'ec_2017' as method,
        {{ half_unit_around('eol_recycling_rate', 0.005) }},
        {{ half_unit_around('substitution_index', 0.05) }}
    from consumers

)

-- Where the reliance is not known, it may be any.
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
    published_supply_risk,
    snapshot_ids,
    {{ supply_risk_ec(
        'hhi_global_supply', 'hhi_consumer_sourcing', 'import_reliance',
        'eol_recycling_rate', 'substitution_index', 'supply_used'
    ) }} as supply_risk,
    {{ supply_risk_ec_bound(
        'low', 'hhi_global_supply_low', 'hhi_consumer_sourcing_low',
        'coalesce(import_reliance_low, 0)', 'coalesce(import_reliance_high, 1)',
        'eol_recycling_rate_high', 'substitution_index_low', 'supply_used'
    ) }} as supply_risk_low,
    {{ supply_risk_ec_bound(
        'high', 'hhi_global_supply_high', 'hhi_consumer_sourcing_high',
        'coalesce(import_reliance_low, 0)', 'coalesce(import_reliance_high, 1)',
        'eol_recycling_rate_low', 'substitution_index_high', 'supply_used'
    ) }} as supply_risk_high,
    {% for column, used in [
        ('supply_risk_global_only', 'global'), ('supply_risk_sourcing_only', 'consumer')
    ] -%}
        {{ supply_risk_ec(
            'hhi_global_supply', 'hhi_consumer_sourcing', 'import_reliance',
            'eol_recycling_rate', 'substitution_index', "'" ~ used ~ "'"
        ) }} as {{ column }},
    {% endfor -%}
    {{ missing_factors([
        'hhi_global_supply', 'hhi_consumer_sourcing', 'import_reliance',
        'eol_recycling_rate', 'substitution_index', 'economic_importance'
    ]) }} as missing_factors
from factors
