{# More add little: of 47 of 68 codes ten make nine tenths of exports, of none below 0.7 (2024). #}
{% set largest_exporters = 10 %}
{# A smaller part of an importer's own imports is left out. #}
{% set least_share = 0.01 %}

with sides as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where
        flow = 'import'
        and is_latest_edition
        and economy_iso3 <> 'EU27'
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

codes as (

    select
        hs6_code,
        hs_revision,
        year,
        source,
        {{ sum_in_order('value_usd') }} as world_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from flows
    group by hs6_code, hs_revision, year, source

),

-- Flows without a weight are left out while they are a small part of the value.
exporters as (

    select
        hs6_code,
        exporter_iso3 as supplier_iso3,
        {{ sum_in_order('value_usd') }} as exports_usd,
        case
            when
                {{ sum_in_order('weighed_value_usd') }}
                >= {{ least_weight_coverage() }} * {{ sum_in_order('value_usd') }}
                then {{ sum_in_order('net_weight_kg') }}
        end as exports_kg
    from flows
    where exporter_iso3 <> '_X'
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

suppliers as (

    select
        importers.importer_iso3,
        importers.hs6_code,
        exporters.supplier_iso3,
        exporters.exports_usd,
        exporters.exports_kg,
        row_number() over (
            partition by importers.importer_iso3, importers.hs6_code
            order by exporters.exports_usd desc, exporters.supplier_iso3 asc
        ) as supplier_rank,
        coalesce(flows.value_usd, 0) / importers.imports_usd as share_of_importer,
        first_value(flows.exporter_iso3) over (
            partition by importers.importer_iso3, importers.hs6_code
            order by flows.value_usd desc nulls last, exporters.supplier_iso3 asc
        ) as top_supplier_iso3
    from importers
    inner join exporters
        on
            importers.hs6_code = exporters.hs6_code
            and importers.importer_iso3 <> exporters.supplier_iso3
    left join flows
        on
            importers.hs6_code = flows.hs6_code
            and importers.importer_iso3 = flows.importer_iso3
            and exporters.supplier_iso3 = flows.exporter_iso3

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
