with clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

-- Days on which the status can change; `suspended_to` and `ended_date` are the last days of theirs.
turning_days as (

    select
        clause_id,
        announced_date as turning_day
    from clauses
    union distinct
    select
        clause_id,
        effective_date as turning_day
    from clauses
    union distinct
    select
        clause_id,
        suspended_from as turning_day
    from clauses
    union distinct
    select
        clause_id,
        cast(suspended_to + interval 1 day as date) as turning_day
    from clauses
    union distinct
    select
        clause_id,
        unknown_from as turning_day
    from clauses
    union distinct
    select
        clause_id,
        cast(ended_date + interval 1 day as date) as turning_day
    from clauses

),

statuses as (

    select
        turning_days.clause_id,
        turning_days.turning_day,
        {{ status_on('turning_days.turning_day', 'clauses') }} as status
    from turning_days
    inner join clauses on turning_days.clause_id = clauses.clause_id
    where turning_days.turning_day is not null

),

changes as (

    select
        clause_id,
        turning_day,
        status
    from statuses
    where status is not null
    qualify lag(status) over (partition by clause_id order by turning_day) is distinct from status

),

intervals as (

    select
        clause_id,
        turning_day as valid_from,
        lead(turning_day) over (partition by clause_id order by turning_day) as valid_to,
        status
    from changes

),

-- What has no act of its own (a report, a practice) is known by what it does.
acts as (

    select
        clause_id,
        case
            when evidence_class = 'official' then coalesce(official_reference, title)
            else title
        end as act
    from clauses

)

select
    intervals.clause_id,
    intervals.valid_from,
    intervals.valid_to,
    intervals.status,
    case
        when intervals.status = 'suspended'
            then coalesce(suspending.act, clauses.suspended_by, 'no act is named')
        when intervals.status = 'unknown' and intervals.valid_from <= clauses.announced_date
            then 'no source says what holds from ' || cast(intervals.valid_from as varchar)
        when intervals.status = 'unknown'
            then
                'no source says what holds after '
                || cast(cast(intervals.valid_from - interval 1 day as date) as varchar)
        when intervals.status = 'ended' and clauses.ended_known_at <= clauses.known_at
            then 'the measure''s own term, to ' || cast(clauses.ended_date as varchar)
        when intervals.status = 'ended'
            then
                'its end on '
                || cast(clauses.ended_date as varchar)
                || ', known on '
                || cast(clauses.ended_known_at as varchar)
        when intervals.status = 'in_force' and intervals.valid_from > clauses.suspended_to
            then
                'the end of the suspension by '
                || coalesce(suspending.act, clauses.suspended_by, 'an act not named')
        else acts.act
    end as because
from intervals
inner join clauses on intervals.clause_id = clauses.clause_id
inner join acts on intervals.clause_id = acts.clause_id
left join acts as suspending on clauses.suspended_by = suspending.clause_id
