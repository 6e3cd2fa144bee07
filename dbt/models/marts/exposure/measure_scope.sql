with scope as (

    select * from {{ ref('stg_lake__restriction_scope') }}

),

clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

codes as (

    select distinct hs6_code
    from {{ ref('commodities') }}

),

known as (

    select
        scope.clause_id,
        scope.hs_code,
        scope.mineral,
        scope.control_share_low,
        scope.control_share_high,
        scope.basis,
        scope.source_codes,
        scope.correction_reason
    from scope
    inner join clauses on scope.clause_id = clauses.clause_id

)

-- A code that a clause names itself goes before the heading it lies under. A heading with no code
-- of ours below it stays as it is, for a check to find.
select
    known.clause_id,
    coalesce(codes.hs6_code, known.hs_code) as hs6_code,
    known.mineral,
    known.control_share_low,
    known.control_share_high,
    known.basis,
    known.source_codes,
    known.correction_reason
from known
left join codes
    on
        length(known.hs_code) < 6
        and codes.hs6_code like known.hs_code || '%'
qualify
    row_number() over (
        partition by known.clause_id, coalesce(codes.hs6_code, known.hs_code), known.mineral
        order by length(known.hs_code) desc
    ) = 1
