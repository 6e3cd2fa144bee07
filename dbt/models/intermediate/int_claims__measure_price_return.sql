with claims as (

    select
        claim_id,
        instrument,
        performance_window
    from {{ ref('stg_lake__claims') }}
    where test = 'price_return'

),

performance as (

    select
        instrument,
        performance_window,
        window_start,
        window_end,
        return_share,
        max_drawdown_share
    from {{ ref('int_market__measure_performance') }}

),

evidence as (

    select
        claims.claim_id,
        claims.performance_window as basis,
        performance.return_share as computed_value,
        claims.instrument
        || coalesce(
            ' '
            || {{ as_change('performance.return_share') }}
            || ' from '
            || performance.window_start
            || ' to '
            || performance.window_end
            || ', with a largest fall of '
            || {{ as_percent('abs(performance.max_drawdown_share)') }}
            || ' on the way',
            ''
        ) as finding
    from claims
    left join performance
        on
            claims.instrument = performance.instrument
            and claims.performance_window = performance.performance_window

)

select * from evidence
