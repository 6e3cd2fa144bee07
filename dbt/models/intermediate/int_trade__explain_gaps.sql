{% set amounts = [
    ('usd', 'exporter_usd', 'importer_fob_usd'),
    ('kg', 'exporter_kg', 'importer_kg'),
] %}

with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}

),

codes_of_groups as (

    select * from {{ ref('seed_mineral_group_codes') }}

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

codes as (

    select distinct hs6_code
    from flows

),

-- Codes that goods are declared under by mistake: of one heading, or of one mineral.
neighbours as (

    select
        codes.hs6_code,
        others.hs6_code as other_code
    from codes
    inner join codes as others
        on
            codes.hs6_code <> others.hs6_code
            and codes.hs6_code[:4] = others.hs6_code[:4]
    union
    select
        ones.hs6_code,
        others.hs6_code as other_code
    from codes_of_groups as ones
    inner join codes_of_groups as others
        on ones.mineral_group = others.mineral_group and ones.hs6_code <> others.hs6_code

),

-- Flows whose gap closes are few: they are chosen first, and grouped then.
closing_codes as (

    select
        flows.exporter_iso3,
        flows.importer_iso3,
        flows.hs6_code,
        flows.year,
        {% for unit, exporter, importer in amounts %}
            {{
                closes_gap(
                    'flows.' ~ exporter, 'flows.' ~ importer, 'others.' ~ exporter,
                    'others.' ~ importer
                )
            }} as is_closed_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from flows
    inner join neighbours on flows.hs6_code = neighbours.hs6_code
    inner join flows as others
        on
            flows.exporter_iso3 = others.exporter_iso3
            and flows.importer_iso3 = others.importer_iso3
            and flows.year = others.year
            and neighbours.other_code = others.hs6_code

),

closing_years as (

    select
        flows.exporter_iso3,
        flows.importer_iso3,
        flows.hs6_code,
        flows.year,
        {% for unit, exporter, importer in amounts %}
            {{
                evens_out(
                    'flows.' ~ exporter, 'flows.' ~ importer, 'others.' ~ exporter,
                    'others.' ~ importer
                )
            }} as is_closed_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from flows
    inner join flows as others
        on
            flows.exporter_iso3 = others.exporter_iso3
            and flows.importer_iso3 = others.importer_iso3
            and flows.hs6_code = others.hs6_code
            and flows.hs_revision = others.hs_revision
            and abs(flows.year - others.year) = 1

),

{% for thing in ['code', 'year'] %}
    closed_by_{{ thing }} as (

        select
            exporter_iso3,
            importer_iso3,
            hs6_code,
            year,
            bool_or(is_closed_usd) as is_closed_usd,
            bool_or(is_closed_kg) as is_closed_kg
        from closing_{{ thing }}s
        where is_closed_usd or is_closed_kg
        group by exporter_iso3, importer_iso3, hs6_code, year

    ),

{% endfor %}
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
            coalesce(closed_by_code.is_closed_{{ unit }}, false) as is_other_code_{{ unit }},
            coalesce(closed_by_year.is_closed_{{ unit }}, false) as is_other_year_{{ unit }}
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
    left join closed_by_code
        on
            flows.exporter_iso3 = closed_by_code.exporter_iso3
            and flows.importer_iso3 = closed_by_code.importer_iso3
            and flows.hs6_code = closed_by_code.hs6_code
            and flows.year = closed_by_code.year
    left join closed_by_year
        on
            flows.exporter_iso3 = closed_by_year.exporter_iso3
            and flows.importer_iso3 = closed_by_year.importer_iso3
            and flows.hs6_code = closed_by_year.hs6_code
            and flows.year = closed_by_year.year

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
