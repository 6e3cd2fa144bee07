with ranking as (

    select * from {{ ref('risk_ranking') }}
    where
        is_critical
        and supply_used = 'global_and_consumer'
        and supply_risk is not null

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
            partition by ranking.importer_iso3
            order by ranking.supply_risk desc, ranking.material asc
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

riskiest as (

    select
        importer_iso3,
        max(supply_risk) as supply_risk,
        max(year) as year,
        list(
            struct_pack(
                name := name,
                supply_risk := supply_risk,
                supplier := supplier,
                supplier_share := top_supplier_share,
                is_restricted := len(clauses_in_force) > 0
                and coalesce(restricted_share_high > 0, true)
            ) order by place
        ) as materials,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from ranked
    where place <= 3
    group by importer_iso3

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
    riskiest.supply_risk as figure,
    'supply risk' as unit,
    cast(riskiest.year as varchar) as period,
    {{ sentence('answers.risks_detail', {'materials': 'riskiest.materials'}) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    case when riskiest.importer_iso3 is not null then study.source end as source,
    case when riskiest.importer_iso3 is not null then study.last_vintage_at end as vintage_at,
    riskiest.snapshot_ids
from importers
left join riskiest on importers.importer_iso3 = riskiest.importer_iso3
left join study on true
