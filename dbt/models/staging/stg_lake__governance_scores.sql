with counted as (

    {{ rows_that_count(
        source('lake', 'governance_scores'),
        slice=['source', 'indicator', 'economy_iso3', 'year'],
        counts_from='vintage_at'
    ) }}

)

select
    source,
    indicator,
    economy_iso3,
    year,
    estimate,
    standard_error,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
