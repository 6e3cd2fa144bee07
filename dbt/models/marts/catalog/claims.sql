with verdicts as (

    select
        claim_id,
        statement,
        claimed_by,
        claimed_at,
        claimed_low,
        claimed_high,
        basis,
        computed_low,
        computed_high,
        verdict,
        explanation,
        citation,
        source_url,
        known_at
    from {{ ref('int_claims__reach_verdicts') }}

)

select * from verdicts
