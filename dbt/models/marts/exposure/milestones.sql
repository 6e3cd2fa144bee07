with milestones as (

    select * from {{ ref('stg_lake__milestones') }}

)

-- A planned fact, known before it happened, has no event date until that day.
select
    milestone_id,
    kind,
    title,
    official_reference,
    clauses,
    project,
    economy_iso3,
    announced_date,
    case when event_date <= {{ as_of_day() }} then event_date end as event_date,
    case when event_date <= {{ as_of_day() }} then event_time end as event_time,
    case when event_date <= {{ as_of_day() }} then event_zone end as event_zone,
    planned_date,
    planned_precision,
    review_date,
    case when ended_date <= {{ as_of_day() }} then ended_date end as ended_date,
    statement,
    evidence_class,
    source,
    source_url,
    known_at,
    citation
from milestones
