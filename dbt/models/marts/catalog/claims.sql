with claims as (

    select * from {{ ref('stg_lake__claims') }}

),

findings as (

    select * from {{ ref('int_claims__judge_findings') }}

),

economies as (

    select * from {{ ref('economies') }}

),

publishers as (

    select * from {{ ref('seed_publishers') }}

),

clauses as (

    select * from {{ ref('measures') }}

),

milestones as (

    select * from {{ ref('milestones') }}

),

snapshots as (

    select
        claim_id,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from findings
    group by claim_id

),

sources as (

    select
        claim_id,
        basis,
        unnest(string_split(source, ', ')) as source
    from findings

),

named_sources as (

    select
        sources.claim_id,
        sources.basis,
        list(
            coalesce(publishers.short_name, sources.source)
            order by coalesce(publishers.short_name, sources.source)
        ) as publishers
    from sources
    left join publishers on sources.source = publishers.source
    group by sources.claim_id, sources.basis

),

figures as (

    select
        findings.*,
        named_sources.publishers,
        coalesce(reporters.name, findings.reporter_iso3) as reporter,
        coalesce(partners.name, findings.partner_iso3) as partner,
        -- How far off, where the claim has both bounds.
        case
            when claims.claimed_low is not null and claims.claimed_high is not null
                then
                    greatest(
                        claims.claimed_low - findings.value, findings.value - claims.claimed_high
                    )
        end as distance
    from findings
    inner join claims on findings.claim_id = claims.claim_id
    left join named_sources
        on
            findings.claim_id = named_sources.claim_id
            and findings.basis = named_sources.basis
    left join economies as reporters on findings.reporter_iso3 = reporters.economy_iso3
    left join economies as partners on findings.partner_iso3 = partners.economy_iso3

),

-- What the figures of a claim show at a moment.
moments as (

    select
        claim_id,
        moment,
        min(value) as computed_low,
        max(coalesce(value_high, value)) as computed_high,
        case
            when min(value) is null then 'not_testable'
            when bool_and(is_inside) then 'supported'
            when bool_or(is_inside) then 'depends_on_basis'
            else 'contradicted'
        end as verdict,
        case when bool_and(not is_inside and unit like 'share_of_%') then min(distance) end
            as nearest,
        bool_or(list_contains(publishers, 'UN Comtrade')) as is_from_comtrade,
        {
            'moment': moment,
            'verdict': verdict,
            'nearest': nearest,
            'figures': list(
                {
                    'subject': subject,
                    'compared_subject': compared_subject,
                    'value': value,
                    'value_high': value_high,
                    'unit': unit,
                    'period': period,
                    'year': year,
                    'is_inside': is_inside,
                    'publishers': publishers,
                    'applications': applications,
                    'largest_fall_share': largest_fall_share,
                    'flow': flow,
                    'frequency': frequency,
                    'reporter': reporter,
                    'partner': partner,
                    'latest_of_code': latest_of_code,
                    'latest_of_any': latest_of_any
                }
                order by basis
            )
        } as facts
    from figures
    group by claim_id, moment

),

-- Only what was known of the catalogue by the day of the build.
known_entries as (

    select clause_id as entry_id
    from clauses
    union
    select milestone_id as entry_id
    from milestones

),

named_evidence as (

    select
        claim_id,
        unnest(evidence_ids) as entry_id
    from claims

),

evidence as (

    select
        named_evidence.claim_id,
        list(distinct named_evidence.entry_id order by named_evidence.entry_id) as evidence_ids
    from named_evidence
    inner join known_entries on named_evidence.entry_id = known_entries.entry_id
    group by named_evidence.claim_id

)

-- The verdict follows from the moment at which it was said; today stands beside it.
select
    claims.claim_id,
    claims.statement,
    claims.reading,
    claims.claimed_by,
    claims.claimed_at,
    claims.claimed_low,
    claims.claimed_high,
    claims.basis,
    said.computed_low,
    said.computed_high,
    coalesce(said.verdict, 'not_testable') as verdict,
    {{ sentence('claims.explanation', {
        'test': 'claims.test',
        'missing': 'claims.missing',
        'is_day_unknown': 'claims.claimed_at is null',
        'is_of_years': 'claims.years is not null',
        'claimed_low': 'claims.claimed_low',
        'claimed_high': 'claims.claimed_high',
        'said': 'said.facts',
        'today': 'today.facts',
        'same_return_of': "case when claims.is_same_return and said.is_from_comtrade then
            coalesce(importers.name, claims.importer_iso3) end",
        'evidence': 'evidence.evidence_ids',
    }) }} as explanation,
    coalesce(evidence.evidence_ids, []) as evidence_ids,
    claims.citation,
    claims.source_url,
    claims.known_at,
    {{ snapshots_together(['[claims.snapshot_id]', 'snapshots.snapshot_ids']) }} as snapshot_ids
from claims
left join snapshots on claims.claim_id = snapshots.claim_id
left join moments as said
    on
        claims.claim_id = said.claim_id
        and said.moment is distinct from 'now'
left join moments as today
    on
        claims.claim_id = today.claim_id
        and today.moment = 'now'
left join evidence on claims.claim_id = evidence.claim_id
left join economies as importers on claims.importer_iso3 = importers.economy_iso3
