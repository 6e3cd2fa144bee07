with clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

known_suspensions as (

    select * from {{ ref('stg_lake__restriction_suspensions') }}

),

-- Those of the text of the clause that counts: one that it no longer has is gone.
suspensions as (

    select
        known_suspensions.clause_id,
        known_suspensions.suspended_from,
        known_suspensions.suspended_to,
        known_suspensions.suspended_by,
        known_suspensions.known_at
    from known_suspensions
    inner join clauses
        on
            known_suspensions.clause_id = clauses.clause_id
            and known_suspensions.snapshot_id = clauses.snapshot_id

),

milestones as (

    select * from {{ ref('stg_lake__milestones') }}

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
    from suspensions
    union distinct
    select
        clause_id,
        cast(suspended_to + interval 1 day as date) as turning_day
    from suspensions
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
        suspensions.suspended_by,
        {{ status_on('turning_days.turning_day', 'clauses', 'suspensions') }} as status
    from turning_days
    inner join clauses on turning_days.clause_id = clauses.clause_id
    left join suspensions
        on
            turning_days.clause_id = suspensions.clause_id
            and {{ is_suspended_on('turning_days.turning_day', 'suspensions') }}
    where turning_days.turning_day is not null

),

-- The act that suspends is a part of the state: a suspension by another act is another interval.
states as (

    select
        statuses.clause_id,
        statuses.turning_day,
        statuses.status,
        case
            when statuses.status = 'suspended'
                then coalesce(acts.act, statuses.suspended_by)
        end as suspending_act
    from statuses
    left join acts on statuses.suspended_by = acts.clause_id
    where statuses.status is not null

),

changes as (

    select *
    from states
    qualify
        lag(status) over (partition by clause_id order by turning_day) is distinct from status
        or lag(suspending_act) over (partition by clause_id order by turning_day)
        is distinct from suspending_act

),

intervals as (

    select
        clause_id,
        turning_day as valid_from,
        lead(turning_day) over (partition by clause_id order by turning_day) as valid_to,
        status,
        suspending_act,
        lag(turning_day) over of_clause as previous_from,
        lag(status) over of_clause as previous_status,
        lag(suspending_act) over of_clause as suspended_before
    from changes
    window of_clause as (partition by clause_id order by turning_day)

),

-- What was said, since the state that lapsed began, of a clause whose state is not known.
remarks as (

    select
        intervals.clause_id,
        intervals.valid_from,
        list(milestones.title order by milestones.known_at, milestones.milestone_id) as titles
    from intervals
    inner join milestones
        on
            list_contains(milestones.clauses, intervals.clause_id)
            and intervals.previous_from <= milestones.known_at
    where intervals.status = 'unknown'
    group by intervals.clause_id, intervals.valid_from

)

select
    intervals.clause_id,
    intervals.valid_from,
    intervals.valid_to,
    intervals.status,
    {{ sentence('measures.because', {
        'status': 'intervals.status',
        'valid_from': 'intervals.valid_from',
        'today': as_of_day(),
        'act': 'acts.act',
        'suspending_act': 'intervals.suspending_act',
        'previous_status': 'intervals.previous_status',
        'previous_to': 'cast(intervals.valid_from - interval 1 day as date)',
        'suspended_before': 'intervals.suspended_before',
        'evidence_class': 'clauses.evidence_class',
        'ended_date': 'clauses.ended_date',
        'ended_known_at': 'clauses.ended_known_at',
        'is_own_term': 'clauses.ended_known_at <= clauses.known_at',
        'remarks': 'remarks.titles',
    }) }} as because
from intervals
inner join clauses on intervals.clause_id = clauses.clause_id
inner join acts on intervals.clause_id = acts.clause_id
left join remarks
    on
        intervals.clause_id = remarks.clause_id
        and intervals.valid_from = remarks.valid_from
