-- What represents a market has enough prices in this build, and no better candidate has.
{{ config(meta={'dagster': {'ref': {'name': 'instruments'}}}) }}

with instruments as (

    select * from {{ ref('instruments') }}

),

candidates as (

    select * from {{ ref('seed_market_instruments') }}

),

priced as (

    select instrument
    from {{ ref('prices') }}
    where frequency = 'D'
    group by instrument
    having count(*) >= {{ var('least_days_of_a_market') }}

),

best as (

    select
        candidates.instrument,
        min_by(candidates.market_instrument, candidates.rank) as market_instrument
    from candidates
    inner join priced on candidates.market_instrument = priced.instrument
    group by candidates.instrument

)

select
    instruments.instrument,
    instruments.market_instrument,
    best.market_instrument as best_with_prices
from instruments
left join best on instruments.instrument = best.instrument
where instruments.market_instrument is distinct from best.market_instrument
