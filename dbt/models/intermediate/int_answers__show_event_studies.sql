{# The lines begin after those of the other models. #}
{% set lines_before = 13 %}
{# A test of many is beyond chance below this, once it is adjusted for their number. #}
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

-- Three sessions: news leaks the day before, and is read the day after. Against the market factor
-- where there is one.
of_headlines as (

    select
        headlines.importer_iso3,
        headlines.place,
        headlines.subject,
        studies.*,
        case studies.instrument
            when '6762.T' then 'TDK'
            when 'USDJPY' then 'yen per dollar'
            else studies.instrument
        end
        || case studies.market_factor
            when 'peers_basket' then ' against its peers'
            when 'index' then ' against the market'
            else ''
        end as name
    from headlines
    inner join studies on headlines.event_id = studies.event_id
    where
        studies.window_from = -1
        and studies.window_to = 1
    qualify
        row_number() over (
            partition by headlines.importer_iso3, headlines.place, studies.instrument
            order by studies.model = 'market' desc
        ) = 1

),

in_words as (

    select
        *,
        name
        || case
            when car is null then ': ' || replace(reason, '_', ' ')
            else
                ' ' || {{ return_in_words('car') }}
                || printf(' (%+.1f to %+.1f)', 100 * ci95_low, 100 * ci95_high)
        end as answer
    from of_headlines

),

other_news as (

    select
        importer_iso3,
        place,
        string_agg(distinct event_id, ', ' order by event_id) as event_ids
    from (
        select
            importer_iso3,
            place,
            unnest(contaminated_by) as event_id
        from of_headlines
    ) as found
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
    group by of_headlines.importer_iso3, of_headlines.place

),

together as (

    select
        importer_iso3,
        place,
        any_value(subject) as subject,
        any_value(event_date) as event_date,
        any_value(car) filter (where instrument = 'REMX') as car_of_fund,
        any_value(window_start) filter (where instrument = 'REMX') as window_start,
        any_value(window_end) filter (where instrument = 'REMX') as window_end,
        max(window_end) as last_price_date,
        string_agg(answer, '; ' order by instrument = 'REMX' desc, instrument = 'USDJPY' desc)
            as answers,
        count(car) as judged,
        string_agg(name, ', ' order by instrument = 'REMX' desc, instrument = 'USDJPY' desc)
        filter (where p_value_bh < {{ level }}) as beyond_chance,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from in_words
    group by importer_iso3, place

)

select
    together.importer_iso3,
    cast({{ lines_before }} + together.place as integer) as position,
    'Markets around ' || together.subject || ' (' || together.event_date || '), REMX' as subject,
    together.car_of_fund as figure,
    'return' as unit,
    {{ as_interval('together.window_start', 'together.window_end') }} as period,
    together.answers
    || case
        when together.judged = 0 then ''
        when together.beyond_chance is null then '; nothing beyond chance among all events'
        else '; beyond chance among all events: ' || together.beyond_chance
    end
    || coalesce('; other news: ' || other_news.event_ids, '') as detail,
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
