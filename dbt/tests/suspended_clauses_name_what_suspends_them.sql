-- A suspension is a separate act, and that act is in the catalogue.
{{ config(meta={'dagster': {'ref': {'name': 'measure_status'}}}) }}

select
    suspended.clause_id,
    suspended.valid_from,
    suspended.valid_to,
    suspended.because
from {{ ref('measure_status') }} as suspended
left join {{ ref('measures') }} as suspending
    on suspended.because in (suspending.official_reference, suspending.title)
where
    suspended.status = 'suspended'
    and suspending.clause_id is null
