with instruments as (

    select * from {{ ref('seed_instruments') }}

),

candidates as (

    select * from {{ ref('seed_market_instruments') }}

),

baskets as (

    select
        instrument,
        member,
        count(*) over (partition by instrument) as members
    from {{ ref('seed_baskets_of_instruments') }}

),

daily_quotes as (

    select distinct
        source,
        instrument,
        price_date
    from {{ ref('stg_lake__price_quotes') }}
    where
        frequency = 'D'
        and close > 0

),

unit_values as (

    select * from {{ ref('int_market__derive_unit_values') }}

),

commodities as (

    select * from {{ ref('commodities') }}

),

economies as (

    select * from {{ ref('economies') }}

),

basket_days as (

    select
        baskets.instrument,
        baskets.members,
        daily_quotes.source,
        daily_quotes.price_date
    from baskets
    inner join daily_quotes on baskets.member = daily_quotes.instrument
    group by
        baskets.instrument, baskets.members, daily_quotes.source, daily_quotes.price_date
    having count(*) = baskets.members

),

-- What has daily prices: quotes of its own, or days on which every member of the basket has one.
with_daily_prices as (

    select instrument
    from (
        select
            instrument,
            price_date
        from daily_quotes
        union
        select
            instrument,
            price_date
        from basket_days
    ) as days
    group by instrument
    having count(*) >= {{ var('least_days_of_a_market') }}

),

market_factors as (

    select
        candidates.instrument,
        candidates.market_instrument,
        candidates.factor_kind
    from candidates
    inner join with_daily_prices on candidates.market_instrument = with_daily_prices.instrument
    qualify
        row_number() over (partition by candidates.instrument order by candidates.rank) = 1

),

members_of_baskets as (

    select
        instrument,
        list(member order by member) as members
    from baskets
    group by instrument

),

series_of_trade as (

    select
        instrument,
        side,
        reporter_iso3,
        commodity_code,
        valuation,
        source,
        max_by(hs_revision, period_start) as hs_revision
    from unit_values
    group by instrument, side, reporter_iso3, commodity_code, valuation, source

),

derived_from_trade as (

    select
        series_of_trade.instrument,
        {{ sentence('reference.unit_value', {
            'side': 'series_of_trade.side',
            'description': 'coalesce(commodities.description, series_of_trade.commodity_code)',
            'commodity': 'series_of_trade.commodity_code',
            'reporter': 'coalesce(economies.name, series_of_trade.reporter_iso3)',
            'valuation': 'series_of_trade.valuation',
        }) }} as name,
        'commodity' as kind,
        'USD' as currency,
        'USD per kg' as unit,
        'M' as frequency,
        'UTC' as market_timezone,
        series_of_trade.source
    from series_of_trade
    left join commodities
        on
            series_of_trade.commodity_code = commodities.hs6_code
            and series_of_trade.hs_revision = commodities.hs_revision
    left join economies on series_of_trade.reporter_iso3 = economies.economy_iso3

),

listed as (

    select * from instruments
    union all by name
    select * from derived_from_trade

)

select
    listed.instrument,
    listed.name,
    listed.kind,
    listed.currency,
    listed.unit,
    listed.frequency,
    listed.market_timezone,
    listed.calendar,
    market_factors.market_instrument,
    market_factors.factor_kind as market_factor,
    members_of_baskets.members,
    listed.source
from listed
left join market_factors on listed.instrument = market_factors.instrument
left join members_of_baskets on listed.instrument = members_of_baskets.instrument
