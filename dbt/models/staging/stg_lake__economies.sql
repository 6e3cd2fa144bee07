with counted as (

    {{ rows_that_count(
        source('lake', 'economies'),
        slice=['source', 'document'],
        counts_from='none',
        subject=['economy_iso3']
    ) }}

)

select
    source,
    economy_iso3,
    name,
    name_ja,
    m49_code,
    comtrade_code,
    japan_customs_code,
    region,
    is_eu27,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
