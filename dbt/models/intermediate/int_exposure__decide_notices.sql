with notices as (

    select * from {{ ref('int_exposure__date_notices') }}

),

acts as (

    select * from {{ ref('int_exposure__join_acts') }}

),

decisions as (

    select * from {{ ref('stg_lake__notice_decisions') }}

),

-- A clause counts from the day it is known.
clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

counting as (

    select
        decisions.*,
        case decisions.publisher
            when 'mofcom' then 'MOFCOM ' || decisions.notice_id
            when 'federal_register' then 'FR ' || decisions.notice_id
        end as act_number
    from decisions
    left join clauses on decisions.clause_id = clauses.clause_id
    where decisions.clause_id = '' or clauses.clause_id is not null

),

direct as (

    select
        notices.source,
        notices.notice_id,
        counting.clause_id,
        counting.reason,
        counting.known_at as decided_at,
        counting.snapshot_id,
        cast(null as varchar) as through_act,
        if(counting.notice_id = '*', 2, 1) as place
    from notices
    inner join counting
        on
            notices.source = counting.publisher
            and (
                notices.notice_id = counting.notice_id
                or (counting.notice_id = '*' and notices.known_at <= counting.published_to)
            )

),

-- A report of an act is decided with the act; a correction is news of its own.
through_acts as (

    select
        notices.source,
        notices.notice_id,
        counting.clause_id,
        counting.reason,
        counting.known_at as decided_at,
        counting.snapshot_id,
        counting.act_number as through_act,
        3 as place
    from notices
    inner join acts on notices.source = acts.source and notices.notice_id = acts.notice_id
    inner join counting on list_contains(acts.act_numbers, counting.act_number)
    where
        notices.corrects is null
        and not (
            notices.source = counting.publisher and notices.notice_id = counting.notice_id
        )

),

decided as (

    select * from direct
    union all
    select * from through_acts

),

-- That a clause names it goes before that somebody put it aside.
best as (

    select
        source,
        notice_id,
        clause_id <> '' as has_clause,
        place
    from decided
    qualify
        row_number() over (
            partition by source, notice_id
            order by clause_id = '' asc, place asc
        ) = 1

)

select
    decided.source,
    decided.notice_id,
    list(distinct decided.clause_id order by decided.clause_id) filter (
        where decided.clause_id <> ''
    ) as clause_ids,
    min(decided.reason) as reason,
    min(decided.through_act) as through_act,
    min(decided.decided_at) as decided_at,
    {{ snapshots_of('decided.snapshot_id') }} as snapshot_ids
from decided
inner join best
    on
        decided.source = best.source
        and decided.notice_id = best.notice_id
        and decided.place = best.place
        and (decided.clause_id <> '') = best.has_clause
group by decided.source, decided.notice_id
