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
        abundance.abundance_ppm,
        abundance.snapshot_id
    from {{ ref('stg_lake__element_abundance') }} as abundance
    inner join minerals on abundance.element = minerals.symbol

),

-- Compared within one part of the crust, by one estimate.
ratios as (

    select
        claims.claim_id,
        claims.mineral,
        claims.compared_mineral,
        ours.source,
        ours.abundance_ppm / theirs.abundance_ppm as times_as_abundant,
        case when ours.source is not null then [ours.snapshot_id, theirs.snapshot_id] end
            as snapshot_ids
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
        string_agg(distinct source, ', ' order by source) as sources,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from ratios
    group by claim_id, mineral, compared_mineral

),

evidence as (

    select
        claim_id,
        mineral || ' / ' || compared_mineral as basis,
        least as value,
        'times_as_abundant' as unit,
        cast(null as varchar) as period,
        sources as source,
        snapshot_ids,
        mineral as subject,
        most as value_high,
        compared_mineral as compared_subject
    from by_pair

)

select * from evidence
