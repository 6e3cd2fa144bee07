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
        string_agg(
            coalesce(publishers.short_name, sources.source), ', '
            order by coalesce(publishers.short_name, sources.source)
        ) as names
    from sources
    left join publishers on sources.source = publishers.source
    group by sources.claim_id, sources.basis

),

-- Codes in the form used in a sentence.
named as (

    select
        findings.*,
        claims.claimed_low,
        claims.claimed_high,
        claims.claimed_at is null as is_day_unknown,
        claims.years is not null as is_of_years,
        named_sources.names as publisher,
        {{ subject_in_words('findings.subject') }} as subject_name,
        {{ subject_in_words('findings.compared_subject') }} as compared_name,
        coalesce(reporters.name, findings.reporter_iso3) as reporter_name,
        coalesce({{ name_after_preposition('partners.name') }}, findings.partner_iso3)
            as partner_name,
        case findings.frequency when 'M' then 'month' else 'year' end as frequency_name
    from findings
    inner join claims on findings.claim_id = claims.claim_id
    left join named_sources
        on
            findings.claim_id = named_sources.claim_id
            and findings.basis = named_sources.basis
    left join economies as reporters on findings.reporter_iso3 = reporters.economy_iso3
    left join economies as partners on findings.partner_iso3 = partners.economy_iso3

),

-- The subject of the figure, by kind of unit; a share of imports is named by its measure only.
with_subject as (

    select
        *,
        case
            when unit in ('share_of_value', 'share_of_weight') then null
            when unit = 'return' then subject
            when flow is not null
                then
                    reporter_name
                    || '''s '
                    || flow
                    || 's of '
                    || case when subject similar to '[0-9]+' then 'customs code ' else '' end
                    || subject_name
                    || case flow
                        when 'export' then coalesce(' to ' || partner_name, '')
                        else coalesce(' from ' || partner_name, '')
                    end
                    || ' in '
                    || {{ period_in_words('period') }}
            else subject_name
        end as subject_words
    from named

),

-- The figure, by kind of unit; for a flow without one, the latest period that has figures.
with_figure as (

    select
        *,
        case
            when value is null and flow is null then null
            when value is null and latest_of_code is not null
                then
                    '(the latest '
                    || frequency_name
                    || ' of such '
                    || flow
                    || 's in the warehouse is '
                    || {{ period_in_words('latest_of_code') }}
                    || ')'
            when value is null and latest_of_any is not null
                then
                    '(no '
                    || frequency_name
                    || ' of this code is in the warehouse yet, its other '
                    || flow
                    || 's are there up to '
                    || {{ period_in_words('latest_of_any') }}
                    || ')'
            when value is null
                then
                    '(no '
                    || frequency_name
                    || ' of such '
                    || flow
                    || 's is in the warehouse yet)'
            when unit in ('share_of_value', 'share_of_weight')
                then
                    {{ share_in_words('value', 'claimed_low', 'claimed_high') }}
                    || replace(unit, 'share_of_', ' of ')
                    || case when is_of_years then ' in ' || period else '' end
            when unit in ('share_of_output', 'share_of_reserves', 'share_of_capacity')
                then
                    '('
                    || {{ share_in_words('value', 'claimed_low', 'claimed_high') }}
                    || '; '
                    || publisher
                    || ' '
                    || case
                        when period like '%/%'
                            then year || ', average of ' || {{ period_in_words('period') }}
                        else period
                    end
                    || ')'
            when unit = 'share_of_use'
                then
                    '('
                    || {{ share_in_words('value', 'claimed_low', 'claimed_high') }}
                    || ' of its use'
                    || coalesce(': ' || applications, '')
                    || '; '
                    || publisher
                    || ' '
                    || period
                    || ')'
            when unit = 'times_as_abundant'
                then
                    printf('%.2f', value)
                    || case when value_high > value then printf(' to %.2f', value_high) else '' end
            when unit = 'return'
                then
                    {{ return_in_words('value') }}
                    || ' from '
                    || {{ period_in_words('period') }}
                    || coalesce(
                        ', with a largest fall of '
                        || printf('%.1f %%', 100 * largest_fall_share)
                        || ' on the way',
                        ''
                    )
            when unit in ('change_of_value', 'change_of_weight')
                then
                    '('
                    || {{ return_in_words('value') }}
                    || ' of '
                    || replace(unit, 'change_of_', '')
                    || ' on the year before, by '
                    || publisher
                    || ')'
            when flow is not null
                then '(' || {{ tonnes_in_words('value') }} || ' by ' || publisher || ')'
            -- A unit without words of its own is printed as it is.
            else
                '('
                || value
                || ' '
                || replace(unit, '_', ' ')
                || coalesce('; ' || publisher, '')
                || coalesce(' ' || {{ period_in_words('period') }}, '')
                || ')'
        end as figure_words,
        -- The source of the figure, unless the text names its publisher already.
        case
            when is_of_years then publisher
            when unit in ('share_of_value', 'share_of_weight')
                then publisher || ', ' || {{ period_in_words('period') }}
            when unit = 'times_as_abundant' then publisher
        end as provenance
    from with_subject

),

-- The source shared by all figures of a claim and moment is named once, after the last.
shared as (

    select
        claim_id,
        moment,
        case when min(provenance) = max(provenance) then max(provenance) end as provenance
    from with_figure
    where is_inside is not null
    group by claim_id, moment

),

worded as (

    select
        with_figure.claim_id,
        with_figure.moment,
        with_figure.basis,
        with_figure.value,
        with_figure.unit,
        with_figure.is_inside,
        with_figure.is_day_unknown,
        with_figure.is_of_years,
        with_figure.publisher,
        with_figure.subject_words,
        with_figure.compared_name,
        with_figure.claimed_low,
        with_figure.claimed_high,
        shared.provenance,
        greatest(
            coalesce(with_figure.claimed_low - with_figure.value, 0),
            coalesce(with_figure.value - with_figure.claimed_high, 0)
        ) as distance,
        concat_ws(' ', with_figure.subject_words, with_figure.figure_words) as finding,
        case when shared.provenance is null then ' (' || with_figure.provenance || ')' end
            as own_provenance
    from with_figure
    left join shared
        on
            with_figure.claim_id = shared.claim_id
            and with_figure.moment is not distinct from shared.moment

),

-- What is held against the same reference is one phrase: `cerium 1.11 and neodymium 0.69 to 0.96
-- times as abundant as copper`.
phrases as (

    select
        claim_id,
        moment,
        is_inside,
        min(basis) as basis,
        {{ list_in_words('list(finding order by basis)') }}
        || case when is_inside is null then ' against ' else ' times as abundant as ' end
        || compared_name
        || coalesce(own_provenance, '') as phrase
    from worded
    where compared_name is not null
    group by claim_id, moment, is_inside, compared_name, own_provenance
    union all by name
    select
        claim_id,
        moment,
        is_inside,
        basis,
        finding || coalesce(own_provenance, '') as phrase
    from worded
    where compared_name is null

),

sentences as (

    select
        claim_id,
        moment,
        string_agg(phrase, ', ' order by basis) filter (where is_inside is not null) as findings,
        string_agg(phrase, ', ' order by basis) filter (where is_inside) as findings_inside,
        string_agg(phrase, ', ' order by basis) filter (where not is_inside) as findings_outside,
        string_agg(phrase, ', ' order by basis) filter (where is_inside is null) as not_found
    from phrases
    group by claim_id, moment

),

summed as (

    select
        claim_id,
        moment,
        max(provenance) as provenance,
        bool_or(is_day_unknown) as is_day_unknown,
        case when bool_or(is_of_years) then ' on the basis and the year' else ' on the basis' end
            as on_what,
        min(value) as computed_low,
        max(value) as computed_high,
        bool_and(is_inside) as is_every_value_inside,
        bool_or(is_inside) as is_any_value_inside,
        case when count(subject_words) = 0 then 'by ' else 'for ' end as preposition,
        bool_or(contains(publisher, 'UN Comtrade')) as is_from_comtrade,
        -- How far off, where no share of imports or output is within both bounds.
        case
            when
                bool_and(not is_inside and unit like 'share_of_%')
                and count(claimed_low) > 0
                and count(claimed_high) > 0
                then
                    ' The nearest is '
                    || printf('%.1f', 100 * min(distance))
                    || ' points from what it is read as, '
                    || {{ share_in_words(
                        'any_value(claimed_low)', 'any_value(claimed_low)', 'any_value(claimed_high)'
                    ) }}
                    || ' to '
                    || {{ share_in_words(
                        'any_value(claimed_high)', 'any_value(claimed_low)', 'any_value(claimed_high)'
                    ) }}
                    || '.'
        end as how_far_off
    from worded
    group by claim_id, moment

),

judged as (

    select
        summed.*,
        sentences.findings,
        sentences.findings_inside,
        sentences.findings_outside,
        sentences.not_found,
        case
            when summed.computed_low is null then 'not_testable'
            when summed.is_every_value_inside then 'supported'
            when summed.is_any_value_inside then 'depends_on_basis'
            else 'contradicted'
        end as verdict,
        case
            when summed.moment = 'then' and summed.is_day_unknown then 'When it was noted, '
            when summed.moment = 'then' then 'When it was said, '
            when summed.moment = 'now' then 'Today '
            else ''
        end as opening
    from summed
    inner join sentences
        on
            summed.claim_id = sentences.claim_id
            and summed.moment is not distinct from sentences.moment

),

-- What the figures show at the moment, in a sentence.
explained as (

    select
        *,
        case verdict
            when 'not_testable'
                then
                    opening
                    || 'no figure '
                    || case when moment = 'then' then 'was known' else 'was found' end
                    || coalesce(' for ' || not_found, '')
                    || '.'
            else
                opening
                || case
                    when verdict = 'depends_on_basis'
                        then
                            case when moment = 'then' then 'it depended' else 'it depends' end
                            || on_what
                            || case when moment = 'then' then ': it held ' else ': it holds ' end
                            || preposition
                            || findings_inside
                            || case when moment = 'then' then ', it did ' else ', it does ' end
                            || 'not '
                            || preposition
                            || findings_outside
                    else
                        'the figures '
                        || case verdict when 'supported' then 'agree' else 'disagree' end
                        || case when moment = 'then' then 'd' else '' end
                        || ': '
                        || findings
                end
                || coalesce(' (' || provenance || ')', '')
                || coalesce('. No figure was found for ' || not_found, '')
                || '.'
                || coalesce(how_far_off, '')
        end as sentence
    from judged

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

),

-- The verdict follows from the moment at which it was said; today stands beside it.
verdicts as (

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
        concat_ws(
            ' ',
            case
                when coalesce(said.verdict, 'not_testable') = 'not_testable'
                    then
                        coalesce(
                            'Missing: ' || claims.missing,
                            upper(left(said.sentence, 1)) || substr(said.sentence, 2),
                            'The warehouse has no figure of the test ' || claims.test || ' for it.'
                        )
                else upper(left(said.sentence, 1)) || substr(said.sentence, 2)
            end,
            case
                when today.computed_low is null and said.computed_low is null then null
                when today.findings = said.findings then 'Today the figures are the same.'
                else today.sentence
            end,
            case
                when claims.is_same_return and said.is_from_comtrade
                    then
                        'It is the same return: what UN Comtrade has is '
                        || coalesce(importers.name, claims.importer_iso3)
                        || '''s own figure, so that '
                        || case said.verdict
                            when 'contradicted'
                                then
                                    'the quotation is rounded, of another basis or of another '
                                    || 'year.'
                            else 'it can confirm the quotation and not the trade.'
                        end
            end,
            'The catalogue has: ' || array_to_string(evidence.evidence_ids, ', ') || '.'
        ) as explanation,
        coalesce(evidence.evidence_ids, []) as evidence_ids,
        claims.citation,
        claims.source_url,
        claims.known_at,
        {{ snapshots_together(['[claims.snapshot_id]', 'snapshots.snapshot_ids']) }} as snapshot_ids
    from claims
    left join snapshots on claims.claim_id = snapshots.claim_id
    left join explained as said
        on
            claims.claim_id = said.claim_id
            and said.moment is distinct from 'now'
    left join explained as today
        on
            claims.claim_id = today.claim_id
            and today.moment = 'now'
    left join evidence on claims.claim_id = evidence.claim_id
    left join economies as importers on claims.importer_iso3 = importers.economy_iso3

)

select
    claim_id,
    statement,
    reading,
    claimed_by,
    claimed_at,
    claimed_low,
    claimed_high,
    basis,
    computed_low,
    computed_high,
    verdict,
    explanation,
    evidence_ids,
    citation,
    source_url,
    known_at,
    snapshot_ids
from verdicts
