with latest_flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}

)

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
    is_sum_of_months,
    is_provisional,
    vintage_at,
    snapshot_id,
    snapshot_ids
from latest_flows
