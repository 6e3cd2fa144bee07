{# A few thousand rows, joined to every flow by two models. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where economy_iso3 <> partner_iso3

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

covered as (

    select distinct
        source,
        hs6_code,
        hs_revision,
        year
    from flows

),

sizes_of_groups as (

    select
        mineral_group,
        count(*) as codes
    from group_codes
    group by mineral_group

)

-- A group is known in a year of which an edition has all of its codes: of several, the newest.
select
    group_codes.mineral_group,
    covered.source,
    covered.hs_revision,
    covered.year
from covered
inner join group_codes on covered.hs6_code = group_codes.hs6_code
inner join sizes_of_groups on group_codes.mineral_group = sizes_of_groups.mineral_group
group by group_codes.mineral_group, covered.source, covered.hs_revision, covered.year
having count(*) = any_value(sizes_of_groups.codes)
qualify
    row_number() over (
        partition by group_codes.mineral_group, covered.year
        order by covered.source asc, covered.hs_revision desc
    ) = 1
