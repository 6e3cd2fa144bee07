with scope as (

    select * from {{ ref('stg_lake__restriction_scope') }}

),

clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

commodity_minerals as (

    -- Clauses are on the codes of the edition of their time.
    select * from {{ ref('commodity_minerals') }}
    where until_revision is null

),

minerals as (

    select * from {{ ref('minerals') }}

),

-- Of a heading, codes of goods of another mineral are not what a clause is about.
codes as (

    select
        hs6_code,
        mineral
    from commodity_minerals
    union distinct
    select
        commodity_minerals.hs6_code,
        'all_rare_earths' as mineral
    from commodity_minerals
    inner join minerals on commodity_minerals.mineral = minerals.mineral
    where minerals.is_rare_earth

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
-- of ours for the mineral stays as it is, for a check to find.
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
        and known.mineral = codes.mineral
qualify
    row_number() over (
        partition by known.clause_id, coalesce(codes.hs6_code, known.hs_code), known.mineral
        order by length(known.hs_code) desc
    ) = 1
