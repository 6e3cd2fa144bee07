with counted as (

    {{ rows_that_count(
        source('lake', 'reconciled_trade'),
        slice=['source', 'hs6_code', 'hs_revision', 'period_start'],
        counts_from='vintage_at',
        edition='edition'
    ) }}

)

select
    source,
    exporter_iso3,
    importer_iso3,
    hs6_code,
    hs_revision,
    period_start,
    edition,
    value_usd,
    net_weight_kg,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
