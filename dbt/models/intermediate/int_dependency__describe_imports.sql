with import_concentration as (

    select * from {{ ref('import_concentration') }}
    where frequency = 'A'

),

reliance as (

    select * from {{ ref('import_reliance') }}

),

-- By weight where it is known.
imports as (

    select
        *,
        cast(extract(year from period_start) as integer) as year,
        any_value(total_amount) filter (where measure = 'value_usd') over same_imports as value_usd
    from import_concentration
    window same_imports as (partition by importer_iso3, mineral_group, period_start)
    qualify measure = min(measure) over same_imports

),

-- Of the largest origin, hubs included, what comes through its largest hub.
through_hubs as (

    select
        importer_iso3,
        mineral_group,
        year,
        coalesce(hub_share, 0) as hub_share
    from {{ ref('indirect_dependence') }}
    where depth = 1 and reason is null
    qualify
        row_number() over (
            partition by importer_iso3, mineral_group, year
            order by total_share_high desc, origin_iso3 asc
        ) = 1

)

-- Of what is used, the part that is not the importer's own output comes from its suppliers. What is
-- not published by partner may be of the largest one as well.
select
    imports.importer_iso3,
    imports.mineral_group,
    imports.year,
    imports.value_usd,
    imports.hhi,
    imports.top_supplier_iso3,
    imports.top_supplier_share,
    case when not imports.is_cut_list then imports.top_supplier_share end
    * (1 - coalesce(reliance.own_share_high, 1)) as single_country_share_low,
    {{ capped_at_one('imports.top_supplier_share + 1 - imports.partner_coverage_share') }}
    * (1 - coalesce(reliance.own_share_low, 0)) as single_country_share_high,
    through_hubs.hub_share,
    {{ snapshots_together(['imports.snapshot_ids', 'reliance.snapshot_ids']) }} as snapshot_ids
from imports
left join reliance
    on
        imports.importer_iso3 = reliance.economy_iso3
        and imports.mineral_group = reliance.mineral_group
        and imports.year = reliance.year
left join through_hubs
    on
        imports.importer_iso3 = through_hubs.importer_iso3
        and imports.mineral_group = through_hubs.mineral_group
        and imports.year = through_hubs.year
