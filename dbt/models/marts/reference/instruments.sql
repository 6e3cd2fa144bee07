with instruments as (

    select
        instrument,
        name,
        kind,
        currency,
        unit,
        frequency,
        market_timezone,
        market_instrument,
        source
    from {{ ref('seed_instruments') }}

)

select * from instruments
