with claims as (

    select
        claim_id,
        statement,
        claimed_by,
        claimed_at,
        claimed_low,
        claimed_high,
        basis,
        test,
        citation,
        source_url,
        known_at
    from {{ ref('int_claims__select_known_claims') }}

),

-- One branch per test: each has a model of its own with these four columns.
evidence as (

    select
        claim_id,
        basis,
        computed_value,
        finding,
        'supplier_share' as test
    from {{ ref('int_claims__measure_supplier_share') }}

),

judged as (

    select
        claims.claim_id,
        evidence.basis,
        evidence.computed_value,
        evidence.finding,
        coalesce(evidence.computed_value >= claims.claimed_low, true)
        and coalesce(evidence.computed_value <= claims.claimed_high, true) as is_inside
    from claims
    inner join evidence
        on
            claims.claim_id = evidence.claim_id
            and claims.test = evidence.test

),

summed as (

    select
        claim_id,
        min(computed_value) as computed_low,
        max(computed_value) as computed_high,
        bool_and(is_inside) as is_every_value_inside,
        bool_or(is_inside) as is_any_value_inside,
        string_agg(finding, ', ' order by basis) as findings,
        string_agg(finding, ', ' order by basis) filter (where is_inside) as findings_inside,
        string_agg(finding, ', ' order by basis) filter (where not is_inside) as findings_outside
    from judged
    group by claim_id

),

verdicts as (

    select
        claims.claim_id,
        claims.statement,
        claims.claimed_by,
        claims.claimed_at,
        claims.claimed_low,
        claims.claimed_high,
        claims.basis,
        summed.computed_low,
        summed.computed_high,
        case
            when summed.claim_id is null then 'not_testable'
            when summed.is_every_value_inside then 'supported'
            when summed.is_any_value_inside then 'depends_on_basis'
            else 'contradicted'
        end as verdict,
        case
            when summed.claim_id is null
                then 'The warehouse has no figure of the test ' || claims.test || ' for it.'
            when summed.is_every_value_inside then 'The figures agree: ' || summed.findings || '.'
            when summed.is_any_value_inside
                then
                    'It depends on the basis: it holds by '
                    || summed.findings_inside
                    || ', it does not by '
                    || summed.findings_outside
                    || '.'
            else 'The figures disagree: ' || summed.findings || '.'
        end as explanation,
        claims.citation,
        claims.source_url,
        claims.known_at
    from claims
    left join summed on claims.claim_id = summed.claim_id

)

select * from verdicts
