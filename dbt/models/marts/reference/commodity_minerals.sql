with commodity_minerals as (

    select
        hs6_code,
        mineral,
        content_share_low,
        content_share_high,
        basis,
        source
    from {{ ref('seed_commodity_minerals') }}

)

select * from commodity_minerals
