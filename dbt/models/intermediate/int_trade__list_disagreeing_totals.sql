{# Read by all that reads flows: a few rows, found once. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__unite_flows') }}

),

publishers as (

    select * from {{ ref('seed_publishers') }}

),

-- An economy's flow with itself may be printed apart, as a re-import; it is part of the total.
separate_re_imports as (

    select re_imports.* replace ('import' as flow)
    from flows as re_imports
    anti join flows as imports
        on
            imports.flow = 'import'
            and re_imports.source = imports.source
            and re_imports.reporter_iso3 = imports.reporter_iso3
            and re_imports.partner_iso3 = imports.partner_iso3
            and re_imports.commodity_code = imports.commodity_code
            and re_imports.frequency = imports.frequency
            and re_imports.period_start = imports.period_start
    where re_imports.flow = 're_import' and re_imports.reporter_iso3 = re_imports.partner_iso3

),

parts_and_totals as (

    select * from flows
    union all by name
    select * from separate_re_imports

),

by_slice as (

    select
        source,
        reporter_iso3,
        flow,
        commodity_code,
        frequency,
        period_start,
        {% for measure in ['value_usd', 'net_weight_kg'] %}
            max({{ measure }}) filter (where partner_iso3 = 'WLD') as printed_{{ measure }},
            sum({{ measure }}) filter (where partner_iso3 <> 'WLD') as parts_{{ measure }},
            count({{ measure }}) filter (where partner_iso3 <> 'WLD') as count_{{ measure }},
            {{ last_printed_unit(measure) }}
            {%- if measure == 'value_usd' %}
                -- What was printed in another currency was rounded in it.
                + coalesce(max(value_unit_usd), 0)
            {%- endif %}
                as unit_{{ measure }},
        {% endfor %}
        count(*) filter (where partner_iso3 <> 'WLD') as parts,
        bool_or(partner_iso3 = '_X') as has_remainder
    from parts_and_totals
    group by source, reporter_iso3, flow, commodity_code, frequency, period_start
    having bool_or(partner_iso3 = 'WLD')

),

by_measure as (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            source,
            reporter_iso3,
            flow,
            commodity_code,
            frequency,
            period_start,
            '{{ measure }}' as measure,
            printed_{{ measure }} as printed_total,
            parts_{{ measure }} as sum_of_parts,
            unit_{{ measure }} as printed_unit,
            parts,
            count_{{ measure }} = parts as has_all_amounts,
            has_remainder
        from by_slice
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

-- Parts may be less than the total where the publisher does not list all of them, or one has no
-- amount. They are never more. Of a slice whose values disagree the weights are left out with it.
select
    by_measure.source,
    by_measure.reporter_iso3,
    by_measure.flow,
    by_measure.commodity_code,
    by_measure.frequency,
    by_measure.period_start,
    by_measure.measure,
    by_measure.printed_total,
    by_measure.sum_of_parts,
    cast(by_measure.parts as integer) as parts
from by_measure
left join publishers on by_measure.source = publishers.source
where
    by_measure.sum_of_parts - by_measure.printed_total > {{
        largest_rounding(
            'by_measure.printed_total', 'by_measure.parts', 'by_measure.printed_unit',
            'by_measure.measure'
        )
    }}
    or (
        by_measure.has_all_amounts
        and (by_measure.has_remainder or publishers.lists_every_partner)
        and by_measure.printed_total - by_measure.sum_of_parts > {{
            largest_rounding(
                'by_measure.printed_total', 'by_measure.parts', 'by_measure.printed_unit',
                'by_measure.measure'
            )
        }}
    )
qualify
    by_measure.measure = 'value_usd'
    or count(*) over (
        partition by
            by_measure.source,
            by_measure.reporter_iso3,
            by_measure.flow,
            by_measure.commodity_code,
            by_measure.frequency,
            by_measure.period_start
    ) = 1
