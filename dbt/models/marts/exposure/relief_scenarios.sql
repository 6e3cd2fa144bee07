{% set factors = ['mud_t_per_day', 'days_per_year', 'dry_share', 'recovery_share'] %}

with assumptions as (

    select * from {{ ref('relief_assumptions') }}

),

projects as (

    select * from {{ ref('supply_projects') }}

),

project_rows as (

    select
        project,
        {{ union_of_snapshots('[snapshot_id]') }} as snapshot_ids
    from {{ ref('stg_lake__supply_projects') }}
    group by project

),

consumption as (

    select * from {{ ref('int_exposure__measure_consumption') }}

),

-- Tonnes of mud a day, dried, of a grade, recovered.
mud as (

    select
        project,
        scenario,
        importer_iso3,
        material,
        {% for bound in ['low', 'high'] -%}
            max({{ bound }}) filter (where assumption = 'grade_ppm') / 1e6
            {% for factor in factors -%}
                * max({{ bound }}) filter (where assumption = '{{ factor }}')
            {% endfor -%}
                as capacity_t_{{ bound }},
        {% endfor -%}
        max(low) filter (where assumption = 'start_year') as start_year,
        max(low) filter (where assumption = 'ramp_years') as ramp_years,
        max(high) filter (where assumption = 'delay_years') as delay_years
    from assumptions
    where project <> 'ALL'
    group by project, scenario, importer_iso3, material
    having max(low) filter (where assumption = 'mud_t_per_day') is not null

),

buyers as (

    select * from assumptions
    where assumption = 'buyer_share'

),

-- A plant that starts late in a year delivers in the next.
first_deliveries as (

    select
        project,
        material,
        low as first_year
    from assumptions
    where scenario = 'as_announced' and assumption = 'start_year'

),

-- What a project includes of another is left to that one.
included as (

    select
        wholes.project,
        wholes.basis,
        {{ sum_in_order('coalesce(parts.capacity_t_low, parts.capacity_t_high)') }} as low,
        {{ sum_in_order('coalesce(parts.capacity_t_high, parts.capacity_t_low)') }} as high
    from projects as wholes
    inner join projects as parts
        on
            list_contains(wholes.includes, parts.project)
            and wholes.basis = parts.basis
    group by wholes.project, wholes.basis

),

-- Capacity that is being built or planned, once it starts.
announced as (

    select
        projects.project,
        'as_announced' as scenario,
        coalesce(buyers.importer_iso3, 'ALL') as importer_iso3,
        projects.basis as material,
        (
            {{ sum_in_order('coalesce(projects.capacity_t_low, 0)') }}
            - coalesce(any_value(included.high), 0)
        ) * coalesce(any_value(buyers.low), 1) as capacity_t_low,
        (
            {{ sum_in_order('coalesce(projects.capacity_t_high, projects.capacity_t_low)') }}
            - coalesce(any_value(included.low), 0)
        ) * coalesce(any_value(buyers.high), 1) as capacity_t_high,
        coalesce(min(first_deliveries.first_year), min(projects.start_year)) as start_year
    from projects
    left join buyers
        on
            projects.project = buyers.project
            and projects.basis = buyers.material
    left join first_deliveries
        on
            projects.project = first_deliveries.project
            and projects.basis = first_deliveries.material
    left join included
        on
            projects.project = included.project
            and projects.basis = included.basis
    where
        projects.counted_from_year is not null
        and projects.start_year is not null
        and projects.figure_of = 'capacity'
        and projects.status <> 'operating'
        and projects.stage <> 'mine'
        and {{ group_of_material('projects.basis') }} is not null
        and coalesce(projects.capacity_t_high, projects.capacity_t_low) is not null
    group by projects.project, projects.basis, buyers.importer_iso3

),

general as (

    select
        scenario,
        max(low) filter (where assumption = 'ramp_years') as ramp_years,
        max(high) filter (where assumption = 'delay_years') as delay_years
    from assumptions
    where project = 'ALL' and scenario <> 'ALL'
    group by scenario

),

capacities as (

    select * from mud
    union all by name
    select
        announced.*,
        general.ramp_years,
        general.delay_years
    from announced
    inner join general on announced.scenario = general.scenario

),

-- Until all of it is reached, delayed as well.
years as (

    select
        *,
        unnest(range(
            cast(start_year as integer),
            cast(start_year + ramp_years + delay_years as integer)
        )) as year
    from capacities

),

tonnes as (

    select
        *,
        capacity_t_low * {{ at_least_none(
            capped_at_one('(year - start_year - delay_years + 1) / ramp_years')
        ) }} as tonnes_low,
        capacity_t_high * {{ capped_at_one('(year - start_year + 1) / ramp_years') }}
            as tonnes_high
    from years

),

assumption_texts as (

    select
        capacities.project,
        capacities.scenario,
        capacities.material,
        string_agg(
            assumptions.assumption
            || ' = '
            || {{ plain_number('assumptions.low') }}
            || case
                when assumptions.high <> assumptions.low
                    then ' to ' || {{ plain_number('assumptions.high') }}
                else ''
            end,
            '; ' order by assumptions.assumption
        ) as assumptions
    from capacities
    inner join assumptions
        on
            assumptions.project in (capacities.project, 'ALL')
            and capacities.scenario = assumptions.scenario
            and assumptions.material in (capacities.material, 'ALL')
    group by capacities.project, capacities.scenario, capacities.material

)

select
    tonnes.project,
    tonnes.scenario,
    cast(tonnes.year as integer) as year,
    tonnes.material,
    {{ group_of_material('tonnes.material') }} as mineral_group,
    nullif(tonnes.importer_iso3, 'ALL') as importer_iso3,
    tonnes.tonnes_low,
    tonnes.tonnes_high,
    consumption.consumption_t,
    consumption.consumption_year,
    consumption.consumption_basis,
    {{ capped_at_one('tonnes.tonnes_low / consumption.consumption_t') }} as consumption_share_low,
    {{ capped_at_one('tonnes.tonnes_high / consumption.consumption_t') }}
        as consumption_share_high,
    assumption_texts.assumptions,
    case
        when tonnes.importer_iso3 = 'ALL' then 'buyer_not_known'
        when consumption.importer_iso3 is not null then consumption.reason
        when list_contains({{ materials_with_codes() }}, tonnes.material) then 'no_weights'
        else 'no_code_of_the_material'
    end as reason,
    'catalogue' as source,
    {{ union_of('[project_rows.snapshot_ids, coalesce(consumption.snapshot_ids, [])]') }}
        as snapshot_ids
from tonnes
inner join project_rows on tonnes.project = project_rows.project
inner join assumption_texts
    on
        tonnes.project = assumption_texts.project
        and tonnes.scenario = assumption_texts.scenario
        and tonnes.material = assumption_texts.material
left join consumption
    on
        tonnes.importer_iso3 = consumption.importer_iso3
        and tonnes.material = consumption.material
