with commodity_minerals as (

    select * from {{ ref('seed_commodity_minerals') }}

)

select
    hs6_code,
    mineral,
    code_share_low,
    code_share_high,
    basis,
    source
from commodity_minerals
