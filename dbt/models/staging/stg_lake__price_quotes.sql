with counted as (

    {{ rows_that_count(
        source('lake', 'price_quotes'),
        slice=['source', 'instrument', 'unit', 'price_date'],
        counts_from='vintage_at',
        edition='edition'
    ) }}

)

select
    source,
    instrument,
    price_date,
    edition,
    frequency,
    close,
    adjusted_close,
    currency,
    unit,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
