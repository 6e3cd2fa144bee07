with claims as (

    select
        claim_id,
        unnest(minerals) as mineral,
        unnest(compared_minerals) as compared_mineral
    from {{ ref('stg_lake__claims') }}
    where test = 'abundance'

),

minerals as (

    select
        mineral,
        symbol
    from {{ ref('minerals') }}

),

estimates as (

    select
        minerals.mineral,
        abundance.source,
        abundance.reservoir,
        abundance.abundance_ppm
    from {{ ref('stg_lake__element_abundance') }} as abundance
    inner join minerals on abundance.element = minerals.symbol

),

-- Held against each other within one part of the crust, by one estimate.
ratios as (

    select
        claims.claim_id,
        claims.mineral,
        claims.compared_mineral,
        ours.source,
        ours.abundance_ppm / theirs.abundance_ppm as times_as_abundant
    from claims
    left join estimates as theirs on claims.compared_mineral = theirs.mineral
    left join estimates as ours
        on
            claims.mineral = ours.mineral
            and theirs.source = ours.source
            and theirs.reservoir = ours.reservoir

),

by_pair as (

    select
        claim_id,
        mineral,
        compared_mineral,
        min(times_as_abundant) as least,
        max(times_as_abundant) as most,
        string_agg(
            distinct {{ publisher_name('source') }}, ', ' order by {{ publisher_name('source') }}
        ) as provenance
    from ratios
    group by claim_id, mineral, compared_mineral

),

evidence as (

    select
        claim_id,
        mineral || ' / ' || compared_mineral as basis,
        least as computed_value,
        case
            when least is null
                then
                    {{ subject_name('mineral') }}
                    || ' against '
                    || {{ subject_name('compared_mineral') }}
            else
                {{ subject_name('mineral') }}
                || ' ('
                || printf('%.2f', least)
                || case when most > least then ' to ' || printf('%.2f', most) else '' end
                || ' times as abundant as '
                || {{ subject_name('compared_mineral') }}
                || ')'
        end as finding,
        provenance
    from by_pair

)

select * from evidence
