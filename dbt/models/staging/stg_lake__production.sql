with counted as (

    {{ rows_that_count(
        source('lake', 'production'),
        slice=['source', 'label', 'stage', 'scope_iso3', 'year'],
        counts_from='vintage_at',
        edition='edition'
    ) }}

)

select
    source,
    label,
    stage,
    scope_iso3,
    economy_iso3,
    year,
    edition,
    amount_t,
    share,
    bound,
    flag,
    trade_parameter,
    printed,
    notes,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
