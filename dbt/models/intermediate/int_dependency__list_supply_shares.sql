{# Joined to itself several times: as a table its size is known. #}
{{ config(materialized='table') }}

with sides as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where
        flow = 'import'
        and economy_iso3 not in ('_X', partner_iso3)

),

editions as (

    select * from {{ ref('int_dependency__choose_group_editions') }}
    where not starts_with(mineral_group, 'hs_')

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

reliance as (

    select * from {{ ref('import_reliance') }}

),

flows as (

    select
        editions.mineral_group,
        sides.year,
        sides.economy_iso3 as importer_iso3,
        sides.partner_iso3 as supplier_iso3,
        {{ sum_in_order('sides.value_usd') }} as value_usd,
        any_value(sides.source) as source,
        {{ union_of_snapshots('sides.snapshot_ids') }} as snapshot_ids
    from sides
    inner join group_codes on sides.hs6_code = group_codes.hs6_code
    inner join editions
        on
            group_codes.mineral_group = editions.mineral_group
            and sides.source = editions.source
            and sides.hs_revision = editions.hs_revision
            and sides.year = editions.year
    group by editions.mineral_group, sides.year, sides.economy_iso3, sides.partner_iso3
    having {{ sum_in_order('sides.value_usd') }} > 0

),

shares as (

    select
        *,
        value_usd / sum(value_usd) over (partition by mineral_group, year, importer_iso3) as share
    from flows

)

-- Of what the importer passes on, `passed_high` is what it has bought if its exports have the mix
-- of its imports and production, and where these are not known no more than it has bought;
-- `passed_low` what its production cannot cover; of exports beyond both, from stocks, no more than
-- the mix.
select
    shares.mineral_group,
    shares.year,
    shares.importer_iso3,
    shares.supplier_iso3,
    shares.share,
    reliance.production_t is not null as has_production,
    least(
        1 - coalesce(reliance.own_share_low, 0),
        case
            when reliance.production_high_t is null
                then reliance.imports_t / nullif(reliance.exports_t, 0)
        end
    ) as passed_high,
    case
        when reliance.production_high_t = 0 then 1
        when reliance.production_high_t is null then 0
        else least(
            coalesce(
                {{
                    at_least_none(
                        '1 - reliance.production_high_t / nullif(reliance.exports_t, 0)'
                    )
                }},
                0
            ),
            passed_high
        )
    end as passed_low,
    shares.source,
    shares.snapshot_ids
from shares
left join reliance
    on
        shares.importer_iso3 = reliance.economy_iso3
        and shares.mineral_group = reliance.mineral_group
        and shares.year = reliance.year
