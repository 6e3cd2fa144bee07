with sources as (

    select
        source,
        title,
        publisher,
        licence,
        is_redistributable,
        cadence,
        url,
        enabled
    from {{ source('runtime', 'sources') }}

),

-- Figures count by when they were retrieved, facts of a catalogue by when they were known; a
-- catalogue itself is never newer than the day it is read for.
coverage as (

    select
        source,
        max(vintage_at) as last_vintage_at,
        max(period_start) as latest_period
    from {{ ref('stg_lake__trade_flows') }}
    where vintage_at < {{ as_of_end() }}
    group by source
    union all
    select
        source,
        max(vintage_at) as last_vintage_at,
        max(price_date) as latest_period
    from {{ ref('stg_lake__price_quotes') }}
    where vintage_at < {{ as_of_end() }}
    group by source
    union all
    select
        source,
        least(max(vintage_at), {{ as_of_day() }}) as last_vintage_at,
        max(known_at) as latest_period
    from {{ ref('stg_lake__restriction_clauses') }}
    where known_at <= {{ as_of_day() }}
    group by source
    union all
    select
        source,
        least(max(vintage_at), {{ as_of_day() }}) as last_vintage_at,
        max(known_at) as latest_period
    from {{ ref('stg_lake__milestones') }}
    where known_at <= {{ as_of_day() }}
    group by source
    union all
    select
        source,
        least(max(vintage_at), {{ as_of_day() }}) as last_vintage_at,
        max(known_at) as latest_period
    from {{ ref('stg_lake__claims') }}
    where known_at <= {{ as_of_day() }}
    group by source

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
        newest.last_vintage_at,
        newest.latest_period
    from sources
    left join newest on sources.source = newest.source

)

select * from final
