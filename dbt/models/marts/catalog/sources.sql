{% set facts = ['restriction_clauses', 'milestones', 'claims', 'notice_decisions'] %}

with sources as (

    select * from {{ source('runtime', 'sources') }}

),

-- Figures are dated by their retrieval, facts of a catalogue by the day they became known; a
-- catalogue itself is never newer than the day of the build.
reach as (

    select
        source,
        vintage_at as last_vintage_at,
        period_start as latest_period
    from {{ ref('int_catalog__count_rows_by_slice') }}
    {% for table in facts %}
        union all
        select
            source,
            least(vintage_at, {{ as_of_day() }}) as last_vintage_at,
            known_at as latest_period
        from {{ ref('stg_lake__' ~ table) }}
    {% endfor %}

),

newest as (

    select
        source,
        max(last_vintage_at) as last_vintage_at,
        max(latest_period) as latest_period
    from reach
    group by source

),

by_frequency as (

    select * from {{ source('runtime', 'lateness') }}

),

-- Of a source with several frequencies, the one that is longest overdue; without any figure, the
-- one with the newest period.
lateness as (

    select
        source,
        coalesce(
            arg_min(published_through, expected_at), max(published_through)
        ) as published_through,
        arg_min(expected_period, expected_at) as expected_period,
        min(expected_at) as expected_at,
        arg_min(days_late, expected_at) as days_late
    from by_frequency
    group by source

)

select
    sources.source,
    sources.title,
    sources.publisher,
    sources.licence,
    sources.is_redistributable,
    sources.cadence,
    sources.url,
    sources.enabled,
    sources.is_fetched,
    sources.last_asked_at,
    sources.last_answer,
    newest.last_vintage_at,
    newest.latest_period,
    lateness.published_through,
    lateness.expected_period,
    lateness.expected_at,
    coalesce(lateness.days_late, 0) > 0 as is_late,
    coalesce(lateness.days_late, 0) as days_late,
    sources.fills_tables
from sources
left join newest on sources.source = newest.source
left join lateness on sources.source = lateness.source
