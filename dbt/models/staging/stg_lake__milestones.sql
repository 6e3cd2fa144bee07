with counted as (

    {{ rows_that_count(
        source('lake', 'milestones'),
        slice=['source', 'document'],
        counts_from='known_at',
        subject=['milestone_id'],
        evidence='evidence_class'
    ) }}

)

select
    source,
    milestone_id,
    kind,
    title,
    project,
    economy_iso3,
    announced_date,
    event_date,
    planned_date,
    ended_date,
    statement,
    evidence_class,
    citation,
    source_url,
    known_at,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
