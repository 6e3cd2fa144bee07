with scope as (

    select
        source,
        document,
        snapshot_id,
        clause_id,
        hs_code,
        mineral,
        control_share_low,
        control_share_high,
        basis,
        source_codes,
        correction_reason
    from {{ ref('stg_lake__restriction_scope') }}

),

newest as (

    {{ newest_snapshot('scope', ['clause_id']) }}

),

clauses as (

    select clause_id
    from {{ ref('int_exposure__select_known_clauses') }}

),

codes as (

    select distinct hs6_code
    from {{ ref('commodities') }}

),

known as (

    select
        newest.clause_id,
        newest.hs_code,
        newest.mineral,
        newest.control_share_low,
        newest.control_share_high,
        newest.basis,
        newest.source_codes,
        newest.correction_reason
    from newest
    inner join clauses on newest.clause_id = clauses.clause_id

),

-- A code that a clause names itself goes before the heading it lies under. A heading with no code
-- of ours below it stays as it is, for a check to find.
expanded as (

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

)

select * from expanded
