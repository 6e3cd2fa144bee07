with clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

targets as (

    select
        *,
        {{ one_row_per_item('target_names', or_else="''") }} as target_name
    from clauses

)

-- Of the names of a clause only that of those it does not name is inferred.
select
    measure_id,
    clause_id,
    title,
    official_reference,
    implementer_iso3,
    target_iso3,
    target_class,
    target_name,
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
    coalesce(
        case
            when target_name = 'unnamed' then list_sort(inferred)
            else list_sort(list_filter(inferred, lambda name: name <> 'target_name'))
        end,
        []
    ) as inferred,
    remark
from targets
