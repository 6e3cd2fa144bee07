with relief_scenarios as (

    select * from {{ ref('relief_scenarios') }}
    where importer_iso3 is not null

),

projects as (

    select * from {{ ref('supply_projects') }}

),

sources as (

    select * from {{ ref('sources') }}
    where source = 'catalogue'

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

project_names as (

    select
        project,
        any_value(name) as name
    from projects
    group by project

),

-- Each scenario in the year in which all of it is reached.
full_capacities as (

    select
        relief_scenarios.*,
        project_names.name,
        min(relief_scenarios.year) over (
            partition by
                relief_scenarios.project, relief_scenarios.scenario, relief_scenarios.material
        ) as first_year
    from relief_scenarios
    inner join project_names on relief_scenarios.project = project_names.project
    qualify
        row_number() over (
            partition by
                relief_scenarios.project, relief_scenarios.scenario, relief_scenarios.material
            order by relief_scenarios.year desc
        ) = 1

),

-- First what is tried soonest, of a known use.
ranked as (

    select
        *,
        row_number() over (
            partition by importer_iso3
            order by
                consumption_t is null asc,
                first_year asc,
                project asc,
                scenario asc,
                material asc
        ) as place
    from full_capacities

),

relief_of_importers as (

    select
        importer_iso3,
        arg_min(name, place) as name,
        arg_min(material, place) as material,
        arg_min(consumption_basis, place) as consumption_basis,
        arg_min(consumption_share_high, place) as share_high,
        min(year) filter (where place = 1) as year,
        list(
            struct_pack(
                name := name,
                scenario := scenario,
                material := material,
                year := year,
                first_year := first_year,
                tonnes_low := tonnes_low,
                tonnes_high := tonnes_high,
                share_low := consumption_share_low,
                share_high := consumption_share_high,
                consumption_t := consumption_t,
                consumption_basis := consumption_basis
            ) order by place
        ) as scenarios,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from ranked
    group by importer_iso3

)

select
    importers.importer_iso3,
    14 as position,
    {{ sentence('answers.relief', {
        'importer': 'importers.importer_name',
        'name': 'relief_of_importers.name',
        'material': 'relief_of_importers.material',
        'consumption_basis': 'relief_of_importers.consumption_basis',
    }) }} as subject,
    relief_of_importers.share_high as figure,
    'share' as unit,
    cast(relief_of_importers.year as varchar) as period,
    {{ sentence('answers.relief_detail', {
        'scenarios': 'relief_of_importers.scenarios',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    case when relief_of_importers.year is not null then sources.source end as source,
    case when relief_of_importers.year is not null then sources.last_vintage_at end
        as vintage_at,
    relief_of_importers.snapshot_ids
from importers
cross join sources
left join relief_of_importers on importers.importer_iso3 = relief_of_importers.importer_iso3
