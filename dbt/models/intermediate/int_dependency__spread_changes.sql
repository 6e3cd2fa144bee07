with scenario_changes as (

    select * from {{ ref('stg_lake__scenario_changes') }}

),

relief_scenarios as (

    select
        *,
        max(year) over (partition by project, scenario, material) as last_year
    from {{ ref('relief_scenarios') }}

),

changes as (

    select
        * exclude (mineral_groups),
        unnest(mineral_groups) as mineral_group
    from scenario_changes

),

project_years as (

    select
        changes.scenario,
        changes.mineral_group,
        changes.position,
        changes.relief_scenario,
        relief_scenarios.year,
        relief_scenarios.last_year,
        relief_scenarios.tonnes_low,
        relief_scenarios.tonnes_high,
        relief_scenarios.snapshot_ids
    from changes
    inner join relief_scenarios
        on
            changes.project = relief_scenarios.project
            and changes.relief_scenario = relief_scenarios.scenario
            and changes.mineral_group = relief_scenarios.mineral_group
            and changes.importer_iso3
            = coalesce(relief_scenarios.importer_iso3, changes.importer_iso3)

),

-- From the first year in which something changes to the first that has all of it. What is extended
-- is so from the day of the build, and a project is not added to years before that.
turning_years as (

    select
        scenario,
        extract(
            year from case
                when kind = 'extend' then least(effective_date, {{ as_of_day() }})
                else coalesce(from_date, effective_date)
            end
        ) as first_year,
        extract(year from coalesce(from_date, effective_date)) + 1 as last_year
    from changes
    where coalesce(from_date, effective_date) is not null
    union all
    select
        scenario,
        greatest(year, extract(year from {{ as_of_day() }})) as first_year,
        first_year as last_year
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

years as (

    select distinct
        scenario,
        extract(year from month) as year
    from months

),

-- Tonnes of all materials of the group. After its last year a project goes on, but for a trial.
project_tonnes as (

    select
        project_years.scenario,
        project_years.mineral_group,
        project_years.position,
        years.year,
        {{ sum_in_order('project_years.tonnes_low') }} as tonnes_low,
        {{ sum_in_order('project_years.tonnes_high') }} as tonnes_high,
        {{ union_of_snapshots('project_years.snapshot_ids') }} as snapshot_ids
    from years
    inner join project_years
        on
            years.scenario = project_years.scenario
            and years.year >= extract(year from {{ as_of_day() }})
            and case
                when project_years.relief_scenario = 'trial' then years.year
                else least(years.year, project_years.last_year)
            end = project_years.year
    group by
        project_years.scenario, project_years.mineral_group, project_years.position, years.year

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
        coalesce(changes.tonnes_low, project_tonnes.tonnes_low) / 12 as tonnes_low,
        coalesce(changes.tonnes_high, project_tonnes.tonnes_high) / 12 as tonnes_high,
        coalesce(months.month >= changes.from_date, changes.project is not null) as is_in_effect,
        list_distinct([changes.snapshot_id] || coalesce(project_tonnes.snapshot_ids, []))
            as snapshot_ids
    from changes
    inner join months on changes.scenario = months.scenario
    left join project_tonnes
        on
            changes.scenario = project_tonnes.scenario
            and changes.mineral_group = project_tonnes.mineral_group
            and changes.position = project_tonnes.position
            and extract(year from months.month) = project_tonnes.year

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
