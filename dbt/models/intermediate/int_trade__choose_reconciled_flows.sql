with flows as (

    select * from {{ ref('stg_lake__reconciled_trade') }}

),

slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}

)

-- A flow of an economy with itself is a re-import.
select
    flows.source,
    flows.exporter_iso3,
    flows.importer_iso3,
    flows.hs6_code,
    flows.hs_revision,
    flows.period_start,
    flows.value_usd,
    flows.net_weight_kg,
    flows.is_provisional,
    flows.vintage_at,
    flows.snapshot_id
from flows
inner join slices
    on
        flows.source = slices.source
        and flows.hs6_code = slices.hs6_code
        and flows.period_start = slices.period_start
        and flows.hs_revision = slices.hs_revision
where flows.exporter_iso3 <> flows.importer_iso3
