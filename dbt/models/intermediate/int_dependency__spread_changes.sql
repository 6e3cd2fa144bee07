with scenario_changes as (

    select * from {{ ref('stg_lake__scenario_changes') }}

),

relief_scenarios as (

    select
        *,
        {{ group_of_material('material') }} as mineral_group
    from {{ ref('relief_scenarios') }}

),

changes as (

    select
        * exclude (mineral_groups),
        unnest(mineral_groups) as mineral_group
    from scenario_changes

),

-- Tonnes that a project adds in each year, of all materials of the group.
project_years as (

    select
        changes.scenario,
        changes.mineral_group,
        changes.position,
        relief_scenarios.year,
        {{ sum_in_order('relief_scenarios.tonnes_low') }} as tonnes_low,
        {{ sum_in_order('relief_scenarios.tonnes_high') }} as tonnes_high,
        {{ union_of_snapshots('relief_scenarios.snapshot_ids') }} as snapshot_ids
    from changes
    inner join relief_scenarios
        on
            changes.project = relief_scenarios.project
            and changes.relief_scenario = relief_scenarios.scenario
            and changes.mineral_group = relief_scenarios.mineral_group
            and changes.importer_iso3
            = coalesce(relief_scenarios.importer_iso3, changes.importer_iso3)
    group by
        changes.scenario, changes.mineral_group, changes.position, relief_scenarios.year

),

-- From the first year in which something changes to the first that has all of it.
turning_years as (

    select
        scenario,
        extract(year from coalesce(from_date, effective_date)) as first_year,
        extract(year from coalesce(from_date, effective_date)) + 1 as last_year
    from changes
    where coalesce(from_date, effective_date) is not null
    union all
    select
        scenario,
        year as first_year,
        year as last_year
    from project_years

),

months as (

    select
        scenario,
        cast(
            unnest(
                range(
                    make_date(cast(min(first_year) as integer), 1, 1),
                    make_date(cast(max(last_year) + 1 as integer), 1, 1),
                    interval 1 month
                )
            ) as date
        ) as month
    from turning_years
    group by scenario

),

spread as (

    select
        changes.scenario,
        changes.importer_iso3,
        changes.mineral_group,
        changes.position,
        changes.kind,
        changes.supplier_iso3,
        changes.to_supplier_iso3,
        months.month,
        changes.share,
        coalesce(changes.tonnes_low, project_years.tonnes_low) / 12 as tonnes_low,
        coalesce(changes.tonnes_high, project_years.tonnes_high) / 12 as tonnes_high,
        coalesce(months.month >= changes.from_date, changes.project is not null) as is_in_effect,
        list_distinct([changes.snapshot_id] || coalesce(project_years.snapshot_ids, []))
            as snapshot_ids
    from changes
    inner join months on changes.scenario = months.scenario
    left join project_years
        on
            changes.scenario = project_years.scenario
            and changes.mineral_group = project_years.mineral_group
            and changes.position = project_years.position
            and extract(year from months.month) = project_years.year

)

-- Before its first month a change has neither a share nor tonnes.
select
    scenario,
    importer_iso3,
    mineral_group,
    position,
    kind,
    supplier_iso3,
    to_supplier_iso3,
    month,
    case when is_in_effect then share else 0 end as share,
    case when is_in_effect then coalesce(tonnes_low, 0) else 0 end as tonnes_low,
    case when is_in_effect then coalesce(tonnes_high, 0) else 0 end as tonnes_high,
    snapshot_ids
from spread
