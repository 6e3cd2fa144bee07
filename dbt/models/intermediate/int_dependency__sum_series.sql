{# What each importer bought of each series is summed once, as a table. #}
{{ config(materialized='table') }}

with imports as (

    select
        series_number,
        importer_iso3,
        case partner_iso3
            when 'WLD' then 'total'
            when importer_iso3 then 're_import'
            when '_X' then 'remainder'
            else 'supplier'
        end as kind,
        value_usd,
        net_weight_kg,
        valuation,
        is_provisional
    from {{ ref('int_dependency__list_group_imports') }}

),

-- What an importer declares of a code comes from few snapshots: its imports, its re-imports, and
-- the rates at which its customs' months are converted.
declared as (

    select
        series_number,
        importer_iso3,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from {{ ref('int_dependency__list_group_imports') }}
    where snapshot_ids is not null
    group by series_number, importer_iso3

),

series as (

    select * from {{ ref('int_dependency__number_series') }}

),

publishers as (

    select * from {{ ref('seed_publishers') }}

),

-- Both measures at once, by what a flow is: of 11 million flows in a third of the time that the
-- rules below take on each flow and measure.
by_kind as (

    select
        series_number,
        importer_iso3,
        kind,
        count(*) as flows,
        count(value_usd) as flows_with_value,
        count(net_weight_kg) as flows_with_weight,
        sum(value_usd) as value_usd,
        sum(net_weight_kg) as net_weight_kg,
        max(value_usd) as largest_value_usd,
        max(net_weight_kg) as largest_net_weight_kg,
        sum(value_usd) filter (where net_weight_kg is not null) as weighed_value,
        bool_or(valuation = 'CIF') as has_cif,
        bool_or(valuation = 'FOB') as has_fob,
        bool_or(is_provisional) as is_provisional
    from imports
    group by series_number, importer_iso3, kind

),

by_commodity as (

    select
        series_number,
        importer_iso3,
        {% for measure, with_amount in [
            ('value_usd', 'flows_with_value'), ('net_weight_kg', 'flows_with_weight')
        ] %}
            max(largest_{{ measure }}) filter (where kind = 'total') as printed_{{ measure }},
            max(largest_{{ measure }}) filter (where kind = 're_import')
                as re_imported_{{ measure }},
            coalesce(sum(flows - {{ with_amount }}) filter (where kind = 're_import'), 0)
                as missing_re_imports_{{ measure }},
            sum({{ measure }}) filter (where kind in ('supplier', 'remainder'))
                as partners_{{ measure }},
            sum({{ measure }}) filter (where kind = 'supplier') as supplied_{{ measure }},
            max(largest_{{ measure }}) filter (where kind = 'supplier')
                as largest_{{ measure }},
            coalesce(sum({{ with_amount }}) filter (where kind = 'remainder'), 0)
                as remainders_{{ measure }},
            coalesce(sum(flows - {{ with_amount }}) filter (where kind = 'supplier'), 0)
                as missing_{{ measure }},
            coalesce(sum(flows - {{ with_amount }}) filter (where kind = 'remainder'), 0)
                as missing_remainders_{{ measure }},
        {% endfor %}
        sum(weighed_value) filter (where kind = 'supplier') as weighed_supplied_value,
        sum(weighed_value) filter (where kind = 'remainder') as weighed_remaining_value,
        sum(value_usd) filter (where kind = 'remainder') as remaining_value,
        coalesce(sum(flows) filter (where kind = 'total'), 0) as totals,
        coalesce(sum(flows) filter (where kind = 'supplier'), 0) as suppliers,
        bool_or(has_cif) as has_cif,
        bool_or(has_fob) as has_fob,
        bool_or(is_provisional) as is_provisional
    from by_kind
    group by series_number, importer_iso3

),

by_measure as (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            *,
            '{{ measure }}' as measure,
            printed_{{ measure }} - coalesce(re_imported_{{ measure }}, 0) as printed_total,
            printed_{{ measure }} is not null and missing_re_imports_{{ measure }} = 0
                as has_printed_total,
            coalesce(partners_{{ measure }}, 0) as sum_of_partners,
            supplied_{{ measure }} as supplied_amount,
            largest_{{ measure }} as largest_amount,
            remainders_{{ measure }} > 0 as has_remainder,
            missing_{{ measure }} as missing_amounts,
            missing_remainders_{{ measure }} as missing_remainders,
            missing_value_usd + missing_remainders_value_usd as missing_values
        from by_commodity
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

-- The partners are the total where none is printed, or where all of them are listed. The remainder
-- is needed for that alone. How much of it is weighed is known if every value is there.
select
    series.group_number,
    by_measure.series_number,
    by_measure.importer_iso3,
    by_measure.measure,
    cast(by_measure.suppliers as bigint) as suppliers,
    by_measure.has_cif,
    by_measure.has_fob,
    by_measure.is_provisional,
    coalesce(declared.snapshot_ids, [series.snapshot_id]) as snapshot_ids,
    case
        when by_measure.has_printed_total then by_measure.printed_total
        when
            by_measure.totals = 0
            or by_measure.has_remainder
            or coalesce(publishers.lists_every_partner, false)
            then by_measure.sum_of_partners
    end as total_amount,
    by_measure.supplied_amount,
    -- The Union has a flow of each member from a supplier.
    case when by_measure.importer_iso3 <> 'EU27' then by_measure.largest_amount end
        as largest_amount,
    by_measure.has_remainder,
    total_amount is not null
    and by_measure.missing_amounts = 0
    and (by_measure.has_printed_total or by_measure.missing_remainders = 0) as is_whole,
    total_amount is not null
    and (
        is_whole or (by_measure.measure = 'net_weight_kg' and by_measure.missing_values = 0)
    ) as is_complete,
    coalesce(by_measure.supplied_value_usd, 0)
    + case when by_measure.has_printed_total then 0 else coalesce(by_measure.remaining_value, 0) end
        as whole_value,
    coalesce(by_measure.weighed_supplied_value, 0)
    + case
        when by_measure.has_printed_total then 0
        else coalesce(by_measure.weighed_remaining_value, 0)
    end as weighed_value
from by_measure
inner join series on by_measure.series_number = series.series_number
left join publishers on series.source = publishers.source
left join declared
    on
        by_measure.series_number = declared.series_number
        and by_measure.importer_iso3 = declared.importer_iso3
