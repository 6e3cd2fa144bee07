{# A view, and without the name of the file it lies in: readers open it under any name. #}
{{ config(materialized='view') }}

with measures as (

    select * from {{ ref('measures').include(database=false) }}

),

measure_status as (

    select * from {{ ref('measure_status').include(database=false) }}

),

scope as (

    select
        clause_id,
        list_sort(list_distinct(list(hs6_code))) as hs6_codes,
        list_sort(list_distinct(list(mineral))) as minerals
    from {{ ref('measure_scope').include(database=false) }}
    group by clause_id

)

select
    measures.clause_id,
    measures.measure_id,
    measures.title,
    measures.official_reference,
    measures.implementer_iso3,
    measures.target_iso3,
    measures.target_class,
    measures.target_name,
    measures.reach,
    measures.excludes,
    measures.direction,
    measures.instrument_type,
    measures.evidence_class,
    measure_status.valid_from,
    measure_status.valid_to,
    measure_status.status,
    measure_status.because,
    coalesce(scope.hs6_codes, []) as hs6_codes,
    coalesce(scope.minerals, []) as minerals,
    measures.known_at,
    measures.source_url
from measures
inner join measure_status on measures.clause_id = measure_status.clause_id
left join scope on measures.clause_id = scope.clause_id
