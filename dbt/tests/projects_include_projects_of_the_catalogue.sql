-- Every project that another includes is in the catalogue, known by the day of the build or later:
-- else it would be counted twice.
{{ config(meta={'dagster': {'ref': {'name': 'stg_lake__supply_projects'}}}) }}

with pointers as (

    select
        project,
        unnest(includes) as included_project
    from {{ ref('stg_lake__supply_projects') }}

)

select
    pointers.project,
    pointers.included_project
from pointers
left join {{ source('lake', 'supply_projects') }} as projects
    on pointers.included_project = projects.project
where projects.project is null
