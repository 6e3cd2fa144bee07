-- A mineral that a statement names is one of the list, or all rare earths at once.
{{ config(meta={'dagster': {'ref': {'name': 'company_exposure'}}}) }}

with named as (

    select
        clause_id,
        company,
        unnest(minerals) as mineral
    from {{ ref('company_exposure') }}

)

select
    named.clause_id,
    named.company,
    named.mineral
from named
left join {{ ref('minerals') }} as minerals on named.mineral = minerals.mineral
where
    minerals.mineral is null
    and named.mineral <> 'all_rare_earths'
