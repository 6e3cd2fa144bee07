with studies as (

    select * from {{ ref('int_market__study_events') }}

),

events as (

    select * from {{ ref('int_market__list_events') }}
    where event_kind <> 'other_news'

),

of_studies as (

    select * from {{ ref('event_studies') }}

),

-- The windows of a study have the same prices.
snapshots as (

    select
        event_id,
        instrument,
        model,
        any_value(snapshot_ids) as snapshot_ids
    from of_studies
    group by event_id, instrument, model

)

select
    studies.event_id,
    studies.instrument,
    studies.model,
    studies.window_to as session_offset,
    studies.window_end as session_date,
    studies.abnormal_return_last_day as abnormal_return,
    studies.car as cumulative_abnormal_return,
    studies.standard_error,
    studies.ci95_low,
    studies.ci95_high,
    studies.first_price_date,
    studies.market_instrument,
    snapshots.snapshot_ids
from studies
inner join events on studies.event_id = events.event_id
left join snapshots
    on
        studies.event_id = snapshots.event_id
        and studies.instrument = snapshots.instrument
        and studies.model = snapshots.model
where studies.is_path
