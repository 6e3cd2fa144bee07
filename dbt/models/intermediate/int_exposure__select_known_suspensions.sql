with suspensions as (

    select * from {{ ref('stg_lake__restriction_suspensions') }}

),

clauses as (

    select
        clause_id,
        snapshot_id
    from {{ ref('int_exposure__select_known_clauses') }}

)

-- Of the texts of a clause one counts, and with it the suspensions of that text alone: one that a
-- newer text no longer has is gone, and so is one of a report that an official text replaces.
select
    suspensions.clause_id,
    suspensions.suspended_from,
    suspensions.suspended_to,
    suspensions.suspended_by,
    suspensions.known_at
from suspensions
inner join clauses
    on
        suspensions.clause_id = clauses.clause_id
        and suspensions.snapshot_id = clauses.snapshot_id
