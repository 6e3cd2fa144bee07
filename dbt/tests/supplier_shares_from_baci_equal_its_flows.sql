-- What shares of a single code say of an importer and a supplier is what BACI says, to the cent.
{{ config(meta={'dagster': {'ref': {'name': 'supplier_shares'}}}) }}

with shares as (

    select
        importer_iso3,
        supplier_iso3,
        mineral_group,
        cast(extract(year from period_start) as integer) as year,
        measure,
        amount
    from {{ ref('supplier_shares') }}
    -- `_X` is what remains of a total, and none of the flows.
    where source = 'baci' and starts_with(mineral_group, 'hs_') and supplier_iso3 <> '_X'

)

select
    shares.*,
    flows.value_usd
from shares
left join {{ ref('baci_flows') }} as flows
    on
        shares.importer_iso3 = flows.importer_iso3
        and shares.supplier_iso3 = flows.exporter_iso3
        and shares.year = flows.year
        and shares.mineral_group = 'hs_' || flows.hs6_code
where
    flows.value_usd is null
    or shares.measure <> 'value_usd'
    or abs(shares.amount - flows.value_usd) > 0.005
