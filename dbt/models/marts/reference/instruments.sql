with instruments as (

    select * from {{ ref('seed_instruments') }}

)

select
    instrument,
    name,
    kind,
    currency,
    unit,
    frequency,
    market_timezone,
    calendar,
    market_instrument,
    cast(null as varchar) as market_factor,
    source
from instruments
