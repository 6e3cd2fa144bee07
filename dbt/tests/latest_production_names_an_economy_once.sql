-- Two labels of a material that an edition prints for one economy would both be counted.
{{ config(meta={'dagster': {'ref': {'name': 'stg_lake__production'}}}) }}

with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

latest as (

    {{ latest_production('figures', 'labels') }}

)

select
    source,
    material,
    stage,
    scope_iso3,
    economy_iso3,
    year,
    count(*) as rows
from latest
group by source, material, stage, scope_iso3, economy_iso3, year
having count(*) > 1
