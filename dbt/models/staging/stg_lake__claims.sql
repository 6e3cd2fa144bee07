with counted as (

    {{ rows_that_count(
        source('lake', 'claims'),
        slice=['source', 'document'],
        counts_from='known_at',
        subject=['claim_id']
    ) }}

)

select
    source,
    claim_id,
    statement,
    claimed_by,
    claimed_at,
    claimed_low,
    is_low_excluded,
    claimed_high,
    basis,
    test,
    missing,
    importer_iso3,
    supplier_iso3,
    mineral_group,
    minerals,
    compared_minerals,
    stage,
    nace2_code,
    commodity_code,
    flow,
    frequency,
    period_start,
    period_end,
    instrument,
    performance_window,
    citation,
    source_url,
    known_at,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
