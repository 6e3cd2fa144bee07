with shares as (

    select * from {{ ref('int_production__compute_shares') }}

)

select
    material,
    stage,
    year,
    economy_iso3,
    source,
    amount_t,
    share,
    world_total_t,
    is_estimate
from shares
