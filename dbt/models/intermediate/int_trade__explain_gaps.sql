with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}

),

closed_gaps as (

    select * from {{ ref('int_trade__close_gaps') }}

),

covered_codes as (

    select * from {{ ref('int_trade__list_covered_codes') }}

),

declared as (

    select * from {{ ref('int_trade__list_declared_trade') }}

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
        -- An economy that has not declared a code of a year differs from nobody.
        coalesce(
            case flows.basis
                when 'two_sided' then true
                when 'exporter_only' then importers.year is not null
                when 'importer_only' then exporters.year is not null
            end, false
        ) as has_two_reporters,
        coalesce(
            greatest(flows.exporter_usd / flows.exporter_kg, flows.importer_usd / flows.importer_kg)
            >= {{ reconciliation('unit_ratio') }}
            * least(flows.exporter_usd / flows.exporter_kg, flows.importer_usd / flows.importer_kg)
            and flows.exporter_kg is not null and flows.importer_kg is not null,
            false
        ) as has_two_units,
        flows.is_cif
        and flows.importer_usd > flows.exporter_usd
        and flows.importer_usd
        <= flows.exporter_usd * (1 + {{ reconciliation('largest_freight') }}) as is_freight,
        case
            when flows.importer_usd > flows.exporter_usd and flows.is_cif then false
            else {{ agree('flows.exporter_usd', 'flows.importer_usd') }}
        end as agrees_usd,
        {{ agree('flows.exporter_kg', 'flows.importer_kg') }}
        or coalesce(flows.exporter_kg, flows.importer_kg) is null
        or flows.basis = 'two_sided' and (flows.exporter_kg is null or flows.importer_kg is null)
            as agrees_kg,
        -- A report of other goods than the other one gave way.
        flows.exporter_usd is null
        and flows.declared_exporter_usd > coalesce(flows.re_exported_usd, 0)
        or flows.importer_usd is null and flows.declared_importer_usd is not null
            as is_of_other_goods,
        {% for unit, importer in [('usd', 'importer_fob_usd'), ('kg', 'importer_kg')] %}
            coalesce(flows.{{ importer }}, 0) > coalesce(flows.exporter_{{ unit }}, 0)
                as is_lower_export_{{ unit }},
            abs(coalesce(flows.exporter_{{ unit }}, 0) - coalesce(flows.{{ importer }}, 0))
                as gap_{{ unit }},
            coalesce(
                flows.is_hub
                and coalesce(flows.exporter_{{ unit }}, 0) > coalesce(flows.{{ importer }}, 0)
                or flows.re_exported_usd > 0
                and (
                    flows.re_exported_usd >= flows.declared_exporter_usd
                    or {{ agree('flows.declared_exporter_' ~ unit, 'flows.' ~ importer) }}
                ), false
            ) as is_re_export_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from flows
    left join covered_codes as exporters
        on
            exporters.side = 'export'
            and flows.exporter_iso3 = exporters.reporter_iso3
            and flows.hs6_code = exporters.hs6_code
            and flows.year = exporters.year
    left join covered_codes as importers
        on
            importers.side = 'import'
            and flows.importer_iso3 = importers.reporter_iso3
            and flows.hs6_code = importers.hs6_code
            and flows.year = importers.year

),

{% for unit in ['usd', 'kg'] %}
    -- The largest gaps first, until what has no partner is used up.
    confidential_{{ unit }} as (

        select
            examined.exporter_iso3,
            examined.importer_iso3,
            examined.hs6_code,
            examined.year
        from examined
        inner join unpublished
            on
                unpublished.side
                = case when examined.is_lower_export_{{ unit }} then 'export' else 'import' end
                and unpublished.reporter_iso3 = case
                    when examined.is_lower_export_{{ unit }} then examined.exporter_iso3
                    else examined.importer_iso3
                end
                and examined.hs6_code = unpublished.hs6_code
                and examined.year = unpublished.year
        where
            examined.has_two_reporters
            and not examined.agrees_{{ unit }}
            {% if unit == 'usd' %}and not coalesce(examined.is_freight, false){% endif %}
            and not examined.is_re_export_{{ unit }}
            and unpublished.{{ unit }}
            >= {{ reconciliation('confidential_least') }} * examined.gap_{{ unit }}
        window
            gaps as (
                partition by
                    unpublished.reporter_iso3,
                    unpublished.side,
                    unpublished.hs6_code,
                    unpublished.year
                order by
                    examined.gap_{{ unit }} desc, examined.exporter_iso3, examined.importer_iso3
                rows unbounded preceding
            )
        qualify
            any_value(unpublished.{{ unit }}) over gaps
            >= {{ reconciliation('confidential_least') }}
            * sum(examined.gap_{{ unit }}) over gaps

    ),
{% endfor %}

explained as (

    select
        examined.*,
        {% for unit in ['usd', 'kg'] %}
            confidential_{{ unit }}.year is not null as is_confidential_{{ unit }},
            coalesce(closed_gaps.is_other_code_{{ unit }}, false) or examined.is_of_other_goods
                as is_other_code_{{ unit }},
            coalesce(closed_gaps.is_other_year_{{ unit }}, false) as is_other_year_{{ unit }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from examined
    {% for reasons in ['confidential_usd', 'confidential_kg', 'closed_gaps'] %}
        left join {{ reasons }}
            on
                examined.exporter_iso3 = {{ reasons }}.exporter_iso3
                and examined.importer_iso3 = {{ reasons }}.importer_iso3
                and examined.hs6_code = {{ reasons }}.hs6_code
                and examined.year = {{ reasons }}.year
    {% endfor %}

)

-- The first reason that holds.
select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    year,
    case
        when not has_two_reporters or agrees_usd then null
        when is_freight then 'freight_and_insurance'
        when is_re_export_usd then 're_export'
        when is_confidential_usd then 'confidential'
        when is_other_code_usd then 'product_code'
        when is_other_year_usd then 'timing'
        when has_two_units and {{ agree('exporter_kg', 'importer_kg') }} then 'quantity_unit'
        else 'unexplained'
    end as reason,
    case
        when not has_two_reporters or agrees_kg then null
        when is_re_export_kg then 're_export'
        when is_confidential_kg then 'confidential'
        when is_other_code_kg then 'product_code'
        when is_other_year_kg then 'timing'
        when has_two_units then 'quantity_unit'
        else 'unexplained'
    end as weight_reason
from explained
