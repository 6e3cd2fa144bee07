{# Summed by exporter, by importer and by code: as a table the flows are read once. #}
{{ config(materialized='table') }}

with sides as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where
        flow = 'import'
        and is_latest_edition
        and economy_iso3 <> 'EU27'
        and value_usd > 0

)

select
    hs6_code,
    hs_revision,
    year,
    economy_iso3 as importer_iso3,
    partner_iso3 as exporter_iso3,
    value_usd,
    net_weight_kg,
    weighed_value_usd,
    source,
    snapshot_ids
from sides
qualify year = max(year) over (partition by hs6_code)
