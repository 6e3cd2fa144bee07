with performance as (

    select * from {{ ref('int_market__measure_performance') }}

)

select
    instrument,
    performance_window as "window",
    window_start,
    window_end,
    return_share,
    annualised_volatility,
    max_drawdown_share,
    sessions
from performance
