with clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}
    -- What is asked of goods that leave third countries does not bear on trade with the economy
    -- that asks it.
    where reach is distinct from 'extraterritorial'

),

statuses as (

    select
        *,
        lead(status) over of_clause as next_status,
        lead(because) over of_clause as next_because,
        lag(status) over of_clause as previous_status
    from {{ ref('measure_status') }}
    window of_clause as (partition by clause_id order by valid_from)

),

restrictions as (

    select
        clauses.clause_id,
        'new_restriction' as signal,
        clauses.known_at as event_day,
        clauses.known_at as flows_before,
        cast(null as integer) as days,
        {{ sentence('warnings.new_restriction', {
            'known_at': 'clauses.known_at',
            'effective_date': 'clauses.effective_date',
            'status': 'statuses.status',
            'today': as_of_day(),
        }) }} as in_words
    from clauses
    left join statuses
        on
            clauses.clause_id = statuses.clause_id
            and clauses.effective_date >= statuses.valid_from
            and (statuses.valid_to is null or clauses.effective_date < statuses.valid_to)
    where clauses.direction = 'restrict'

),

-- A suspension that no other follows, or a term. A later fact that is not known yet is not in a
-- status.
lapses_ahead as (

    select
        clauses.clause_id,
        'lapse_ahead' as signal,
        cast(statuses.valid_to - interval 1 day as date) as event_day,
        {{ as_of_day() }} as flows_before,
        date_diff('day', {{ as_of_day() }}, statuses.valid_to) - 1 as days,
        {{ sentence('warnings.lapse_ahead', {
            'days': 'days',
            'status': 'statuses.status',
            'next_because': "case when statuses.next_status = 'unknown' then statuses.next_because end",
            'last_day': 'event_day',
        }) }} as in_words
    from clauses
    inner join statuses on clauses.clause_id = statuses.clause_id
    where
        clauses.direction in ('restrict', 'monitor')
        and (
            (statuses.status = 'suspended' and statuses.next_status <> 'suspended')
            or (statuses.status = 'in_force' and statuses.next_status = 'ended')
        )
        and statuses.valid_from <= {{ as_of_day() }}
        and statuses.valid_to > {{ as_of_day() }}
        and statuses.valid_to - interval 1 day
        <= {{ as_of_day() }} + interval {{ warning_rule('days_ahead') }} day

),

-- A suspension that is over without a word on what holds.
lapsed as (

    select
        clauses.clause_id,
        'lapsed_unknown' as signal,
        statuses.valid_from as event_day,
        {{ as_of_day() }} as flows_before,
        date_diff('day', statuses.valid_from, {{ as_of_day() }}) + 1 as days,
        statuses.because as in_words
    from clauses
    inner join statuses on clauses.clause_id = statuses.clause_id
    where
        clauses.direction in ('restrict', 'monitor')
        and statuses.status = 'unknown'
        and statuses.previous_status = 'suspended'
        and statuses.valid_from <= {{ as_of_day() }}
        and statuses.valid_from + interval {{ warning_rule('days_since') }} day
        > {{ as_of_day() }}
        and (statuses.valid_to is null or statuses.valid_to > {{ as_of_day() }})

),

events as (

    select * from restrictions
    union all by name
    select * from lapses_ahead
    union all by name
    select * from lapsed

)

select
    clause_id,
    signal,
    event_day,
    flows_before,
    cast(days as integer) as days,
    in_words
from events
