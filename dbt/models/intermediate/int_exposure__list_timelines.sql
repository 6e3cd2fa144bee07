with intervals as (

    select * from {{ ref('measure_status') }}
    where status = 'in_force'

),

scenario_changes as (

    select * from {{ ref('stg_lake__scenario_changes') }}

),

measures as (

    select * from {{ ref('measures') }}

),

scenarios as (

    select distinct
        scenario,
        importer_iso3
    from scenario_changes

),

-- Of several days for one clause the last extends it and the first lifts it.
clause_changes as (

    select
        scenario,
        clause_id,
        max(effective_date) filter (where kind = 'extend') as extended_through,
        min(effective_date) filter (where kind = 'lift') as lifted_after
    from scenario_changes
    where clause_id is not null
    group by scenario, clause_id

),

-- A clause that is extended is in force from the day of the build through the day given.
extended as (

    select
        scenarios.scenario,
        intervals.clause_id,
        intervals.valid_from,
        coalesce(intervals.valid_to, cast('infinity' as date)) as valid_to
    from intervals
    cross join scenarios
    union all
    select
        clause_changes.scenario,
        clause_changes.clause_id,
        {{ as_of_day() }} as valid_from,
        cast(clause_changes.extended_through + interval 1 day as date) as valid_to
    from clause_changes
    semi join measures on clause_changes.clause_id = measures.clause_id
    where clause_changes.extended_through >= {{ as_of_day() }}

),

clipped as (

    select
        extended.scenario,
        extended.clause_id,
        extended.valid_from,
        least(
            extended.valid_to,
            coalesce(
                cast(clause_changes.lifted_after + interval 1 day as date),
                cast('infinity' as date)
            )
        ) as valid_to
    from extended
    left join clause_changes
        on
            extended.scenario = clause_changes.scenario
            and extended.clause_id = clause_changes.clause_id

),

-- Intervals that touch are one.
begun as (

    select
        *,
        valid_from > max(valid_to) over (
            partition by scenario, clause_id
            order by valid_from, valid_to
            rows between unbounded preceding and 1 preceding
        ) as is_after_a_gap
    from clipped
    where valid_from < valid_to

),

numbered as (

    select
        *,
        count(*) filter (where is_after_a_gap) over (
            partition by scenario, clause_id
            order by valid_from, valid_to
            rows between unbounded preceding and current row
        ) as stretch
    from begun

),

of_scenarios as (

    select
        numbered.scenario,
        any_value(scenarios.importer_iso3) as importer_iso3,
        numbered.clause_id,
        min(numbered.valid_from) as valid_from,
        nullif(max(numbered.valid_to), cast('infinity' as date)) as valid_to,
        false as is_for_baseline
    from numbered
    inner join scenarios on numbered.scenario = scenarios.scenario
    group by numbered.scenario, numbered.clause_id, numbered.stretch

),

as_they_are as (

    select
        '' as scenario,
        cast(null as varchar) as importer_iso3,
        clause_id,
        valid_from,
        valid_to,
        false as is_for_baseline
    from intervals

),

-- A scenario is measured on the baseline of the clauses as they are.
for_baselines as (

    select
        scenarios.scenario,
        scenarios.importer_iso3,
        intervals.clause_id,
        intervals.valid_from,
        intervals.valid_to,
        true as is_for_baseline
    from intervals
    cross join scenarios

),

timelines as (

    select * from as_they_are
    union all
    select * from of_scenarios
    union all
    select * from for_baselines

)

select
    scenario,
    importer_iso3,
    clause_id,
    valid_from,
    valid_to,
    is_for_baseline
from timelines
