{#
  A row is a day on which something changes. A clause has one for each status that begins, named by
  the statuses around it: 57/2025, suspended through 2026-11-10 and then not known, has
  `suspension_ends` on 2026-11-11. Of plans, arrangements and reviews the day is the one stated.
#}
with timeline as (

    select * from {{ ref('measure_timeline') }}

),

clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

suspensions as (

    select * from {{ ref('stg_lake__restriction_suspensions') }}

),

milestones as (

    select * from {{ ref('milestones') }}

),

supply_projects as (

    select * from {{ ref('supply_projects') }}

),

-- A clause has a row for each name of its target.
statuses as (

    select distinct
        clause_id,
        title,
        implementer_iso3,
        target_iso3,
        valid_from,
        status,
        because,
        hs6_codes,
        minerals,
        source_url
    from timeline

),

-- The day a suspension begins, and the one after its last, are known when it is.
known_days as (

    select
        suspensions.clause_id,
        suspensions.known_at,
        unnest(
            [suspensions.suspended_from, cast(suspensions.suspended_to + interval 1 day as date)]
        ) as turning_day
    from suspensions
    inner join clauses
        on
            suspensions.clause_id = clauses.clause_id
            and suspensions.snapshot_id = clauses.snapshot_id

),

changes_of_clauses as (

    select
        statuses.clause_id as subject_id,
        statuses.valid_from as event_date,
        [statuses.clause_id] as clause_ids,
        statuses.title,
        statuses.implementer_iso3,
        statuses.target_iso3,
        lag(statuses.status) over (
            partition by statuses.clause_id order by statuses.valid_from
        ) as status_before,
        statuses.status as status_after,
        case
            when status_after = 'ended' then 'ends'
            when status_before = 'suspended' then 'suspension_ends'
            when status_after = 'unknown' and status_before is not null then 'lapses'
            else 'begins'
        end as kind,
        statuses.hs6_codes,
        statuses.minerals,
        clauses.date_precision,
        case statuses.status
            when 'announced' then 'announced_date'
            when 'ended' then 'ended_date'
            when 'in_force'
                then if(statuses.valid_from = clauses.effective_date, 'effective_date', null)
        end as dated_by,
        clauses.date_precision <> 'day'
        or coalesce(list_contains(clauses.inferred, dated_by), false) as is_inferred,
        greatest(
            clauses.known_at,
            (
                select max(known_days.known_at) from known_days
                where
                    statuses.clause_id = known_days.clause_id
                    and statuses.valid_from = known_days.turning_day
            ),
            case statuses.status
                when 'ended' then clauses.ended_known_at
                when 'unknown' then clauses.unknown_known_at
            end
        ) as known_at,
        statuses.because,
        clauses.source,
        statuses.source_url
    from statuses
    inner join clauses on statuses.clause_id = clauses.clause_id

),

-- A project that has begun to operate is no plan any more, a proposal is none yet.
starts as (

    select
        'planned' as kind,
        project as subject_id,
        make_date(start_year, 1, 1) as event_date,
        min(name) || ': ' || string_agg(product, ', ' order by product) as title,
        min(economy_iso3) as implementer_iso3,
        flatten(list(minerals)) as minerals,
        'year' as date_precision,
        max(as_of) as known_at,
        coalesce(
            string_agg(distinct status_note, '; ' order by status_note), min(status)
        ) as because,
        min(source) as source,
        min(source_url) as source_url
    from supply_projects
    where status in ('building', 'planned') and start_year is not null
    group by project, start_year

),

hit_by_milestones as (

    select
        milestones.milestone_id,
        flatten(list(statuses.hs6_codes)) as hs6_codes,
        flatten(list(statuses.minerals)) as minerals,
        case when count(distinct statuses.target_iso3) = 1 then min(statuses.target_iso3) end
            as target_iso3
    from milestones
    inner join statuses on list_contains(milestones.clauses, statuses.clause_id)
    group by milestones.milestone_id

),

minerals_of_projects as (

    select
        project,
        flatten(list(minerals)) as minerals
    from supply_projects
    group by project

),

dated_milestones as (

    select
        *,
        case kind when 'arrangement' then 'arrangement_ends' else 'planned' end as event_kind,
        planned_date as day_stated,
        planned_precision as date_precision
    from milestones
    where planned_date is not null
    union all by name
    select
        *,
        'review' as event_kind,
        review_date as day_stated,
        'day' as date_precision
    from milestones
    where review_date is not null

),

events_of_milestones as (

    select
        dated_milestones.event_kind as kind,
        dated_milestones.milestone_id as subject_id,
        dated_milestones.day_stated as event_date,
        dated_milestones.clauses as clause_ids,
        dated_milestones.title,
        dated_milestones.economy_iso3 as implementer_iso3,
        hit_by_milestones.target_iso3,
        hit_by_milestones.hs6_codes,
        coalesce(hit_by_milestones.minerals, minerals_of_projects.minerals) as minerals,
        dated_milestones.date_precision,
        dated_milestones.known_at,
        coalesce(dated_milestones.statement, dated_milestones.title) as because,
        dated_milestones.source,
        dated_milestones.source_url
    from dated_milestones
    left join hit_by_milestones
        on dated_milestones.milestone_id = hit_by_milestones.milestone_id
    left join minerals_of_projects
        on dated_milestones.project = minerals_of_projects.project

),

events as (

    select * from changes_of_clauses
    union all by name
    select
        *,
        date_precision <> 'day' as is_inferred
    from events_of_milestones
    union all by name
    select
        *,
        true as is_inferred
    from starts

)

select
    kind,
    subject_id,
    event_date,
    coalesce(clause_ids, []) as clause_ids,
    title,
    implementer_iso3,
    target_iso3,
    status_before,
    status_after,
    coalesce(list_sort(list_distinct(hs6_codes)), []) as hs6_codes,
    coalesce(list_sort(list_distinct(minerals)), []) as minerals,
    date_precision,
    is_inferred,
    cast(date_diff('day', {{ as_of_day() }}, event_date) as integer) as days_ahead,
    known_at,
    because,
    source,
    source_url
from events
