-- The same figure computed in three ways: the concentration's two columns and the shares
-- themselves. Where a larger part is not published there is none.
{{ config(meta={'dagster': {'ref': {'name': 'import_concentration'}}}) }}

with largest as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        max(share) filter (where supplier_iso3 <> '_X') as largest_published_share,
        coalesce(max(share) filter (where supplier_iso3 = '_X'), 0) as unpublished_share,
        case when largest_published_share >= unpublished_share then largest_published_share end
            as largest_share
    from {{ ref('supplier_shares') }}
    group by importer_iso3, mineral_group, frequency, period_start, measure

)

select
    largest.importer_iso3,
    largest.mineral_group,
    largest.frequency,
    largest.period_start,
    largest.measure,
    concentration.top_supplier_iso3,
    concentration.top_supplier_share,
    concentration.cr1_share,
    largest.largest_share
from largest
left join {{ ref('import_concentration') }} as concentration
    on
        largest.importer_iso3 = concentration.importer_iso3
        and largest.mineral_group = concentration.mineral_group
        and largest.frequency = concentration.frequency
        and largest.period_start = concentration.period_start
        and largest.measure = concentration.measure
where
    concentration.top_supplier_share is distinct from largest.largest_share
    or concentration.cr1_share is distinct from largest.largest_share
