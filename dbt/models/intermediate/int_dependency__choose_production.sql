{# Small, and joined to every consumer. #}
{{ config(materialized='table') }}

with concentration as (

    select * from {{ ref('production_concentration') }}
    where stage in ('extraction', 'processing') and hhi is not null

),

production_shares as (

    select * from {{ ref('production_shares') }}

),

supplier_shares as (

    select * from {{ ref('supplier_shares') }}
    where frequency = 'A'

),

years as (

    select distinct cast(extract(year from period_start) as integer) as year
    from supplier_shares
    where extract(year from period_start) >= {{ first_year_of_assessments() }}

),

tables as (

    select
        *,
        cast(coalesce(split_part(reference_period, '/', -1), cast(year as varchar)) as integer)
            as last_year
    from concentration

),

-- The latest table that is not of a later year; of two, that of the newest summary.
chosen as (

    select
        years.year as assessed_year,
        tables.*
    from years
    inner join tables on years.year >= tables.last_year
    qualify
        row_number() over (
            partition by years.year, tables.material, tables.stage
            order by
                tables.last_year desc,
                tables.source = 'usgs_mcs' desc,
                tables.year desc,
                tables.source asc
        ) = 1

)

select
    chosen.assessed_year,
    chosen.material,
    chosen.stage,
    chosen.source,
    coalesce(chosen.reference_period, cast(chosen.year as varchar)) as reference_period,
    production_shares.economy_iso3,
    -- An economy that exceeds a rounded total produces all of it.
    case
        when production_shares.share is not null then production_shares.share
        when production_shares.amount_t > production_shares.world_total_t then 1
    end as share,
    production_shares.share_low,
    production_shares.share_high,
    production_shares.governance_score,
    chosen.hhi as production_hhi,
    chosen.top_producer_iso3,
    production_shares.snapshot_ids
from chosen
inner join production_shares
    on
        chosen.source = production_shares.source
        and chosen.material = production_shares.material
        and chosen.stage = production_shares.stage
        and chosen.year = production_shares.year
