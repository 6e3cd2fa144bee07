with reported_flows as (

    select * from {{ ref('reported_flows') }}
    where frequency = 'M'

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

chosen as (

    select reported_flows.*
    from reported_flows
    left join precedence on reported_flows.source = precedence.source
    qualify
        row_number() over (
            partition by
                reported_flows.reporter_iso3,
                reported_flows.partner_iso3,
                reported_flows.flow,
                reported_flows.commodity_code,
                reported_flows.period_start
            order by precedence.rank nulls last, reported_flows.source
        ) = 1

)

select
    reporter_iso3,
    partner_iso3,
    flow,
    commodity_code,
    period_start,
    net_weight_kg,
    source,
    vintage_at,
    snapshot_id
from chosen
