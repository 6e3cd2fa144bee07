{# Signal, unit, figure, era, which of the units is preferred, and the first supplier of a share. #}
{% set kinds = [
    ('volume_drop', 'kg', 'net_weight_kg', 'era_of_weight', 1, none),
    ('volume_drop', 'usd', 'value_usd', 'era_of_value', 2, none),
    (
        'price_surge', 'usd_per_kg',
        'case when value_usd > 0 then value_usd * weight_coverage_share / nullif(net_weight_kg, 0) end',
        'era_of_weight', 1, none
    ),
    ('concentration_jump', 'share_of_weight', 'share_of_weight', 'era_of_weight', 1, 'top_by_weight_iso3'),
    ('concentration_jump', 'share_of_value', 'share_of_value', 'era_of_value', 2, 'top_by_value_iso3'),
] %}

with bounds as (

    select * from {{ ref('int_exposure__bound_code_shares') }}
    where direction = 'restrict'

),

import_concentration as (

    select * from {{ ref('import_concentration') }}

),

monthly_supplies as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}

),

mineral_group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

cut_lists as (

    select source
    from {{ ref('seed_source_precedence') }}
    where is_cut_list

),

names_of_codes as (

    {{ names_of_codes('mineral_group_codes') }}

),

watched as (

    select distinct
        implementer_iso3,
        commodity_code
    from bounds
    where commodity_code not in (select names_of_codes.mineral_group from names_of_codes)

),

-- What an importer takes from all suppliers. Value and weight are of one source.
imports as (

    select
        source,
        importer_iso3,
        'WLD' as supplier_iso3,
        {{ commodity_of_group('mineral_group') }} as commodity_code,
        frequency,
        period_start,
        max(total_amount) filter (where measure = 'value_usd') as value_usd,
        max(total_amount) filter (where measure = 'net_weight_kg') as net_weight_kg,
        max(weight_coverage_share) filter (where measure = 'net_weight_kg')
            as weight_coverage_share,
        max(top_supplier_share) filter (where measure = 'value_usd') as share_of_value,
        max(top_supplier_share) filter (where measure = 'net_weight_kg') as share_of_weight,
        max(top_supplier_iso3) filter (where measure = 'value_usd') as top_by_value_iso3,
        max(top_supplier_iso3) filter (where measure = 'net_weight_kg') as top_by_weight_iso3,
        coalesce(
            cast(max(comparable_since) filter (where measure = 'value_usd') as varchar), ''
        ) as era_of_value,
        coalesce(
            cast(max(comparable_since) filter (where measure = 'net_weight_kg') as varchar), ''
        ) as era_of_weight,
        bool_or(is_provisional) as is_provisional,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from import_concentration
    where
        {{ commodity_of_group('mineral_group') }} in (select watched.commodity_code from watched)
        and source not in (select cut_lists.source from cut_lists)
    group by source, importer_iso3, mineral_group, frequency, period_start

),

-- What a supplier that restricts says it exports to each importer, and to all of them.
exports as (

    select
        monthly_supplies.source,
        monthly_supplies.importer_iso3,
        monthly_supplies.supplier_iso3,
        monthly_supplies.commodity_code,
        'M' as frequency,
        monthly_supplies.period_start,
        monthly_supplies.value_usd,
        monthly_supplies.net_weight_kg,
        1 as weight_coverage_share,
        cast(monthly_supplies.era as varchar) as era_of_value,
        cast(monthly_supplies.era as varchar) as era_of_weight,
        monthly_supplies.is_provisional,
        monthly_supplies.snapshot_ids
    from monthly_supplies
    inner join watched
        on
            monthly_supplies.supplier_iso3 = watched.implementer_iso3
            and monthly_supplies.commodity_code = watched.commodity_code
    where monthly_supplies.flow = 'export'

),

supplies as (

    select
        *,
        -- Where a source has values, it has them of all importers.
        coalesce(value_usd, net_weight_kg) as size,
        {{ warning_window('frequency') }} as look_back
    from (
        select * from imports
        union all by name
        select * from exports
    ) as both_sides

),

-- How large an importer is among those of the same source; all of them together are `WLD`. What the
-- European Union imports, its members import too.
with_sizes as (

    select
        *,
        sum(size) filter (where importer_iso3 not in ('WLD', 'EU27')) over (
            partition by source, supplier_iso3, commodity_code, frequency, period_start
        ) as size_of_all
    from supplies

),

-- Importers that are never large enough are left out before anything is worked out.
large_at_times as (

    select *
    from with_sizes
    qualify
        importer_iso3 = 'WLD'
        or max(size / nullif(size_of_all, 0)) over (
            partition by source, importer_iso3, supplier_iso3, commodity_code, frequency
        ) >= {{ warning_rule('least_importer_share') }}

),

large_before as (

    select
        *,
        importer_iso3 = 'WLD'
        or coalesce(
            sum(size) over periods_before
            >= {{ warning_rule('least_importer_share') }} * sum(size_of_all) over periods_before,
            false
        ) as is_large
    from large_at_times
    window
        periods_before as (
            partition by source, importer_iso3, supplier_iso3, commodity_code, frequency
            order by period_start
            range between look_back preceding
            and interval 1 day preceding
        )

)

{% for signal, unit, figure, era, preference, top_supplier in kinds %}
    select
        source,
        importer_iso3,
        supplier_iso3,
        commodity_code,
        frequency,
        period_start,
        '{{ signal }}' as signal,
        '{{ unit }}' as unit,
        {{ preference }} as preference,
        {{ 'true' if top_supplier else 'false' }} as is_share,
        {{ era }} as era,
        {{ figure }} as figure,
        {{ top_supplier or 'cast(null as varchar)' }} as top_supplier_iso3,
        is_large,
        is_provisional,
        snapshot_ids
    from large_before
    where {{ figure }} is not null
    {% if not loop.last %}union all{% endif %}
{% endfor %}
