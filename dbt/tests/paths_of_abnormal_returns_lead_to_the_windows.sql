-- The sum of a path's abnormal returns up to the fifth session after the event is that of the
-- window from the fifth before.
{{ config(meta={'dagster': {'ref': {'name': 'abnormal_returns'}}}) }}

with paths as (

    select
        event_id,
        instrument,
        model,
        sum(abnormal_return) as car
    from {{ ref('abnormal_returns') }}
    where session_offset <= 5
    group by event_id, instrument, model
    having count(*) = 11

),

windows as (

    select * from {{ ref('event_studies') }}
    where
        window_from = -5
        and window_to = 5
        and car is not null

)

select
    windows.event_id,
    windows.instrument,
    windows.model,
    paths.car as car_of_path,
    windows.car as car_of_window
from windows
left join paths
    on
        windows.event_id = paths.event_id
        and windows.instrument = paths.instrument
        and windows.model = paths.model
where
    paths.car is null
    or abs(paths.car - windows.car) > 1e-9
