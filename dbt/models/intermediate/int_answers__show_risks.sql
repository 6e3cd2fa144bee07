-- What is critical, or may be.
with ranking as (

    select *
    from {{ ref('risk_ranking') }}
    where
        is_first
        and supply_risk_low is not null
        and {{ is_important('economic_importance') }}
        and is_critical is distinct from false
        and reason is distinct from 'no_reliance'

),

families as (

    select
        mineral as material,
        family || 's' as family
    from {{ ref('minerals') }}

),

materials as (

    select
        material,
        any_value(material_name) as name
    from {{ ref('materials') }}
    group by material

),

economies as (

    select * from {{ ref('economies') }}

),

sources as (

    select * from {{ ref('sources') }}

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

-- An element of a family that is ranked itself is left to it.
ranked as (

    select
        ranking.*,
        coalesce(materials.name, ranking.material) as name,
        suppliers.name as supplier,
        row_number() over (
            partition by ranking.importer_iso3, ranking.supply_used
            order by
                ranking.is_critical desc nulls last,
                ranking.supply_risk_low desc,
                ranking.material asc
        ) as place
    from ranking
    left join materials on ranking.material = materials.material
    left join economies as suppliers on ranking.top_supplier_iso3 = suppliers.economy_iso3
    left join families on ranking.material = families.material
    anti join ranking as whole_families
        on
            ranking.importer_iso3 = whole_families.importer_iso3
            and families.family = whole_families.material

),

shown as (

    select
        ranked.*,
        restricting.names as restricted_by_names,
        max(ranked.year) over (partition by ranked.importer_iso3) as newest_year,
        min(ranked.supply_risk_low) over (partition by ranked.importer_iso3) as least_shown
    from ranked
    left join lateral (
        select list(economies.name order by economies.name) as names
        from economies
        where
            list_contains(ranked.restricted_by, economies.economy_iso3)
            and coalesce(ranked.restricted_share_high > 0, true)
    ) as restricting on true
    where ranked.supply_used = 'global_and_consumer' and ranked.is_critical and ranked.place <= 3

),

riskiest as (

    select
        importer_iso3,
        max(supply_risk_low) as supply_risk_low,
        max(newest_year) as year,
        min(least_shown) as least_shown,
        list(
            struct_pack(
                name := name,
                low := supply_risk_low,
                high := supply_risk_high,
                year := case when year < newest_year then year end,
                supplier := supplier,
                supplier_share := top_supplier_share,
                restricted_by := restricted_by_names
            ) order by place
        ) as materials,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from shown
    group by importer_iso3

),

-- What may be riskier than the last that is shown; of the world's supply alone what is for sure.
others as (

    select
        ranked.importer_iso3,
        list(
            struct_pack(name := ranked.name, high := ranked.supply_risk_high)
            order by ranked.supply_risk_high desc, ranked.material asc
        ) filter (where ranked.supply_used = 'global_and_consumer') as may_be_riskier,
        list(
            struct_pack(
                name := ranked.name, low := ranked.supply_risk_low, high := ranked.supply_risk_high
            ) order by ranked.place
        ) filter (
            where ranked.supply_used = 'global' and ranked.supply_risk_low > riskiest.least_shown
        ) as of_world_alone
    from ranked
    inner join riskiest on ranked.importer_iso3 = riskiest.importer_iso3
    anti join shown
        on ranked.importer_iso3 = shown.importer_iso3 and ranked.material = shown.material
    where ranked.supply_risk_high > riskiest.least_shown
    group by ranked.importer_iso3

),

-- The study that recycling, substitution and importance are taken from.
study as (

    select * from sources
    where source = 'ec_crm'

)

select
    importers.importer_iso3,
    8 as position,
    {{ sentence('answers.risks') }} as subject,
    riskiest.supply_risk_low as figure,
    'supply risk' as unit,
    cast(riskiest.year as varchar) as period,
    {{ sentence('answers.risks_detail', {
        'materials': 'riskiest.materials',
        'may_be_riskier': 'others.may_be_riskier',
        'of_world_alone': 'others.of_world_alone',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    case when riskiest.importer_iso3 is not null then study.source end as source,
    case when riskiest.importer_iso3 is not null then study.last_vintage_at end as vintage_at,
    riskiest.snapshot_ids
from importers
left join riskiest on importers.importer_iso3 = riskiest.importer_iso3
left join others on importers.importer_iso3 = others.importer_iso3
left join study on true
