{# The year that the page looks to: the second after that of the build. #}
{% set year = '(cast(extract(year from ' ~ as_of_day() ~ ') as integer) + 2)' %}

with relief_scenarios as (

    select * from {{ ref('relief_scenarios') }}
    where importer_iso3 is not null

),

projects as (

    select * from {{ ref('supply_projects') }}

),

project_rows as (

    select * from {{ ref('stg_lake__supply_projects') }}

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
reached as (

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
placed as (

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
    from reached

),

relief_of_importers as (

    select
        importer_iso3,
        arg_min(name, place) as name,
        arg_min(material, place) as material,
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
    from placed
    group by importer_iso3

),

relief as (

    select
        importers.importer_iso3,
        14 as position,
        {{ sentence('answers.relief', {
            'importer': 'importers.importer_name',
            'name': 'relief_of_importers.name',
            'material': 'relief_of_importers.material',
        }) }} as subject,
        relief_of_importers.share_high as figure,
        'share' as unit,
        cast(relief_of_importers.year as varchar) as period,
        {{ sentence('answers.relief_detail', {
            'scenarios': 'relief_of_importers.scenarios',
        }) }} as detail,
        case when relief_of_importers.year is not null then sources.source end as source,
        case when relief_of_importers.year is not null then sources.last_vintage_at end
            as vintage_at,
        relief_of_importers.snapshot_ids
    from importers
    cross join sources
    left join relief_of_importers on importers.importer_iso3 = relief_of_importers.importer_iso3

),

-- What is decided on, by the end of the year that the page looks to.
committed as (

    select
        *,
        coalesce(capacity_t_high, capacity_t_low) as capacity_t,
        counted_from_year <= {{ year }}
        and coalesce(replaced_in_year > {{ year }}, true) as is_counted
    from projects
    where
        not is_total
        and stage <> 'mine'
        and status in ('operating', 'building', 'planned')

),

counted as (

    select
        importers.importer_iso3,
        committed.basis,
        {{ sum_in_order('case when committed.is_counted then committed.capacity_t_low end') }}
            as tonnes_low,
        {{ sum_in_order('case when committed.is_counted then committed.capacity_t end') }}
            as tonnes_high,
        count(*) filter (
            where committed.capacity_t is null or committed.counted_from_year is null
        ) as without_figures
    from importers
    inner join committed on importers.supplier_iso3 <> committed.economy_iso3
    group by importers.importer_iso3, committed.basis

),

announced_for_importers as (

    select
        importer_iso3,
        max(tonnes_high) filter (where basis = 'dy_tb_oxide') as dy_tb_high,
        list(
            struct_pack(
                basis := basis,
                tonnes_low := coalesce(tonnes_low, 0),
                tonnes_high := tonnes_high,
                without_figures := without_figures
            ) order by basis
        ) as bases
    from counted
    group by importer_iso3

),

snapshots as (

    select {{ union_of_snapshots('[snapshot_id]') }} as snapshot_ids
    from project_rows

),

announced as (

    select
        importers.importer_iso3,
        15 as position,
        {{ sentence('answers.announced', {
            'supplier': 'importers.supplier_name',
            'year': year,
        }) }} as subject,
        announced_for_importers.dy_tb_high as figure,
        't' as unit,
        case
            when announced_for_importers.dy_tb_high is not null then cast({{ year }} as varchar)
        end as period,
        {{ sentence('answers.announced_detail', {'bases': 'announced_for_importers.bases'}) }}
            as detail,
        case when announced_for_importers.dy_tb_high is not null then sources.source end as source,
        case when announced_for_importers.dy_tb_high is not null then sources.last_vintage_at end
            as vintage_at,
        case when announced_for_importers.dy_tb_high is not null then snapshots.snapshot_ids end
            as snapshot_ids
    from importers
    cross join sources
    cross join snapshots
    left join announced_for_importers
        on importers.importer_iso3 = announced_for_importers.importer_iso3

),

lines as (

    select * from relief
    union all by name
    select * from announced

)

select
    importer_iso3,
    position,
    subject,
    figure,
    unit,
    period,
    detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    source,
    vintage_at,
    snapshot_ids
from lines
