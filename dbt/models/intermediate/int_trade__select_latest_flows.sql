with flows as (

    select * from {{ ref('stg_lake__trade_flows') }}

)

-- A row split by procedure, transport or second partner is a part of the row that is not.
select
    source,
    reporter_iso3,
    partner_iso3,
    flow,
    commodity_code,
    is_basket,
    hs_revision,
    frequency,
    period_start,
    value_usd,
    net_weight_kg,
    valuation,
    is_provisional,
    vintage_at,
    snapshot_id
from flows
where
    procedure_code is null
    and transport_code is null
    and second_partner_iso3 is null
