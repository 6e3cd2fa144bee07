with counted as (

    {{ rows_that_count(
        source('lake', 'restriction_clauses'),
        slice=['source', 'document'],
        counts_from='known_at',
        subject=['clause_id'],
        evidence='evidence_class'
    ) }}

)

select
    source,
    measure_id,
    clause_id,
    title,
    official_reference,
    implementer_iso3,
    direction,
    gta_code,
    announced_date,
    announced_time,
    announced_zone,
    date_precision,
    effective_date,
    suspended_from,
    suspended_to,
    suspended_by,
    suspension_known_at,
    ended_date,
    ended_known_at,
    unknown_from,
    unknown_known_at,
    known_at,
    target_iso3,
    target_class,
    target_names,
    evidence_class,
    confidence,
    remark,
    citation,
    source_url,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
