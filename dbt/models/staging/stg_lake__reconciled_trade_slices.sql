with counted as (

    {{ slices_that_count(
        source('lake', 'reconciled_trade'),
        slice=['source', 'hs6_code', 'hs_revision', 'period_start'],
        counts_from='vintage_at',
        edition='edition'
    ) }}

)

select
    source,
    hs6_code,
    hs_revision,
    period_start,
    vintage_at,
    snapshot_id,
    rows
from counted
