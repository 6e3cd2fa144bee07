with source as (

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
    from {{ source('lake', 'milestones') }}

)

select * from source
