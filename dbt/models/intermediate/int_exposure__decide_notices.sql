with notices as (

    select * from {{ ref('int_exposure__date_notices') }}

),

acts as (

    select * from {{ ref('int_exposure__name_acts') }}

),

decisions as (

    select * from {{ ref('stg_lake__notice_decisions') }}

),

-- A clause counts from the day it is known.
clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

current_decisions as (

    select
        decisions.publisher,
        decisions.notice_id,
        decisions.published_to,
        decisions.clause_id,
        decisions.clause_id <> '' as has_clause,
        decisions.reason,
        decisions.known_at as decided_at,
        decisions.snapshot_id,
        case decisions.publisher
            when 'mofcom' then 'MOFCOM ' || decisions.notice_id
            when 'federal_register' then 'FR ' || decisions.notice_id
        end as act_number
    from decisions
    left join clauses on decisions.clause_id = clauses.clause_id
    where decisions.clause_id = '' or clauses.clause_id is not null

),

by_number as (

    select
        notices.source,
        notices.notice_id,
        current_decisions.clause_id,
        current_decisions.has_clause,
        current_decisions.reason,
        current_decisions.decided_at,
        current_decisions.snapshot_id,
        cast(null as varchar) as through_act,
        if(current_decisions.has_clause, 1, 2) as precedence
    from notices
    inner join current_decisions
        on
            notices.source = current_decisions.publisher
            and notices.notice_id = current_decisions.notice_id

),

by_day as (

    select
        notices.source,
        notices.notice_id,
        current_decisions.clause_id,
        current_decisions.has_clause,
        current_decisions.reason,
        current_decisions.decided_at,
        current_decisions.snapshot_id,
        cast(null as varchar) as through_act,
        4 as precedence
    from notices
    inner join current_decisions
        on
            notices.source = current_decisions.publisher
            and notices.known_at <= current_decisions.published_to
    where current_decisions.notice_id = '*'

),

-- A number is decided as it is printed, or as the act that it names.
names_of_acts as (

    select
        acts.source,
        acts.notice_id,
        acts.act_number as printed_number,
        len(list_distinct(notices.acts)) as printed_numbers,
        unnest(list_distinct([acts.act_number, acts.act])) as act_number
    from acts
    inner join notices
        on acts.source = notices.source and acts.notice_id = notices.notice_id
    where notices.corrects is null

),

-- A report is decided with its acts, if all of them are: a new act may lift an old one. A
-- correction is news of its own.
by_acts as (

    select
        names_of_acts.source,
        names_of_acts.notice_id,
        current_decisions.clause_id,
        current_decisions.has_clause,
        current_decisions.reason,
        current_decisions.decided_at,
        current_decisions.snapshot_id,
        current_decisions.act_number as through_act,
        if(current_decisions.has_clause, 3, 5) as precedence
    from names_of_acts
    inner join current_decisions on names_of_acts.act_number = current_decisions.act_number
    qualify
        count(distinct names_of_acts.printed_number)
            over (partition by names_of_acts.source, names_of_acts.notice_id)
        = names_of_acts.printed_numbers

),

decided as (

    select * from by_number
    union all by name
    select * from by_day
    union all by name
    select * from by_acts

),

-- What is written of the notice itself goes before what is written of its act or of all before a
-- day; and that a clause names it, before that it is not relevant.
best as (

    select *
    from decided
    qualify precedence = min(precedence) over (partition by source, notice_id)

)

select
    source,
    notice_id,
    list(distinct clause_id order by clause_id) filter (where has_clause) as clause_ids,
    min(reason) as reason,
    min(through_act) as through_act,
    min(decided_at) as decided_at,
    {{ snapshots_of('snapshot_id') }} as snapshot_ids
from best
group by source, notice_id
