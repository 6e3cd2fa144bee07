with claims as (

    select
        claim_id,
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
evidence as (

    select
        claims.claim_id,
        shares.measure as basis,
        shares.share as value,
        case shares.measure
            when 'value_usd' then 'share_of_value'
            when 'net_weight_kg' then 'share_of_weight'
        end as unit,
        {{ as_period('shares.period_start', 'shares.frequency') }} as period,
        shares.source,
        cast(null as varchar) as subject
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

select * from evidence
