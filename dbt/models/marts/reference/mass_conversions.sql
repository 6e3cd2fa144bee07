with mass_conversions as (

    select * from {{ ref('seed_mass_conversions') }}

)

select
    hs6_code,
    mineral,
    oxide_factor,
    metal_factor,
    source
from mass_conversions
