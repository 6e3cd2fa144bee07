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
            when unit = 'share_of_days'
                then
                    'measures against '
                    || case
                        when partner_iso3 = 'ALL' then 'all economies'
                        else partner_name || ' in particular'
                    end
                    || ' in '
                    || {{ months_in_words('period') }}
            when unit = 'times_as_abundant' and value is null
                then subject_name || ' against ' || compared_name
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
            when unit = 'share_of_value'
                then {{ share_in_words('value', 'claimed_low', 'claimed_high') }} || ' of value'
            when unit = 'share_of_weight'
                then {{ share_in_words('value', 'claimed_low', 'claimed_high') }} || ' of weight'
            when unit = 'share_of_output'
                then
                    '('
                    || {{ share_in_words('value', 'claimed_low', 'claimed_high') }}
                    || '; '
                    || publisher
                    || ' '
                    || period
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
                    '('
                    || printf('%.2f', value)
                    || case when value_high > value then printf(' to %.2f', value_high) else '' end
                    || ' times as abundant as '
                    || compared_name
                    || ')'
            when unit = 'share_of_days'
                then
                    '(in force on '
                    || restricted_days
                    || ' of '
                    || all_days
                    || ' days'
                    || case
                        when first_restricted_day > cast(split_part(period, '/', 1) as date)
                            then ', from ' || first_restricted_day
                        else ''
                    end
                    || coalesce(': ' || clause_ids, '')
                    || ')'
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
            when unit in ('share_of_value', 'share_of_weight')
                then publisher || ', ' || {{ period_in_words('period') }}
            when unit = 'times_as_abundant' then publisher
        end as provenance
    from with_subject

),

-- The source shared by all figures of a claim is named once, after the last.
shared as (

    select
        claim_id,
        case when min(provenance) = max(provenance) then max(provenance) end as provenance
    from with_figure
    where is_inside is not null
    group by claim_id

),

worded as (

    select
        with_figure.claim_id,
        with_figure.basis,
        with_figure.value,
        with_figure.is_inside,
        with_figure.subject_words,
        shared.provenance,
        concat_ws(
            ' ',
            with_figure.subject_words,
            with_figure.figure_words,
            case when shared.provenance is null then '(' || with_figure.provenance || ')' end
        ) as finding
    from with_figure
    left join shared on with_figure.claim_id = shared.claim_id

),

summed as (

    select
        claim_id,
        max(provenance) as provenance,
        min(value) as computed_low,
        max(value) as computed_high,
        bool_and(is_inside) as is_every_value_inside,
        bool_or(is_inside) as is_any_value_inside,
        case when count(subject_words) = 0 then 'by ' else 'for ' end as preposition,
        string_agg(finding, ', ' order by basis) filter (where is_inside is not null) as findings,
        string_agg(finding, ', ' order by basis) filter (where is_inside) as findings_inside,
        string_agg(finding, ', ' order by basis) filter (where not is_inside) as findings_outside,
        string_agg(finding, ', ' order by basis) filter (where is_inside is null) as not_found
    from worded
    group by claim_id

),

verdicts as (

    select
        claims.*,
        summed.computed_low,
        summed.computed_high,
        case
            when summed.computed_low is null then 'not_testable'
            when summed.is_every_value_inside then 'supported'
            when summed.is_any_value_inside then 'depends_on_basis'
            else 'contradicted'
        end as verdict,
        case
            when summed.computed_low is null
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
                            || summed.preposition
                            || summed.findings_inside
                            || ', it does not '
                            || summed.preposition
                            || summed.findings_outside
                    else 'The figures disagree: ' || summed.findings
                end
                || coalesce(' (' || summed.provenance || ')', '')
                || coalesce('. No figure was found for ' || summed.not_found, '')
                || '.'
        end as explanation
    from claims
    left join summed on claims.claim_id = summed.claim_id

)

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
from verdicts
