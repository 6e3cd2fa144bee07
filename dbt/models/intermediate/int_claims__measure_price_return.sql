with claims as (

    select
        claim_id,
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
        price_date,
        source
    from {{ ref('prices') }}

),

-- The source of a return is that of the window's last close.
evidence as (

    select
        claims.claim_id,
        claims.performance_window as basis,
        performance.return_share as value,
        'return' as unit,
        {{ as_interval('performance.window_start', 'performance.window_end') }} as period,
        prices.source,
        claims.instrument as subject,
        abs(performance.max_drawdown_share) as largest_fall_share
    from claims
    left join performance
        on
            claims.instrument = performance.instrument
            and claims.performance_window = performance."window"
    left join prices
        on
            performance.instrument = prices.instrument
            and performance.window_end = prices.price_date

)

select * from evidence
