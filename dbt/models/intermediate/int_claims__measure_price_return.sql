with claims as (

    select
        claim_id,
        {{ judged_as_of() }} as judged_as_of,
        instrument,
        performance_window
    from {{ ref('stg_lake__claims') }}
    where test = 'price_return'

),

performance as (

    select * from {{ ref('performance') }}

),

prices as (

    select
        instrument,
        frequency,
        price_date,
        return_close,
        unit,
        source,
        snapshot_ids
    from {{ ref('prices') }}

),

-- The source of a return is that of the window's last close.
found_now as (

    select
        claims.claim_id,
        claims.judged_as_of,
        claims.instrument,
        claims.performance_window,
        performance.window_start,
        performance.window_end,
        performance.return_share,
        abs(performance.max_drawdown_share) as largest_fall_share,
        performance.snapshot_ids,
        performance.frequency,
        prices.source,
        prices.unit
    from claims
    left join performance
        on
            claims.instrument = performance.instrument
            and claims.performance_window = performance."window"
    left join prices
        on
            performance.instrument = prices.instrument
            and performance.frequency = prices.frequency
            and performance.window_end = prices.price_date

),

-- The windows of claims begin on a fixed day, so that only the last close differs.
closes_then as (

    select
        found_now.claim_id,
        found_now.window_start,
        max(prices.price_date) as window_end,
        max_by(prices.return_close, prices.price_date)
        / min_by(prices.return_close, prices.price_date)
        - 1 as return_share,
        max_by(prices.source, prices.price_date) as source,
        {{ union_of_snapshots('prices.snapshot_ids') }} as snapshot_ids
    from found_now
    inner join prices
        on
            found_now.instrument = prices.instrument
            and found_now.frequency = prices.frequency
            and found_now.unit is not distinct from prices.unit
            and prices.price_date between found_now.window_start and found_now.judged_as_of
    group by found_now.claim_id, found_now.window_start
    having max(prices.price_date) > found_now.window_start

),

evidence as (

    select
        found_now.claim_id,
        'then' as moment,
        {{ basis_at('found_now.performance_window', "'then'") }} as basis,
        closes_then.return_share as value,
        'return' as unit,
        {{ as_interval('closes_then.window_start', 'closes_then.window_end') }} as period,
        closes_then.source,
        closes_then.snapshot_ids,
        found_now.instrument as subject,
        cast(null as double) as largest_fall_share
    from found_now
    left join closes_then on found_now.claim_id = closes_then.claim_id
    union all by name
    select
        claim_id,
        'now' as moment,
        {{ basis_at('performance_window', "'now'") }} as basis,
        return_share as value,
        'return' as unit,
        {{ as_interval('window_start', 'window_end') }} as period,
        source,
        snapshot_ids,
        instrument as subject,
        largest_fall_share
    from found_now

)

select * from evidence
