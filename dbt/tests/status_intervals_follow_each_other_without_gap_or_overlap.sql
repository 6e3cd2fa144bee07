-- Every interval but a clause's last ends on the day the next begins; the last one is open. Two of
-- one status that follow each other are two suspensions, each by its own act.
-- No two of a clause begin on one day (measure_status_has_one_row_per_clause_and_interval), so that
-- none is empty either.
with intervals as (

    select
        clause_id,
        valid_from,
        valid_to,
        status,
        because,
        lead(valid_from) over (partition by clause_id order by valid_from) as next_valid_from,
        lead(status) over (partition by clause_id order by valid_from) as next_status,
        lead(because) over (partition by clause_id order by valid_from) as next_because
    from {{ ref('measure_status') }}

)

select
    clause_id,
    status,
    because,
    valid_from,
    valid_to,
    next_status,
    next_because,
    next_valid_from
from intervals
where
    valid_to is distinct from next_valid_from
    or (status = next_status and (status <> 'suspended' or because = next_because))
