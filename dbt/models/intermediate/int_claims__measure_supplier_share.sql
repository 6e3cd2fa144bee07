with claims as (

    select
        claim_id,
        claimed_low,
        claimed_high,
        basis,
        importer_iso3,
        supplier_iso3,
        mineral_group,
        period_start
    from {{ ref('stg_lake__claims') }}
    where test = 'supplier_share'

),

shares as (

    select
        importer_iso3,
        supplier_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        share,
        source
    from {{ ref('supplier_shares') }}

),

-- A claim that begins on a first of January is about the year wherever the year is known.
matched as (

    select
        claims.claim_id,
        shares.measure as basis,
        shares.share as computed_value,
        {{ as_percent_within('shares.share', 'claims.claimed_low', 'claims.claimed_high') }}
        || ' of '
        || {{ measure_name('shares.measure') }} as finding,
        {{ publisher_name('shares.source') }}
        || ', '
        || {{ as_period('shares.period_start', 'shares.frequency') }} as provenance
    from claims
    inner join shares
        on
            claims.importer_iso3 = shares.importer_iso3
            and claims.supplier_iso3 = shares.supplier_iso3
            and claims.mineral_group = shares.mineral_group
            and claims.period_start = shares.period_start
            and coalesce(claims.basis, shares.measure) = shares.measure
    qualify dense_rank() over (partition by claims.claim_id order by shares.frequency) = 1

)

select * from matched
