{# More add little: of 47 of 68 codes ten make nine tenths of exports, of none below 0.7 (2024). #}
{% set largest_exporters = 10 %}
{# A smaller part of an importer's own imports is left out. #}
{% set least_share = 0.01 %}

with sides as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where
        flow = 'import'
        and is_latest_edition
        and economy_iso3 <> partner_iso3
        and value_usd > 0

),

flows as (

    select
        *,
        economy_iso3 as importer_iso3,
        partner_iso3 as exporter_iso3
    from sides
    qualify year = max(year) over (partition by hs6_code)

),

insiders as (

    select * from {{ ref('int_dependency__list_insiders') }}

),

insiders_of_importers as (

    select
        importer_iso3,
        count(*) as insiders
    from insiders
    group by importer_iso3

),

-- The Union's imports are in its members' already.
codes as (

    select
        hs6_code,
        hs_revision,
        year,
        source,
        {{ sum_in_order('value_usd') }} as world_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from flows
    where importer_iso3 <> 'EU27'
    group by hs6_code, hs_revision, year, source

),

-- Ranked once for all importers. Flows without a weight are left out while they are a small part
-- of the value.
exporters as (

    select
        hs6_code,
        exporter_iso3 as supplier_iso3,
        {{ sum_in_order('value_usd') }} as exports_usd,
        case
            when
                {{ is_mostly_weighed(
                    sum_in_order('weighed_value_usd'), sum_in_order('value_usd')
                ) }}
                then {{ sum_in_order('net_weight_kg') }}
        end as exports_kg,
        row_number() over (
            partition by hs6_code
            order by {{ sum_in_order('value_usd') }} desc, exporter_iso3 asc
        ) as world_rank
    from flows
    where exporter_iso3 <> '_X' and importer_iso3 <> 'EU27'
    group by hs6_code, exporter_iso3

),

importers as (

    select
        hs6_code,
        importer_iso3,
        {{ sum_in_order('value_usd') }} as imports_usd
    from flows
    where importer_iso3 <> '_X'
    group by hs6_code, importer_iso3

),

shares as (

    select
        flows.hs6_code,
        flows.importer_iso3,
        flows.exporter_iso3 as supplier_iso3,
        flows.value_usd / importers.imports_usd as share_of_importer,
        row_number() over (
            partition by flows.hs6_code, flows.importer_iso3
            order by flows.value_usd desc, flows.exporter_iso3 asc
        ) as own_rank
    from flows
    inner join importers
        on
            flows.hs6_code = importers.hs6_code
            and flows.importer_iso3 = importers.importer_iso3
    where flows.exporter_iso3 <> '_X'

),

-- More exporters than are listed: an importer is no alternative of its own.
pairs as (

    select
        importers.hs6_code,
        importers.importer_iso3,
        exporters.supplier_iso3
    from importers
    inner join exporters on importers.hs6_code = exporters.hs6_code
    inner join insiders_of_importers
        on importers.importer_iso3 = insiders_of_importers.importer_iso3
    anti join insiders
        on
            importers.importer_iso3 = insiders.importer_iso3
            and exporters.supplier_iso3 = insiders.insider_iso3
    where exporters.world_rank <= {{ largest_exporters }} + insiders_of_importers.insiders
    union distinct
    select
        hs6_code,
        importer_iso3,
        supplier_iso3
    from shares
    where share_of_importer >= {{ least_share }}

),

insiders_above as (

    select
        pairs.hs6_code,
        pairs.importer_iso3,
        pairs.supplier_iso3,
        count(*) as insiders
    from pairs
    inner join exporters
        on
            pairs.hs6_code = exporters.hs6_code
            and pairs.supplier_iso3 = exporters.supplier_iso3
    inner join insiders on pairs.importer_iso3 = insiders.importer_iso3
    inner join exporters as own
        on
            pairs.hs6_code = own.hs6_code
            and insiders.insider_iso3 = own.supplier_iso3
            and exporters.world_rank > own.world_rank
    group by pairs.hs6_code, pairs.importer_iso3, pairs.supplier_iso3

),

suppliers as (

    select
        pairs.importer_iso3,
        pairs.hs6_code,
        pairs.supplier_iso3,
        exporters.exports_usd,
        exporters.exports_kg,
        exporters.world_rank - coalesce(insiders_above.insiders, 0) as supplier_rank,
        coalesce(shares.share_of_importer, 0) as share_of_importer,
        largest.supplier_iso3 as top_supplier_iso3
    from pairs
    inner join exporters
        on
            pairs.hs6_code = exporters.hs6_code
            and pairs.supplier_iso3 = exporters.supplier_iso3
    left join insiders_above
        on
            pairs.hs6_code = insiders_above.hs6_code
            and pairs.importer_iso3 = insiders_above.importer_iso3
            and pairs.supplier_iso3 = insiders_above.supplier_iso3
    left join shares
        on
            pairs.hs6_code = shares.hs6_code
            and pairs.importer_iso3 = shares.importer_iso3
            and pairs.supplier_iso3 = shares.supplier_iso3
    left join shares as largest
        on
            pairs.hs6_code = largest.hs6_code
            and pairs.importer_iso3 = largest.importer_iso3
            and largest.own_rank = 1

)

select
    suppliers.importer_iso3,
    suppliers.hs6_code,
    codes.hs_revision,
    codes.year,
    suppliers.supplier_iso3,
    cast(suppliers.supplier_rank as integer) as supplier_rank,
    suppliers.share_of_importer,
    suppliers.exports_usd / codes.world_usd as share_of_world,
    suppliers.exports_usd,
    suppliers.exports_kg,
    suppliers.top_supplier_iso3,
    codes.source,
    codes.snapshot_ids
from suppliers
inner join codes on suppliers.hs6_code = codes.hs6_code
where
    suppliers.supplier_rank <= {{ largest_exporters }}
    or suppliers.share_of_importer >= {{ least_share }}
