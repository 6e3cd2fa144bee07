with flows as (

    select * from {{ ref('int_trade__choose_reconciled_flows') }}

)

select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    hs_revision,
    cast(extract(year from period_start) as integer) as year,
    value_usd,
    net_weight_kg,
    vintage_at,
    snapshot_id,
    [snapshot_id] as snapshot_ids
from flows
where source = 'baci'
