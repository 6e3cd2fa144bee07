with supply_projects as (

    select * from {{ ref('stg_lake__supply_projects') }}

),

-- A capacity that was announced without a year operates since it was read at the latest.
dated as (

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
        counted_from_year
    from dated

),

replaced as (

    select
        project,
        min(counted_from_year) as replaced_in_year
    from wholes
    group by project

)

select
    dated.project,
    dated.name,
    dated.company,
    dated.economy_iso3,
    dated.stage,
    dated.product,
    dated.minerals,
    dated.capacity_t_low,
    dated.capacity_t_high,
    dated.basis,
    dated.status,
    dated.status_note,
    dated.start_year,
    dated.counted_from_year,
    replaced.replaced_in_year,
    dated.includes,
    dated.is_total,
    dated.known_at as as_of,
    dated.known_precision as date_precision,
    dated.note,
    dated.citation,
    dated.source,
    dated.source_url
from dated
left join replaced on dated.project = replaced.project
