with flows as (

    select * from {{ ref('reconciled_flows') }}

),

importers as (

    select * from {{ ref('int_dependency__list_reconciled_importers') }}

)

select
    'reconciled' as source,
    flows.importer_iso3,
    flows.exporter_iso3,
    flows.hs6_code,
    importers.hs_revision,
    make_date(flows.year, 1, 1) as period_start,
    flows.value_usd,
    flows.net_weight_kg,
    flows.is_provisional,
    flows.vintage_at,
    flows.snapshot_ids
from flows
inner join importers
    on
        flows.importer_iso3 = importers.importer_iso3
        and flows.hs6_code = importers.hs6_code
        and flows.year = importers.year
