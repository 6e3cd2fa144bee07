{% set months_shown = 24 %}
{# A return over fewer closes is noise. #}
{% set least_sessions = 20 %}

with prices as (

    select * from {{ ref('prices') }}

),

performance as (

    select * from {{ ref('performance') }}

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

-- In the unit of the last one: an index and a price are two series.
closes as (

    select * from prices
    where instrument in ('REMX', 'USDJPY', 'EURUSD') and frequency = 'D'
    qualify
        unit is not distinct from last_value(unit) over (
            partition by instrument
            order by price_date
            rows between unbounded preceding and unbounded following
        )

),

closes_by_month as (

    select
        instrument,
        date_trunc('month', price_date) as period_start,
        arg_max(return_close, price_date) as close,
        max(price_date) as last_day,
        arg_max(source, price_date) as source,
        arg_max(unit, price_date) as unit,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from closes
    group by instrument, date_trunc('month', price_date)
    qualify
        row_number() over (
            partition by instrument
            order by date_trunc('month', price_date) desc
        ) <= {{ months_shown }}

),

market_trends as (

    select
        instrument,
        arg_max(close, period_start) as close,
        max(last_day) as last_day,
        list(close order by period_start) as trend,
        strftime(min(period_start), '%Y-%m') as trend_from,
        arg_max(source, period_start) as source,
        arg_max(unit, period_start) as unit,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from closes_by_month
    group by instrument

),

-- Since mid-2025, when the controls began to bite; over a year where that is too short.
fund_return as (

    select * from performance
    where
        instrument = 'REMX'
        and "window" in ('since_2025_06_30', '1y')
        and sessions >= {{ least_sessions }}
    order by "window" = '1y'
    limit 1

),

fund as (

    select
        importers.importer_iso3,
        16 as position,
        {{ sentence('answers.fund') }} as subject,
        fund_return.return_share as figure,
        'return' as unit,
        coalesce(
            {{ as_interval('fund_return.window_start', 'fund_return.window_end') }},
            strftime(market_trends.last_day, '%Y-%m-%d')
        ) as period,
        {{ sentence('answers.fund_detail', {
            'largest_fall': 'fund_return.max_drawdown_share',
            'volatility': 'fund_return.annualised_volatility',
            'has_close': 'market_trends.close is not null',
        }) }} as detail,
        market_trends.trend,
        market_trends.trend_from,
        market_trends.source,
        cast(market_trends.last_day as timestamp) as vintage_at,
        {{ snapshots_together(['market_trends.snapshot_ids', 'fund_return.snapshot_ids']) }}
            as snapshot_ids
    from importers
    left join market_trends on market_trends.instrument = 'REMX'
    left join fund_return on true

),

currency as (

    select
        importers.importer_iso3,
        17 as position,
        {{ sentence('answers.currency', {'importer': 'importers.importer_iso3'}) }} as subject,
        market_trends.close as figure,
        coalesce(
            market_trends.unit,
            case importers.importer_iso3 when 'JPN' then 'JPY per USD' else 'USD per EUR' end
        ) as unit,
        strftime(market_trends.last_day, '%Y-%m-%d') as period,
        {{ sentence('answers.currency_detail', {
            'has_close': 'market_trends.close is not null',
        }) }} as detail,
        market_trends.trend,
        market_trends.trend_from,
        market_trends.source,
        cast(market_trends.last_day as timestamp) as vintage_at,
        market_trends.snapshot_ids
    from importers
    left join market_trends
        on market_trends.instrument = case importers.importer_iso3
            when 'JPN' then 'USDJPY' else 'EURUSD'
        end
    where
        importers.importer_iso3 = 'JPN'
        or importers.is_eu27

),

lines as (

    select * from fund
    union all by name
    select * from currency

)

select
    importer_iso3,
    position,
    subject,
    figure,
    unit,
    period,
    detail,
    trend,
    trend_from,
    source,
    vintage_at,
    snapshot_ids
from lines
