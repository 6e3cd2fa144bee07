-- The same figure computed in two ways: the largest of the shares is the largest producer's. Where
-- a single economy is listed with a larger unnamed rest, the largest producer is unknown.
{{ config(meta={'dagster': {'ref': {'name': 'production_concentration'}}}) }}

with largest as (

    select
        material,
        stage,
        year,
        source,
        max(share) filter (where economy_iso3 <> '_X') as largest_share,
        count(*) filter (where economy_iso3 <> '_X' and share > 0) as producers,
        coalesce(max(share) filter (where economy_iso3 = '_X'), 0) as rest_share
    from {{ ref('production_shares') }}
    group by material, stage, year, source
    having
        largest_share > 0
        and not coalesce(bool_or(reason = {{ exceeds_a_rounded_total() }}), false)
        and (producers > 1 or rest_share <= largest_share)

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
