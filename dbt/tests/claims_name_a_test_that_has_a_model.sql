-- A claim names a test of `models_of_claim_tests`, or `none` where no figure can decide it.
with known_tests as (

    select 'none' as test
    {% for test in models_of_claim_tests() %}
        union all
        select '{{ test }}' as test
    {% endfor %}

),

claims as (

    select
        claim_id,
        test
    from {{ ref('stg_lake__claims') }}

)

select
    claims.claim_id,
    claims.test
from claims
left join known_tests on claims.test = known_tests.test
where known_tests.test is null
