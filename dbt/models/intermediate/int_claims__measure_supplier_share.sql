with listed as (

    select
        claim_id,
        {{ judged_as_of() }} as judged_as_of,
        basis,
        importer_iso3,
        supplier_iso3,
        mineral_group,
        years,
        unnest(
            case
                when years is null then [period_start]
                else list_transform(years, lambda year: cast(year || '-01-01' as date))
            end
        ) as period_start
    from {{ ref('stg_lake__claims') }}
    where test = 'supplier_share'

),

claims as (

    select
        *,
        {{ one_row_per_moment('period_start') }} as moment
    from listed

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
        source,
        snapshot_ids
    from {{ ref('supplier_shares') }}
    -- Read twice, and so kept: only what is claimed.
    where mineral_group in (select claims.mineral_group from claims)

),

-- A claim about a moment is about the newest year known: when it was made, and now.
newest_years as (

    select
        claims.claim_id,
        claims.moment,
        max(shares.period_start) as period_start
    from claims
    inner join shares
        on
            claims.importer_iso3 = shares.importer_iso3
            and claims.mineral_group = shares.mineral_group
            and shares.frequency = 'A'
            and (
                claims.moment = 'now'
                or shares.period_start
                <= {{ newest_year_of_trade_known_on('claims.judged_as_of') }}
            )
    where claims.moment is not null
    group by claims.claim_id, claims.moment

),

with_period as (

    select
        claims.claim_id,
        claims.moment,
        claims.basis,
        claims.importer_iso3,
        claims.supplier_iso3,
        claims.mineral_group,
        claims.years,
        coalesce(claims.period_start, newest_years.period_start) as period_start
    from claims
    left join newest_years
        on
            claims.claim_id = newest_years.claim_id
            and claims.moment = newest_years.moment

),

-- A claim that begins on a first of January is about the year wherever the year is known.
evidence as (

    select
        with_period.claim_id,
        with_period.moment,
        concat_ws(
            ', ',
            {{ basis_at('shares.measure', 'with_period.moment') }},
            case when with_period.years is not null then year(shares.period_start) end
        ) as basis,
        shares.share as value,
        case shares.measure
            when 'value_usd' then 'share_of_value'
            when 'net_weight_kg' then 'share_of_weight'
        end as unit,
        {{ as_period('shares.period_start', 'shares.frequency') }} as period,
        shares.source,
        shares.snapshot_ids,
        cast(null as varchar) as subject
    from with_period
    inner join shares
        on
            with_period.importer_iso3 = shares.importer_iso3
            and with_period.supplier_iso3 = shares.supplier_iso3
            and with_period.mineral_group = shares.mineral_group
            and with_period.period_start = shares.period_start
            and coalesce(with_period.basis, shares.measure) = shares.measure
    qualify
        dense_rank() over (
            partition by with_period.claim_id, with_period.moment
            order by shares.frequency
        ) = 1

)

select * from evidence
