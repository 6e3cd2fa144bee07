-- By table of the lake: what one vintage replaces as a whole (its `vintage_slice`), what identifies
-- a series, what a publisher prints with the same digits, and the rows that marts read.
{% set tables = {
    'trade_flows': {
        'slice': [
            'source', 'reporter_iso3', 'flow', 'commodity_code', 'frequency', 'period_start',
        ],
        'edition': none,
        'frequency': 'known.frequency',
        'series': ['reporter_iso3', 'partner_iso3', 'flow', 'commodity_code', 'hs_revision'],
        'printed_together': ['reporter_iso3', 'flow', 'commodity_code', 'period_start'],
        'period': 'period_start',
        'measures': ['value_usd', 'net_weight_kg'],
        'is_read': (
            'procedure_code is null and transport_code is null and second_partner_iso3 is null'
        ),
    },
    'reconciled_trade': {
        'slice': ['source', 'hs6_code', 'hs_revision', 'period_start'],
        'edition': 'edition',
        'frequency': "'A'",
        'series': ['exporter_iso3', 'importer_iso3', 'hs6_code', 'hs_revision'],
        'printed_together': ['hs6_code', 'hs_revision', 'period_start'],
        'period': 'period_start',
        'measures': ['value_usd', 'net_weight_kg'],
        'is_read': 'true',
    },
    'price_quotes': {
        'slice': ['source', 'instrument', 'unit', 'price_date'],
        'edition': 'edition',
        'frequency': 'known.frequency',
        'series': ['instrument', 'unit'],
        'printed_together': ['instrument', 'unit'],
        'period': 'price_date',
        'measures': ['close'],
        'is_read': 'true',
    },
} %}

with snapshots as (

    select * from {{ source('runtime', 'snapshots') }}

),

-- What comes with the program is one vintage of its publisher, whichever version of it is current.
landed as (

    select snapshot_id from snapshots
    where not is_bundled

),

{% for table, columns in tables.items() %}
    {% set of_slice = columns.slice + ([columns.edition] if columns.edition else []) -%}
    vintages_of_{{ table }} as (

        {{ successive_vintages(
            source('lake', table), columns.slice, 'vintage_at',
            'select landed.snapshot_id from landed', edition=columns.edition
        ) }}

    ),

    figures_of_{{ table }} as (

        select
            known.source,
            '{{ table }}' as table_name,
            {{ columns.frequency }} as frequency,
            concat_ws(
                '/',
                '{{ table }}',
                {{ columns.frequency }},
                {% for name in columns.series -%}
                    known.{{ name }}{{ "," if not loop.last }}
                {% endfor -%}
            ) as series_key,
            concat_ws(
                '/',
                '{{ table }}',
                {{ columns.frequency }},
                {% for name in columns.printed_together -%}
                    known.{{ name }}{{ "," if not loop.last }}
                {% endfor -%}
            ) as printed_together,
            cast(known.{{ columns.period }} as date) as period_start,
            unnest({{ columns.measures }}) as measure,
            unnest([known.{{ columns.measures | join(', known.') }}]) as amount,
            known.snapshot_id,
            vintages.is_earlier,
            vintages.previous_vintage_at,
            vintages.later_vintage_at,
            vintages.previous_snapshot_id,
            vintages.later_snapshot_id
        from {{ source('lake', table) }} as known
        inner join vintages_of_{{ table }} as vintages
            on
                known.snapshot_id = vintages.snapshot_id
                and known.vintage_at = vintages.vintage_at
                and {{ same_in('known', 'vintages', of_slice) }}
        where {{ columns.is_read }}

    ),
{% endfor %}

figures as (

    {% for table in tables %}
        select * from figures_of_{{ table }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- A round figure alone does not tell how it was rounded; those that are printed with it do.
units as (

    select
        source,
        printed_together,
        measure,
        snapshot_id,
        case measure
            when 'close' then {{ last_printed_unit('amount', digits=8) }}
            else {{ last_printed_unit('amount') }}
        end as unit
    from figures
    group by source, printed_together, measure, snapshot_id

),

-- A row that only one of the vintages has is a figure that appeared or vanished.
pairs as (

    select
        source,
        table_name,
        frequency,
        series_key,
        printed_together,
        period_start,
        measure,
        previous_vintage_at,
        later_vintage_at as vintage_at,
        previous_snapshot_id,
        later_snapshot_id as snapshot_id,
        max(amount) filter (where is_earlier) as previous_value,
        max(amount) filter (where not is_earlier) as value
    from figures
    group by
        source,
        table_name,
        frequency,
        series_key,
        printed_together,
        period_start,
        measure,
        previous_vintage_at,
        later_vintage_at,
        previous_snapshot_id,
        later_snapshot_id

),

changes as (

    select
        pairs.*,
        greatest(previous_units.unit, units.unit) as unit
    from pairs
    left join units as previous_units
        on
            pairs.source = previous_units.source
            and pairs.printed_together = previous_units.printed_together
            and pairs.measure = previous_units.measure
            and pairs.previous_snapshot_id = previous_units.snapshot_id
    left join units
        on
            pairs.source = units.source
            and pairs.printed_together = units.printed_together
            and pairs.measure = units.measure
            and pairs.snapshot_id = units.snapshot_id
    where not {{ same_figure('pairs.value', 'pairs.previous_value') }}

)

select
    source,
    series_key,
    table_name,
    frequency,
    period_start,
    measure,
    previous_vintage_at,
    vintage_at,
    previous_value,
    value,
    case when previous_value <> 0 then value / previous_value end as change_ratio,
    case
        when {{ differs_by_precision('value', 'previous_value', 'unit') }} then 'precision'
        else 'revision'
    end as kind,
    previous_snapshot_id,
    snapshot_id,
    {{ snapshots_together(['[previous_snapshot_id, snapshot_id]']) }} as snapshot_ids
from changes
