{% set facts = ['restriction_clauses', 'milestones', 'claims'] %}

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

releases as (

    select * from {{ ref('stg_lake__release_dates') }}

),

-- The first period that is not there yet, where its publisher says when it comes.
expected as (

    select
        releases.source,
        min(releases.period_start) as expected_period,
        arg_min(releases.released_at, releases.period_start) as expected_at
    from releases
    left join newest on releases.source = newest.source
    where releases.period_start > coalesce(newest.latest_period, date '1900-01-01')
    group by releases.source

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
    expected.expected_period,
    expected.expected_at
from sources
left join newest on sources.source = newest.source
left join expected on sources.source = expected.source
