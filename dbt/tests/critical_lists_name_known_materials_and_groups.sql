-- What a material of a list leads to are materials whose figures are used, and mineral groups.
{{ config(meta={'dagster': {'ref': {'name': 'critical_lists'}}}) }}

with critical_lists as (

    select distinct
        slug,
        materials,
        mineral_groups
    from {{ ref('critical_lists') }}

),

named as (

    select
        slug,
        'material' as kind,
        unnest(materials) as name
    from critical_lists
    union all
    select
        slug,
        'mineral_group' as kind,
        unnest(mineral_groups) as name
    from critical_lists

),

known as (

    select
        'material' as kind,
        material as name
    from {{ ref('materials') }}
    where left_out is null
    union
    select
        'mineral_group' as kind,
        mineral_group as name
    from {{ ref('mineral_groups') }}

)

select
    named.slug,
    named.kind,
    named.name
from named
left join known on named.kind = known.kind and named.name = known.name
where known.name is null
