{% set models_of_tests = {
    'supplier_share': 'int_claims__measure_supplier_share',
    'production_share': 'int_claims__measure_production_share',
    'end_use_share': 'int_claims__measure_end_use_share',
    'abundance': 'int_claims__measure_abundance',
    'measure_in_force': 'int_claims__measure_days_in_force',
    'price_return': 'int_claims__measure_price_return',
    'reported_flow': 'int_claims__measure_reported_flow',
} %}

with claims as (

    select
        claim_id,
        statement,
        claimed_by,
        claimed_at,
        claimed_low,
        is_low_excluded,
        claimed_high,
        basis,
        test,
        missing,
        citation,
        source_url,
        known_at
    from {{ ref('stg_lake__claims') }}

),

-- One branch per test: each has a model of its own with these columns. A row without a value says
-- what was looked for and is not there; a finding without a provenance names its publisher itself.
evidence as (

    {% for test, model in models_of_tests.items() %}
        select
            claim_id,
            basis,
            computed_value,
            finding,
            {{ 'provenance' if test in ('supplier_share', 'abundance') else 'null as provenance' }},
            '{{ test }}' as test
        from {{ ref(model) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

judged as (

    select
        claims.claim_id,
        evidence.basis,
        evidence.computed_value,
        evidence.finding,
        evidence.provenance,
        case
            when evidence.computed_value is not null
                then
                    coalesce(
                        evidence.computed_value > claims.claimed_low
                        or (
                            evidence.computed_value = claims.claimed_low
                            and not coalesce(claims.is_low_excluded, false)
                        ),
                        true
                    )
                    and coalesce(evidence.computed_value <= claims.claimed_high, true)
        end as is_inside
    from claims
    inner join evidence
        on
            claims.claim_id = evidence.claim_id
            and claims.test = evidence.test

),

-- What all figures have in common is told once, after the last.
shared as (

    select
        claim_id,
        case when min(provenance) = max(provenance) then max(provenance) end as provenance
    from judged
    where is_inside is not null
    group by claim_id

),

worded as (

    select
        judged.claim_id,
        judged.basis,
        judged.computed_value,
        judged.is_inside,
        judged.finding
        || case
            when shared.provenance is null then coalesce(' (' || judged.provenance || ')', '')
            else ''
        end as finding,
        shared.provenance
    from judged
    left join shared on judged.claim_id = shared.claim_id

),

summed as (

    select
        claim_id,
        max(provenance) as provenance,
        min(computed_value) as computed_low,
        max(computed_value) as computed_high,
        bool_and(is_inside) as is_every_value_inside,
        bool_or(is_inside) as is_any_value_inside,
        count(computed_value) as computed_values,
        string_agg(finding, ', ' order by basis) filter (where is_inside is not null) as findings,
        string_agg(finding, ', ' order by basis) filter (where is_inside) as findings_inside,
        string_agg(finding, ', ' order by basis) filter (where not is_inside) as findings_outside,
        string_agg(finding, ', ' order by basis) filter (where is_inside is null) as not_found
    from worded
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
            when coalesce(summed.computed_values, 0) = 0 then 'not_testable'
            when summed.is_every_value_inside then 'supported'
            when summed.is_any_value_inside then 'depends_on_basis'
            else 'contradicted'
        end as verdict,
        case
            when coalesce(summed.computed_values, 0) = 0
                then
                    coalesce(
                        claims.missing,
                        'No figure was found for ' || summed.not_found || '.',
                        'The warehouse has no figure of the test ' || claims.test || ' for it.'
                    )
            else
                case
                    when summed.is_every_value_inside
                        then 'The figures agree: ' || summed.findings
                    when summed.is_any_value_inside
                        then
                            'It depends on the basis: it holds '
                            || {{ word_before_a_basis('claims.test') }}
                            || summed.findings_inside
                            || ', it does not '
                            || {{ word_before_a_basis('claims.test') }}
                            || summed.findings_outside
                    else 'The figures disagree: ' || summed.findings
                end
                || coalesce(' (' || summed.provenance || ')', '')
                || coalesce('. No figure was found for ' || summed.not_found, '')
                || '.'
        end as explanation,
        claims.citation,
        claims.source_url,
        claims.known_at
    from claims
    left join summed on claims.claim_id = summed.claim_id

)

select * from verdicts
