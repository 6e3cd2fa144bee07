-- A mineral that a code names is one of the list.
{{ config(meta={'dagster': {'ref': {'name': 'national_codes'}}}) }}

with named as (

    select
        reporter_iso3,
        national_code,
        unnest(minerals) as mineral
    from {{ ref('national_codes') }}

)

select
    named.reporter_iso3,
    named.national_code,
    named.mineral
from named
left join {{ ref('minerals') }} as minerals on named.mineral = minerals.mineral
where
    minerals.mineral is null
