-- The same figure by two ways: the largest of the shares is the largest producer's.
{{ config(meta={'dagster': {'ref': {'name': 'production_concentration'}}}) }}

with largest as (

    select
        material,
        stage,
        year,
        source,
        max(share) as largest_share
    from {{ ref('production_shares') }}
    where economy_iso3 <> '_X'
    group by material, stage, year, source
    having max(share) > 0

)

select
    largest.material,
    largest.stage,
    largest.year,
    largest.source,
    largest.largest_share,
    concentration.cr1_share
from largest
left join {{ ref('production_concentration') }} as concentration
    on
        largest.material = concentration.material
        and largest.stage = concentration.stage
        and largest.year = concentration.year
        and largest.source = concentration.source
where concentration.cr1_share is distinct from largest.largest_share
