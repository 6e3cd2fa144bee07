with counted as (

    {{ rows_that_count(
        source('lake', 'end_uses'),
        slice=['source', 'label', 'year'],
        counts_from='vintage_at'
    ) }}

)

select
    source,
    label,
    application,
    sector,
    nace2_code,
    year,
    use_share,
    sector_value_added_eur_m,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
