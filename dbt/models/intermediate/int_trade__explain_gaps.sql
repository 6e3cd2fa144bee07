{% set amounts = [
    ('usd', 'exporter_usd', 'importer_fob_usd'),
    ('kg', 'exporter_kg', 'importer_kg'),
] %}

with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}

),

closed_gaps as (

    select * from {{ ref('int_trade__close_gaps') }}

),

declared as (

    select * from {{ ref('int_trade__list_declared_trade') }}

),

reporters as (

    select distinct
        reporter_iso3,
        year
    from {{ ref('int_trade__list_report_snapshots') }}

),

-- What a reporter declares without a partner.
unpublished as (

    select
        case side when 'export' then exporter_iso3 else importer_iso3 end as reporter_iso3,
        side,
        hs6_code,
        year,
        value_usd as usd,
        net_weight_kg as kg
    from declared
    where '_X' in (exporter_iso3, importer_iso3)

),

examined as (

    select
        flows.*,
        -- An economy that declared nothing in a year differs from nobody.
        flows.basis = 'two_sided'
        or flows.basis = 'exporter_only' and importers.year is not null
        or flows.basis = 'importer_only' and exporters.year is not null as has_two_reporters,
        coalesce(
            greatest(flows.exporter_usd / flows.exporter_kg, flows.importer_usd / flows.importer_kg)
            >= {{ reconciliation('unit_ratio') }}
            * least(flows.exporter_usd / flows.exporter_kg, flows.importer_usd / flows.importer_kg)
            and flows.exporter_kg is not null and flows.importer_kg is not null,
            false
        ) as has_two_units,
        {% for unit, exporter, importer in amounts %}
            flows.is_hub
            and coalesce(flows.{{ exporter }}, 0) > coalesce(flows.{{ importer }}, 0)
            or flows.exporter_usd is null and flows.declared_exporter_usd is not null
                as is_re_export_{{ unit }},
            coalesce(
                case
                    when coalesce(flows.{{ exporter }}, 0) < coalesce(flows.{{ importer }}, 0)
                        then unpublished_exports.{{ unit }}
                    else unpublished_imports.{{ unit }}
                end >= {{ reconciliation('confidential_least') }} * abs(
                    coalesce(flows.{{ exporter }}, 0) - coalesce(flows.{{ importer }}, 0)
                ),
                false
            ) as is_confidential_{{ unit }},
            coalesce(closed_gaps.is_other_code_{{ unit }}, false) as is_other_code_{{ unit }},
            coalesce(closed_gaps.is_other_year_{{ unit }}, false) as is_other_year_{{ unit }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from flows
    left join reporters as exporters
        on flows.exporter_iso3 = exporters.reporter_iso3 and flows.year = exporters.year
    left join reporters as importers
        on flows.importer_iso3 = importers.reporter_iso3 and flows.year = importers.year
    left join unpublished as unpublished_exports
        on
            unpublished_exports.side = 'export'
            and flows.exporter_iso3 = unpublished_exports.reporter_iso3
            and flows.hs6_code = unpublished_exports.hs6_code
            and flows.year = unpublished_exports.year
    left join unpublished as unpublished_imports
        on
            unpublished_imports.side = 'import'
            and flows.importer_iso3 = unpublished_imports.reporter_iso3
            and flows.hs6_code = unpublished_imports.hs6_code
            and flows.year = unpublished_imports.year
    left join closed_gaps
        on
            flows.exporter_iso3 = closed_gaps.exporter_iso3
            and flows.importer_iso3 = closed_gaps.importer_iso3
            and flows.hs6_code = closed_gaps.hs6_code
            and flows.year = closed_gaps.year

)

-- The first reason that holds.
select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    year,
    case
        when not has_two_reporters then null
        when importer_usd < exporter_usd and {{ agree('exporter_usd', 'importer_usd') }} then null
        when importer_usd = exporter_usd then null
        when
            is_cif
            and importer_usd > exporter_usd
            and importer_usd <= exporter_usd * (1 + {{ reconciliation('largest_freight') }})
            then 'freight_and_insurance'
        when not is_cif and {{ agree('exporter_usd', 'importer_usd') }} then null
        when is_re_export_usd then 're_export'
        when is_confidential_usd then 'confidential'
        when is_other_code_usd then 'product_code'
        when is_other_year_usd then 'timing'
        when has_two_units and {{ agree('exporter_kg', 'importer_kg') }} then 'quantity_unit'
        else 'unexplained'
    end as reason,
    case
        when not has_two_reporters then null
        when coalesce(exporter_kg, importer_kg) is null then null
        when basis = 'two_sided' and (exporter_kg is null or importer_kg is null) then null
        when {{ agree('exporter_kg', 'importer_kg') }} then null
        when is_re_export_kg then 're_export'
        when is_confidential_kg then 'confidential'
        when is_other_code_kg then 'product_code'
        when is_other_year_kg then 'timing'
        when has_two_units then 'quantity_unit'
        else 'unexplained'
    end as weight_reason
from examined
