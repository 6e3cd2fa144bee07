with counted as (

    {{ rows_that_count(
        source('lake', 'coverage'),
        slice=['source', 'table_name', 'reporter_iso3', 'flow', 'frequency', 'period_start'],
        counts_from='vintage_at'
    ) }}

)

select
    source,
    table_name,
    reporter_iso3,
    flow,
    frequency,
    period_start,
    rows,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
