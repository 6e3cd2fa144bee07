-- A suspension is a separate act, and that act is in the catalogue.
select
    suspended.clause_id,
    suspended.suspended_from,
    suspended.suspended_to,
    suspended.suspended_by
from {{ ref('int_exposure__select_known_suspensions') }} as suspended
left join {{ ref('int_exposure__select_known_clauses') }} as suspending
    on suspended.suspended_by = suspending.clause_id
where suspending.clause_id is null
