with clauses as (

    select * from {{ ref('stg_lake__restriction_clauses') }}

),

-- A later fact without a day of its own was known when the clause was.
dated as (

    select
        *,
        coalesce(ended_known_at, known_at) <= {{ as_of_day() }} as is_end_known,
        coalesce(unknown_known_at, known_at) <= {{ as_of_day() }} as is_doubt_known
    from clauses

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
    date_precision,
    effective_date,
    case when is_end_known then ended_date end as ended_date,
    case
        when is_end_known and ended_date is not null then coalesce(ended_known_at, known_at)
    end as ended_known_at,
    case when is_doubt_known then unknown_from end as unknown_from,
    case
        when is_doubt_known and unknown_from is not null then coalesce(unknown_known_at, known_at)
    end as unknown_known_at,
    known_at,
    target_iso3,
    target_class,
    target_names,
    reach,
    excludes,
    evidence_class,
    confidence,
    inferred,
    remark,
    citation,
    source_url,
    snapshot_id
from dated
