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
    source
from instruments
