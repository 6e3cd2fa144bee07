-- A code means other goods in another edition of the HS: each one that is traded is described.
{{ config(meta={'dagster': {'ref': {'name': 'commodities'}}}) }}

with traded as (

    select distinct
        commodity_code as hs6_code,
        hs_revision
    from {{ ref('reported_flows') }}
    where not is_basket
    union distinct
    select distinct
        hs6_code,
        hs_revision
    from {{ ref('baci_flows') }}
    union distinct
    select distinct
        hs6_code,
        hs_revision
    from {{ ref('reconciled_flows') }}

)

select
    traded.hs6_code,
    traded.hs_revision
from traded
left join {{ ref('commodities') }} as commodities
    on
        traded.hs6_code = commodities.hs6_code
        and traded.hs_revision = commodities.hs_revision
where commodities.hs6_code is null
