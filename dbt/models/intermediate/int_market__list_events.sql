{# News that is no restriction is studied too: whether its session is in a window of another event
   decides whether that window is contaminated. #}

with clauses as (

    select * from {{ ref('stg_lake__restriction_clauses') }}

),

milestones as (

    select * from {{ ref('stg_lake__milestones') }}

),

other_news as (

    select * from {{ ref('seed_other_news') }}

),

-- Clauses of one government, day and direction are one announcement, as are milestones of one
-- project and day.
events as (

    select
        clause_id as event_id,
        'clause' as event_kind,
        title,
        implementer_iso3 || ' ' || announced_date || ' ' || direction as announcement,
        cast(null as varchar) as only_instrument,
        announced_date as event_date,
        announced_time as event_time,
        announced_zone as event_zone,
        date_precision,
        snapshot_id
    from clauses
    union all
    select
        milestone_id as event_id,
        'milestone' as event_kind,
        title,
        coalesce(project || ' ' || event_date, milestone_id) as announcement,
        null as only_instrument,
        event_date,
        event_time,
        event_zone,
        'day' as date_precision,
        snapshot_id
    from milestones
    where event_date <= {{ as_of_day() }}
    union all
    select
        news_id as event_id,
        'other_news' as event_kind,
        title,
        news_id as announcement,
        instrument as only_instrument,
        news_date as event_date,
        news_time as event_time,
        news_zone as event_zone,
        'day' as date_precision,
        null as snapshot_id
    from other_news
    where news_date <= {{ as_of_day() }}

)

select
    event_id,
    event_kind,
    title,
    announcement,
    only_instrument,
    event_date,
    event_time,
    event_zone,
    date_precision,
    snapshot_id
from events
