{% set first_day = 'make_date(year, 1, 1)' %}
{% set figures = {
    'stg_lake__trade_flows': 'period_start',
    'stg_lake__reconciled_trade': 'period_start',
    'stg_lake__production': first_day,
    'stg_lake__governance_scores': first_day,
    'stg_lake__end_uses': first_day,
    'stg_lake__assessments': first_day,
    'stg_lake__price_quotes': 'price_date',
} %}
{% set facts = [
    'stg_lake__restriction_clauses',
    'stg_lake__milestones',
    'stg_lake__claims',
] %}

with sources as (

    select
        source,
        title,
        publisher,
        licence,
        is_redistributable,
        cadence,
        url,
        enabled,
        is_fetched
    from {{ source('runtime', 'sources') }}

),

-- Figures count by when they were retrieved, facts of a catalogue by when they were known; a
-- catalogue itself is never newer than the day it is read for.
coverage as (

    {% for table, period in figures.items() %}
        select
            source,
            max(vintage_at) as last_vintage_at,
            max({{ period }}) as latest_period
        from {{ ref(table) }}
        where vintage_at < {{ as_of_end() }}
        group by source
        union all
    {% endfor %}
    {% for table in facts %}
        select
            source,
            least(max(vintage_at), {{ as_of_day() }}) as last_vintage_at,
            max(known_at) as latest_period
        from {{ ref(table) }}
        where known_at <= {{ as_of_day() }}
        group by source
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

newest as (

    select
        source,
        max(last_vintage_at) as last_vintage_at,
        max(latest_period) as latest_period
    from coverage
    group by source

),

final as (

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
        newest.last_vintage_at,
        newest.latest_period
    from sources
    left join newest on sources.source = newest.source

)

select * from final
