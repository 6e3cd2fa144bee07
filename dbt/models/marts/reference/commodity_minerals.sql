with commodity_minerals as (

    select * from {{ ref('seed_commodity_minerals') }}

),

editions as (

    select * from {{ ref('seed_minerals_of_editions') }}

)

select
    commodity_minerals.hs6_code,
    commodity_minerals.mineral,
    commodity_minerals.code_share_low,
    commodity_minerals.code_share_high,
    editions.since_revision,
    editions.until_revision,
    commodity_minerals.basis,
    commodity_minerals.source
from commodity_minerals
left join editions
    on
        commodity_minerals.hs6_code = editions.hs6_code
        and commodity_minerals.mineral = editions.mineral
