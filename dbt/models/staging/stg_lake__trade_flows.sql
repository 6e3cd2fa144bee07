with counted as (

    {{ rows_that_count(
        source('lake', 'trade_flows'),
        slice=['source', 'reporter_iso3', 'flow', 'commodity_code', 'frequency', 'period_start'],
        counts_from='vintage_at'
    ) }}

),

published as (

    {{ not_withdrawn('counted', source('lake', 'coverage'), source('runtime', 'snapshots')) }}

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
    procedure_code,
    transport_code,
    second_partner_iso3,
    value_usd,
    net_weight_kg,
    valuation,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from published
