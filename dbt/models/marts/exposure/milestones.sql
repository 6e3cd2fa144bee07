with milestones as (

    select
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
        source,
        source_url,
        known_at,
        citation,
        document,
        snapshot_id
    from {{ ref('stg_lake__milestones') }}

),

newest as (

    {{ newest_snapshot('milestones', ['milestone_id']) }}

),

known as (

    select
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
        source,
        source_url,
        known_at,
        citation
    from newest
    where known_at <= {{ as_of_day() }}

)

select * from known
