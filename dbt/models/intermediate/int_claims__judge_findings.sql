-- Several models read it, and the evidence is costly.
{{ config(materialized='table') }}

with claims as (

    select
        claim_id,
        claimed_low,
        is_low_excluded,
        claimed_high,
        test,
        snapshot_id
    from {{ ref('stg_lake__claims') }}

),

-- What each test found, for the claims that name it; without a value, a figure that is missing.
evidence as (

    {% for test, model in models_of_claim_tests().items() %}
        select
            '{{ test }}' as test,
            *
        from {{ ref(model) }}
        {% if not loop.last %}union all by name{% endif %}
    {% endfor %}

),

findings as (

    select
        evidence.claim_id,
        evidence.moment,
        evidence.basis,
        evidence.value,
        evidence.unit,
        evidence.period,
        case
            when evidence.value is not null
                then
                    coalesce(
                        evidence.value > claims.claimed_low
                        or (
                            evidence.value = claims.claimed_low
                            and not coalesce(claims.is_low_excluded, false)
                        ),
                        true
                    )
                    and coalesce(evidence.value <= claims.claimed_high, true)
        end as is_inside,
        evidence.source,
        -- What it is compared with is counted, too.
        {{ snapshots_together(['[claims.snapshot_id]', 'evidence.snapshot_ids']) }} as snapshot_ids,
        evidence.subject,
        evidence.year,
        evidence.value_high,
        evidence.compared_subject,
        evidence.applications,
        evidence.largest_fall_share,
        evidence.flow,
        evidence.frequency,
        evidence.reporter_iso3,
        evidence.partner_iso3,
        evidence.latest_of_code,
        evidence.latest_of_any
    from claims
    inner join evidence
        on
            claims.claim_id = evidence.claim_id
            and claims.test = evidence.test

)

select * from findings
