{% set family = 'instrument, model, window_from, window_to' %}

with studies as (

    select * from {{ ref('int_market__study_events') }}

),

events as (

    select * from {{ ref('int_market__list_events') }}

),

instruments as (

    select * from {{ ref('instruments') }}

),

prices as (

    select * from {{ ref('prices') }}

),

headlines as (

    select * from {{ ref('seed_headline_events') }}

),

shown as (

    select
        event_id,
        list(importer_iso3 order by importer_iso3) as shown_for
    from headlines
    group by event_id

),

-- Clauses of one announcement share their session: one test of the market, however many they are.
tests as (

    select distinct
        studies.instrument,
        studies.model,
        studies.window_from,
        studies.window_to,
        studies.session_date,
        studies.p_value,
        studies.p_value_rank
    from studies
    inner join events on studies.event_id = events.event_id
    where
        studies.is_window
        and studies.p_value is not null
        and events.event_kind <> 'other_news'

),

ranked as (

    select
        *,
        count(*) over (partition by {{ family }}) as tests_of_family,
        row_number() over (partition by {{ family }} order by p_value) as place,
        row_number() over (partition by {{ family }} order by p_value_rank) as place_by_rank
    from tests

),

adjusted as (

    select
        *,
        {{ benjamini_hochberg('p_value', 'place', 'tests_of_family', family) }} as p_value_bh,
        {{ benjamini_hochberg('p_value_rank', 'place_by_rank', 'tests_of_family', family) }}
            as p_value_rank_bh
    from ranked

),

sessions as (

    select distinct
        studies.instrument,
        studies.model,
        studies.event_id,
        studies.session_number,
        events.announcement,
        events.only_instrument
    from studies
    inner join events on studies.event_id = events.event_id
    where studies.session_number is not null

),

-- Another announcement in the window: what the market did may have answered that.
contaminated as (

    select
        studies.event_id,
        studies.instrument,
        studies.model,
        studies.window_from,
        studies.window_to,
        list(others.event_id order by others.event_id) as contaminated_by
    from studies
    inner join events on studies.event_id = events.event_id
    inner join sessions as others
        on
            studies.instrument = others.instrument
            and studies.model = others.model
            and others.session_number
            between studies.session_number + studies.window_from
            and studies.session_number + studies.window_to
            and events.announcement <> others.announcement
            and coalesce(others.only_instrument, studies.instrument) = studies.instrument
    where studies.is_window
    group by
        studies.event_id,
        studies.instrument,
        studies.model,
        studies.window_from,
        studies.window_to

),

spans as (

    select
        event_id,
        instrument,
        model,
        any_value(market_instrument) as market_instrument,
        min(first_price_date) as first_price_date,
        coalesce(max(window_end), max(session_date)) as last_price_date
    from studies
    group by event_id, instrument, model

),

-- The prices a study was made from: from the one before the estimation window to the last it used.
snapshots_of_prices as (

    select
        spans.event_id,
        spans.instrument,
        spans.model,
        {{ union_of_snapshots('prices.snapshot_ids') }} as snapshot_ids
    from spans
    inner join prices
        on
            prices.instrument in (spans.instrument, spans.market_instrument)
            and prices.price_date between spans.first_price_date and spans.last_price_date
            and prices.frequency = 'D'
    group by spans.event_id, spans.instrument, spans.model

)

select
    studies.event_id,
    events.event_kind,
    events.title,
    studies.instrument,
    studies.model,
    studies.window_from,
    studies.window_to,
    events.event_date,
    events.event_time,
    events.event_zone,
    studies.session_date,
    studies.market_instrument,
    case when studies.market_instrument is not null then instruments.market_factor end
        as market_factor,
    studies.alpha,
    studies.beta,
    studies.estimation_days,
    studies.estimation_from,
    studies.estimation_to,
    studies.first_price_date,
    studies.window_start,
    studies.window_end,
    studies.abnormal_return_event_day,
    studies.car,
    studies.standard_error,
    studies.t_statistic,
    studies.p_value,
    studies.p_value_rank,
    adjusted.p_value_bh,
    adjusted.p_value_rank_bh,
    studies.ci95_low,
    studies.ci95_high,
    case when studies.session_number is not null then contaminated.contaminated_by is not null end
        as is_contaminated,
    case when studies.session_number is not null then coalesce(contaminated.contaminated_by, []) end
        as contaminated_by,
    studies.reason,
    row_number() over (
        partition by
            studies.event_id, studies.instrument, studies.window_from, studies.window_to
        order by studies.car is not null desc, studies.model = 'market' desc
    ) = 1 as is_preferred,
    coalesce(shown.shown_for, []) as shown_for,
    {{ snapshots_together(['snapshots_of_prices.snapshot_ids', '[events.snapshot_id]']) }}
        as snapshot_ids
from studies
inner join events on studies.event_id = events.event_id
left join shown on studies.event_id = shown.event_id
left join instruments on studies.instrument = instruments.instrument
left join adjusted
    on
        studies.instrument = adjusted.instrument
        and studies.model = adjusted.model
        and studies.window_from = adjusted.window_from
        and studies.window_to = adjusted.window_to
        and studies.session_date = adjusted.session_date
left join contaminated
    on
        studies.event_id = contaminated.event_id
        and studies.instrument = contaminated.instrument
        and studies.model = contaminated.model
        and studies.window_from = contaminated.window_from
        and studies.window_to = contaminated.window_to
left join snapshots_of_prices
    on
        studies.event_id = snapshots_of_prices.event_id
        and studies.instrument = snapshots_of_prices.instrument
        and studies.model = snapshots_of_prices.model
where
    studies.is_window
    and events.event_kind <> 'other_news'
