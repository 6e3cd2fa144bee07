-- Nobody holds a unit value of trade: what it gains and how far it falls is mostly another mix of
-- goods.
with prices as (

    select * from {{ ref('prices') }}
    where
        return_close > 0
        and instrument not in (
            select unit_values.instrument
            from {{ ref('int_market__derive_unit_values') }} as unit_values
        )

),

-- An index and a price of the same thing are two series, and so are prices of days and averages:
-- the one that reaches furthest counts.
series as (

    select
        instrument,
        frequency,
        price_date,
        return_close,
        snapshot_ids,
        ln(
            return_close
            / lag(return_close) over (
                partition by instrument, frequency, unit
                order by price_date
            )
        ) as log_return
    from prices
    window
        whole_series as (
            partition by instrument
            order by price_date
            rows between unbounded preceding and unbounded following
        )
    qualify
        unit is not distinct from last_value(unit) over whole_series
        and frequency = last_value(frequency) over whole_series

),

spans as (

    select
        instrument,
        any_value(frequency) as frequency,
        min(price_date) as first_date,
        max(price_date) as last_date
    from series
    group by instrument

),

-- The day each window counts from; a window starts with the last close on or before it.
anchors as (

    select
        instrument,
        frequency,
        'since_2025_06_30' as performance_window,
        date '2025-06-30' as anchor_date,
        last_date as window_end
    from spans
    union all
    select
        instrument,
        frequency,
        'ytd' as performance_window,
        make_date(year(last_date) - 1, 12, 31) as anchor_date,
        last_date as window_end
    from spans
    union all
    select
        instrument,
        frequency,
        '1y' as performance_window,
        cast(last_date - interval 1 year as date) as anchor_date,
        last_date as window_end
    from spans
    union all
    select
        instrument,
        frequency,
        '3y' as performance_window,
        cast(last_date - interval 3 year as date) as anchor_date,
        last_date as window_end
    from spans
    union all
    select
        instrument,
        frequency,
        'all' as performance_window,
        first_date as anchor_date,
        last_date as window_end
    from spans

),

windows as (

    select
        anchors.instrument,
        anchors.frequency,
        anchors.performance_window,
        max(series.price_date) as window_start,
        anchors.window_end
    from anchors
    inner join series
        on
            anchors.instrument = series.instrument
            and anchors.anchor_date >= series.price_date
    -- The average of a year is no close: nothing in it tells of a part of a year.
    where
        anchors.frequency <> 'A'
        or anchors.performance_window in ('1y', '3y', 'all')
    group by
        anchors.instrument, anchors.frequency, anchors.performance_window, anchors.window_end
    having max(series.price_date) < anchors.window_end

),

closes as (

    select
        windows.instrument,
        windows.frequency,
        windows.performance_window,
        windows.window_start,
        windows.window_end,
        series.price_date,
        series.return_close,
        series.snapshot_ids,
        case when series.price_date > windows.window_start then series.log_return end
            as log_return,
        series.return_close / max(series.return_close) over (
            partition by windows.instrument, windows.performance_window
            order by series.price_date
        ) - 1 as drawdown_share
    from windows
    inner join series
        on
            windows.instrument = series.instrument
            and series.price_date between windows.window_start and windows.window_end

),

-- Returns are taken in the order of the days, so that the last digit is the same in every run.
measured as (

    select
        instrument,
        frequency,
        performance_window,
        window_start,
        window_end,
        max_by(return_close, price_date) / min_by(return_close, price_date) - 1 as return_share,
        stddev_samp(log_return order by price_date) * sqrt(252) as annualised_volatility,
        min(drawdown_share) as max_drawdown_share,
        cast(count(log_return) as integer) as sessions,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from closes
    group by instrument, frequency, performance_window, window_start, window_end

)

-- Prices of days alone have a volatility.
select
    instrument,
    performance_window as "window",
    frequency,
    window_start,
    window_end,
    return_share,
    case when frequency = 'D' then annualised_volatility end as annualised_volatility,
    max_drawdown_share,
    sessions,
    snapshot_ids
from measured
