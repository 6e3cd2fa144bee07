{# Of imports that nobody relies on they say nothing. #}
{% set of_imports = [
    'top_supplier_iso3', 'top_supplier_share', 'governance_score', 'is_critical'
] %}

with supply_risk as (

    select * from {{ ref('supply_risk') }}
    where method = 'ec_2017' and starts_with(assessment, 'kido ')

),

imports as (

    select * from {{ ref('int_dependency__describe_imports') }}

),

strategic as (

    select distinct
        jurisdiction_iso3,
        unnest(materials) as material
    from {{ ref('critical_lists') }}
    where list_id = 'EU-CRMA-I'

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

restricted as (

    select * from {{ ref('int_dependency__share_restricted_imports') }}

),

clauses as (

    select * from {{ ref('int_dependency__list_clauses_on_groups') }}

),

-- The newest year. The consumer's own sourcing goes before the world's supply alone.
newest as (

    select * from supply_risk
    qualify
        row_number() over (
            partition by consumer_iso3, material, stage
            order by supply_used = 'global_and_consumer' desc, year desc
        ) = 1

),

-- Stages that are traded; of a material without one, the stage with the larger risk.
chosen as (

    select
        *,
        max(year) over (partition by consumer_iso3) as newest_year,
        coalesce(import_reliance = 0, false) as is_without_reliance
    from newest
    qualify
        mineral_group is not null
        or count(mineral_group) over (partition by consumer_iso3, material) = 0
        and row_number() over (
            partition by consumer_iso3, material
            order by supply_risk_low desc nulls last, stage asc
        ) = 1

),

joined as (

    select
        chosen.*,
        imports.hhi as import_hhi,
        imports.top_supplier_iso3,
        imports.top_supplier_share,
        imports.value_usd as stage_trade_usd,
        imports.single_country_share_low,
        imports.single_country_share_high,
        -- Of one metal in a code of several nobody knows.
        strategic.material is not null
        and count(*) over (
            partition by chosen.consumer_iso3, chosen.mineral_group, chosen.stage
        ) = 1 as is_strategic,
        scores.governance_score,
        production.production_hhi,
        production.top_producer_iso3,
        imports.hub_share,
        imports.importer_iso3 is not null and chosen.year = chosen.newest_year as is_of_today,
        case when is_of_today then coalesce(restricted.share_low, 0) end as restricted_share_low,
        case
            when is_of_today and restricted.importer_iso3 is null then 0
            when is_of_today then {{ capped_at_one('restricted.share_high') }}
        end as restricted_share_high,
        {% for column in ['clauses_that_hit', 'restricted_by'] -%}
            case when is_of_today then coalesce(clauses.{{ column }}, []) end as {{ column }},
        {% endfor -%}
        {% for column in ['clauses_on_codes', 'clauses_unknown'] -%}
            case when chosen.mineral_group is not null then coalesce(clauses.{{ column }}, []) end
                as {{ column }},
        {% endfor -%}
        {{ snapshots_together(
            ['chosen.snapshot_ids', 'imports.snapshot_ids', 'restricted.snapshot_ids']
        ) }} as all_snapshot_ids,
        row_number() over (
            partition by chosen.consumer_iso3, chosen.material
            order by
                imports.value_usd desc nulls last,
                chosen.supply_risk_low desc nulls last,
                chosen.stage asc
        ) = 1 as is_first
    from chosen
    left join imports
        on
            chosen.consumer_iso3 = imports.importer_iso3
            and chosen.mineral_group = imports.mineral_group
            and chosen.year = imports.year
    left join strategic
        on
            chosen.consumer_iso3 = strategic.jurisdiction_iso3
            and chosen.material = strategic.material
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
    left join clauses
        on
            chosen.consumer_iso3 = clauses.importer_iso3
            and chosen.mineral_group = clauses.mineral_group
    -- Of the nearest year that is not later.
    asof left join scores
        on
            imports.top_supplier_iso3 = scores.economy_iso3
            and chosen.year >= scores.year

),

firsts as (

    select
        consumer_iso3,
        material,
        supply_risk_low,
        supply_risk_high,
        rank() over (partition by consumer_iso3 order by supply_risk_low desc) as rank_low
    from joined
    where is_first and supply_risk_low is not null

),

-- What is not ranked above a material, and may be by its upper bound.
ranks as (

    select
        firsts.consumer_iso3,
        firsts.material,
        firsts.rank_low,
        coalesce(
            list(others.material order by others.supply_risk_high desc, others.material asc)
            filter (where others.material is not null),
            []
        ) as may_outrank
    from firsts
    left join firsts as others
        on
            firsts.consumer_iso3 = others.consumer_iso3
            and firsts.material <> others.material
            and firsts.rank_low <= others.rank_low
            and firsts.supply_risk_low < others.supply_risk_high
    group by firsts.consumer_iso3, firsts.material, firsts.rank_low

)

select
    joined.consumer_iso3 as importer_iso3,
    joined.material,
    joined.stage,
    joined.is_first,
    joined.mineral_group,
    joined.year,
    joined.stage_trade_usd,
    joined.import_hhi,
    {% for column in of_imports -%}
        case when not joined.is_without_reliance then joined.{{ column }} end as {{ column }},
    {% endfor -%}
    {% for column in [
        'production_hhi', 'top_producer_iso3', 'restricted_share_low', 'restricted_share_high',
        'clauses_that_hit', 'clauses_on_codes', 'clauses_unknown', 'restricted_by',
        'single_country_share_low', 'single_country_share_high',
        'restricted_world_share', 'restricting_producers', 'supply_risk', 'supply_risk_low',
        'supply_risk_high',
    ] -%}
        joined.{{ column }},
    {% endfor -%}
    {% for column in ['rank_low', 'may_outrank'] -%}
        case when joined.is_first then ranks.{{ column }} end as {{ column }},
    {% endfor -%}
    case
        when joined.is_strategic
            then {{ is_above(
                'joined.single_country_share_low',
                'joined.single_country_share_high',
                single_country_limit()
            ) }}
    end as is_above_benchmark,
    joined.supply_used,
    joined.economic_importance,
    joined.hub_share,
    case
        when joined.supply_used = 'global' then coalesce(joined.group_reason, 'no_imports_known')
        when joined.is_without_reliance then 'no_reliance'
        when joined.supply_risk is not null then null
        when joined.import_reliance is null then 'reliance_not_known'
        when joined.hhi_consumer_sourcing is null then 'governance_not_known'
        else 'recycling_not_known'
    end as reason,
    joined.all_snapshot_ids as snapshot_ids
from joined
left join ranks
    on joined.consumer_iso3 = ranks.consumer_iso3 and joined.material = ranks.material
