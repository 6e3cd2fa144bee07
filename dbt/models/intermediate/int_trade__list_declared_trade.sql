{# Read twice, and made of all flows. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__unite_flows') }}
    where
        value_usd > 0
        and partner_iso3 not in ('WLD', 'EU27')
        and reporter_iso3 not in ('WLD', 'EU27', '_X')
        and reporter_iso3 <> partner_iso3

),

reports as (

    select * from {{ ref('int_trade__choose_reports') }}

),

converted as (

    select
        reports.reporter_iso3,
        flows.partner_iso3,
        reports.side,
        flows.flow = 're_export' as is_re_export,
        reports.hs6_code,
        reports.target_hs_revision as hs_revision,
        reports.year,
        flows.value_usd * reports.code_weight as value_usd,
        case when reports.has_weights then flows.net_weight_kg * reports.code_weight end
            as net_weight_kg,
        coalesce(flows.valuation = 'CIF', false) as is_cif,
        flows.is_provisional,
        flows.vintage_at
    from flows
    inner join reports
        on
            flows.source = reports.source
            and flows.reporter_iso3 = reports.reporter_iso3
            and flows.flow = reports.flow
            and flows.commodity_code = reports.commodity_code
            and flows.hs_revision is not distinct from reports.hs_revision
            and flows.period_start = reports.period_start
    where flows.frequency = 'A' and not flows.is_basket

),

summed as (

    select
        case side when 'export' then reporter_iso3 else partner_iso3 end as exporter_iso3,
        case side when 'export' then partner_iso3 else reporter_iso3 end as importer_iso3,
        hs6_code,
        year,
        side,
        max(hs_revision) as hs_revision,
        sum(value_usd) filter (where not is_re_export) as declared_usd,
        coalesce(sum(value_usd) filter (where is_re_export), 0) as re_exported_usd,
        -- A sum of which one part has no weight has none.
        case
            when bool_and(coalesce(net_weight_kg, 0) > 0 or is_re_export)
                then sum(net_weight_kg) filter (where not is_re_export)
        end as declared_kg,
        case
            when bool_and(coalesce(net_weight_kg, 0) > 0 or not is_re_export)
                then coalesce(sum(net_weight_kg) filter (where is_re_export), 0)
        end as re_exported_kg,
        bool_and(is_cif) as is_cif,
        bool_or(is_provisional) as is_provisional,
        max(vintage_at) as vintage_at
    from converted
    group by 1, 2, 3, 4, 5

)

-- Re-exports are in the exports too; what remains is of the exporter's own goods.
select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    hs_revision,
    year,
    side,
    greatest(declared_usd - re_exported_usd, 0) as value_usd,
    nullif(greatest(declared_kg - re_exported_kg, 0), 0) as net_weight_kg,
    declared_usd,
    declared_kg,
    re_exported_usd,
    is_cif,
    is_provisional,
    vintage_at
from summed
where declared_usd is not null
