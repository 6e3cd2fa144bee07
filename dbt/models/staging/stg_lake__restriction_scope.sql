with counted as (

    {{ rows_that_count(
        source('lake', 'restriction_scope'),
        slice=['source', 'document'],
        counts_from='none',
        subject=['clause_id']
    ) }}

)

select
    source,
    clause_id,
    hs_code,
    mineral,
    control_share_low,
    control_share_high,
    basis,
    source_codes,
    correction_reason,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
