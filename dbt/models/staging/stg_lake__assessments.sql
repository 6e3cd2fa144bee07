with counted as (

    {{ rows_that_count(
        source('lake', 'assessments'),
        slice=['source', 'assessment', 'label', 'stage'],
        counts_from='vintage_at'
    ) }}

)

select
    source,
    assessment,
    year,
    label,
    stage,
    supply_risk,
    economic_importance,
    import_reliance,
    eol_recycling_rate,
    supply_used,
    substitution_index_economic,
    substitution_index_supply,
    hhi_global_supply,
    hhi_consumer_sourcing,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
