with clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

targets as (

    select
        *,
        {{ one_row_per_item('target_names', or_else="''") }} as target_name
    from clauses

)

select
    measure_id,
    clause_id,
    title,
    official_reference,
    implementer_iso3,
    target_iso3,
    target_class,
    target_name,
    reach,
    excludes,
    {{ instrument_type('gta_code', 'direction') }} as instrument_type,
    gta_code,
    direction,
    announced_date,
    date_precision,
    effective_date,
    ended_date,
    known_at,
    evidence_class,
    source,
    source_url,
    citation,
    confidence,
    {{ inferred_of_target('inferred', 'target_name') }} as inferred,
    remark
from targets
