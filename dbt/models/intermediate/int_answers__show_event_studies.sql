{# The lines begin after those of the other models. #}
{% set lines_before = 17 %}
{# A move is unusual below this p-value, adjusted for the number of events. #}
{% set level = 0.05 %}

with headlines as (

    select * from {{ ref('seed_headline_events') }}

),

studies as (

    select * from {{ ref('event_studies') }}

),

prices as (

    select * from {{ ref('prices') }}

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

studied as (

    select distinct
        event_id,
        instrument
    from studies

),

-- Every studied instrument beside every event that has a study.
shown as (

    select distinct
        headlines.importer_iso3,
        headlines.place,
        headlines.subject,
        headlines.event_id,
        instruments.instrument
    from headlines
    inner join studied on headlines.event_id = studied.event_id
    cross join studied as instruments

),

-- Three sessions: news leaks the day before, and is read the day after.
of_headlines as (

    select
        shown.importer_iso3,
        shown.place,
        shown.subject,
        shown.instrument,
        studies.event_date,
        studies.session_date,
        studies.window_start,
        studies.window_end,
        studies.car,
        studies.ci95_low,
        studies.ci95_high,
        studies.p_value_bh,
        studies.p_value_rank_bh,
        studies.is_contaminated,
        studies.contaminated_by,
        studies.reason,
        studies.snapshot_ids,
        studies.market_factor,
        case shown.instrument when 'REMX' then 1 when 'USDJPY' then 2 else 3 end as place_in_line
    from shown
    left join studies
        on
            shown.event_id = studies.event_id
            and shown.instrument = studies.instrument
            and studies.is_preferred
            and studies.window_from = -1
            and studies.window_to = 1

),

other_news as (

    select
        importer_iso3,
        place,
        list(distinct event_id order by event_id) as event_ids
    from (
        select
            importer_iso3,
            place,
            unnest(contaminated_by) as event_id
        from of_headlines
    ) as contaminating_events
    group by importer_iso3, place

),

sources as (

    select
        of_headlines.importer_iso3,
        of_headlines.place,
        string_agg(distinct prices.source, ', ' order by prices.source) as source
    from of_headlines
    inner join prices
        on
            of_headlines.instrument = prices.instrument
            and of_headlines.session_date = prices.price_date
            and prices.frequency = 'D'
    group by of_headlines.importer_iso3, of_headlines.place

),

together as (

    select
        importer_iso3,
        place,
        any_value(subject) as subject,
        any_value(event_date) as event_date,
        any_value(exp(car) - 1) filter (where instrument = 'REMX') as return_of_fund,
        any_value(window_start) filter (where instrument = 'REMX') as window_start,
        any_value(window_end) filter (where instrument = 'REMX') as window_end,
        max(window_end) as last_price_date,
        list(
            struct_pack(
                instrument := instrument,
                return_share := exp(car) - 1,
                low := exp(ci95_low) - 1,
                high := exp(ci95_high) - 1,
                market_factor := market_factor,
                is_contaminated := is_contaminated,
                is_unusual_by_t := coalesce(p_value_bh < {{ level }}, false),
                is_unusual_by_ranks := coalesce(p_value_rank_bh < {{ level }}, false),
                reason := reason
            )
            order by place_in_line, instrument
        ) as answers,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from of_headlines
    group by importer_iso3, place

)

select
    together.importer_iso3,
    cast({{ lines_before }} + together.place as integer) as position,
    {{ sentence('answers.event', {
        'event': 'together.subject',
        'event_date': 'together.event_date',
    }) }} as subject,
    together.return_of_fund as figure,
    'return' as unit,
    {{ as_interval('together.window_start', 'together.window_end') }} as period,
    {{ sentence('answers.event_detail', {
        'answers': 'together.answers',
        'other_events': 'other_news.event_ids',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    sources.source,
    cast(together.last_price_date as timestamp) as vintage_at,
    together.snapshot_ids
from together
inner join importers on together.importer_iso3 = importers.importer_iso3
left join other_news
    on
        together.importer_iso3 = other_news.importer_iso3
        and together.place = other_news.place
left join sources
    on
        together.importer_iso3 = sources.importer_iso3
        and together.place = sources.place
