with flows as (

    select * from {{ ref('int_trade__unite_flows') }}

),

disagreeing_totals as (

    select * from {{ ref('int_trade__list_disagreeing_totals') }}

)

select
    flows.source,
    flows.reporter_iso3,
    flows.partner_iso3,
    flows.flow,
    flows.commodity_code,
    flows.is_basket,
    flows.hs_revision,
    flows.frequency,
    flows.period_start,
    flows.value_usd,
    case when by_weight.measure is null then flows.net_weight_kg end as net_weight_kg,
    flows.valuation,
    flows.is_sum_of_months,
    flows.is_provisional,
    flows.vintage_at,
    flows.snapshot_id,
    flows.snapshot_ids
from flows
left join disagreeing_totals as by_weight
    on
        by_weight.measure = 'net_weight_kg'
        and {{ same_slice('flows', 'by_weight') }}
anti join disagreeing_totals as by_value
    on
        by_value.measure = 'value_usd'
        and {{ same_slice('flows', 'by_value') }}
