with supply_projects as (

    select * from {{ ref('stg_lake__supply_projects') }}

),

-- A capacity that was announced without a year operates since it was read at the latest.
projects_with_years as (

    select
        *,
        case
            when is_total then null
            when status in ('building', 'planned') then start_year
            when status = 'operating'
                then coalesce(start_year, cast(extract(year from known_at) as integer))
        end as counted_from_year
    from supply_projects

),

-- From the first year of a project whose capacity has that of another, the other is not added.
wholes as (

    select
        unnest(includes) as project,
        basis,
        counted_from_year
    from projects_with_years

),

replaced as (

    select
        project,
        basis,
        min(counted_from_year) as replaced_in_year
    from wholes
    group by project, basis

)

select
    projects_with_years.project,
    projects_with_years.name,
    projects_with_years.company,
    projects_with_years.economy_iso3,
    projects_with_years.stage,
    projects_with_years.product,
    projects_with_years.minerals,
    projects_with_years.capacity_t_low,
    projects_with_years.capacity_t_high,
    projects_with_years.figure_of,
    projects_with_years.basis,
    projects_with_years.status,
    projects_with_years.status_note,
    projects_with_years.start_year,
    projects_with_years.counted_from_year,
    replaced.replaced_in_year,
    projects_with_years.includes,
    projects_with_years.is_total,
    projects_with_years.known_at as as_of,
    projects_with_years.known_precision as date_precision,
    projects_with_years.note,
    projects_with_years.citation,
    projects_with_years.source,
    projects_with_years.source_url
from projects_with_years
left join replaced
    on
        projects_with_years.project = replaced.project
        and projects_with_years.basis = replaced.basis
