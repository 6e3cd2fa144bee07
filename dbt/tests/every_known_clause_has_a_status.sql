-- A known clause has been announced, so it has a status from that day.
{{ config(meta={'dagster': {'ref': {'name': 'measure_status'}}}) }}

select
    measures.clause_id,
    measures.announced_date,
    measures.known_at
from {{ ref('measures') }} as measures
left join {{ ref('measure_status') }} as intervals on measures.clause_id = intervals.clause_id
where intervals.clause_id is null
