-- By table of the lake: what one vintage replaces as a whole (its `vintage_slice`); what identifies
-- a series, and the part of it that distinguishes the rows of a slice; what both vintages must have
-- to be compared, since another edition of the HS is no revision; what is printed with the
-- same digits where that is more than a slice; the measures, with the most digits behind the point;
-- and the rows that marts read.
{% set tables = {
    'trade_flows': {
        'slice': [
            'source', 'reporter_iso3', 'flow', 'commodity_code', 'frequency', 'period_start',
        ],
        'edition': none,
        'frequency': 'frequency',
        'series': ['reporter_iso3', 'partner_iso3', 'flow', 'commodity_code', 'hs_revision'],
        'row': ['partner_iso3', 'hs_revision'],
        'comparable': ['hs_revision'],
        'printed_together': [],
        'period': 'period_start',
        'measures': {'value_usd': 3, 'net_weight_kg': 3},
        'is_read': (
            'procedure_code is null and transport_code is null and second_partner_iso3 is null'
        ),
    },
    'reconciled_trade': {
        'slice': ['source', 'hs6_code', 'hs_revision', 'period_start'],
        'edition': 'edition',
        'frequency': "'A'",
        'series': ['exporter_iso3', 'importer_iso3', 'hs6_code', 'hs_revision'],
        'row': ['exporter_iso3', 'importer_iso3'],
        'comparable': [],
        'printed_together': [],
        'period': 'period_start',
        'measures': {'value_usd': 3, 'net_weight_kg': 3},
        'is_read': 'true',
    },
    'price_quotes': {
        'slice': ['source', 'instrument', 'unit', 'price_date'],
        'edition': 'edition',
        'frequency': 'frequency',
        'series': ['instrument', 'unit'],
        'row': ['frequency'],
        'comparable': [],
        'printed_together': ['source', 'instrument', 'unit', 'snapshot_id'],
        'period': 'price_date',
        'measures': {'close': 8},
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
    {% set of_side = ['pair', 'is_earlier'] + columns.printed_together -%}
    vintages_of_{{ table }} as materialized (

        {{ successive_vintages(
            source('lake', table), columns.slice, 'vintage_at',
            'select landed.snapshot_id from landed', edition=columns.edition
        ) }}

    ),

    rows_of_{{ table }} as (

        select
            known.*,
            vintages.pair,
            vintages.is_earlier
        from {{ source('lake', table) }} as known
        inner join vintages_of_{{ table }} as vintages
            on
                known.snapshot_id = vintages.snapshot_id
                and known.vintage_at = vintages.vintage_at
                and {{ same_in('known', 'vintages', of_slice) }}
        where {{ columns.is_read }}
        {% if columns.comparable %}
            qualify
                count(distinct vintages.is_earlier) over (
                    partition by vintages.pair, known.{{ columns.comparable | join(', known.') }}
                ) = 2
        {% endif %}

    ),

    -- A round figure alone does not tell how it was rounded; those that are printed with it do.
    units_of_{{ table }} as (

        select
            {% for measure, digits in columns.measures.items() %}
                min({{ last_printed_unit(measure, digits) }}) over (
                    partition by {{ (columns.printed_together or of_side) | join(', ') }}
                ) as unit_of_{{ measure }},
            {% endfor %}
            pair,
            is_earlier
        from rows_of_{{ table }}
        group by {{ of_side | join(', ') }}

    ),

    -- A row that only one of the vintages has is a figure that appeared or vanished.
    figures_of_{{ table }} as (

        select
            {% for measure in columns.measures %}
                max({{ measure }}) filter (where is_earlier) as previous_{{ measure }},
                max({{ measure }}) filter (where not is_earlier) as {{ measure }},
            {% endfor %}
            pair,
            {{ columns.row | join(', ') }}
        from rows_of_{{ table }}
        group by pair, {{ columns.row | join(', ') }}

    ),

    changes_of_{{ table }} as (

        {% for measure in columns.measures -%}
            select
                vintages.source,
                '{{ table }}' as table_name,
                {{ columns.frequency }} as frequency,
                concat_ws('/', {{ columns.series | join(', ') }}) as series,
                cast(vintages.{{ columns.period }} as date) as period_start,
                '{{ measure }}' as measure,
                vintages.previous_vintage_at,
                vintages.later_vintage_at,
                vintages.previous_snapshot_id,
                vintages.later_snapshot_id,
                figures.previous_{{ measure }} as previous_value,
                figures.{{ measure }} as value,
                greatest(earlier.unit_of_{{ measure }}, later.unit_of_{{ measure }}) as unit
            from figures_of_{{ table }} as figures
            inner join vintages_of_{{ table }} as vintages
                on figures.pair = vintages.pair and not vintages.is_earlier
            left join units_of_{{ table }} as earlier
                on figures.pair = earlier.pair and earlier.is_earlier
            left join units_of_{{ table }} as later
                on figures.pair = later.pair and not later.is_earlier
            where not {{ same_figure('figures.' ~ measure, 'figures.previous_' ~ measure) }}
            {% if not loop.last %}union all{% endif %}
        {% endfor %}

    ),
{% endfor %}

changes as (

    {% for table in tables %}
        select * from changes_of_{{ table }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select
    source,
    concat_ws('/', table_name, frequency, series) as series_key,
    table_name,
    frequency,
    period_start,
    measure,
    previous_vintage_at,
    later_vintage_at as vintage_at,
    previous_value,
    value,
    case when previous_value <> 0 then value / previous_value end as change_ratio,
    case
        when {{ differs_by_precision('value', 'previous_value', 'unit') }} then 'precision'
        else 'revision'
    end as kind,
    previous_snapshot_id,
    later_snapshot_id as snapshot_id,
    {{ snapshots_together(['[previous_snapshot_id, later_snapshot_id]']) }} as snapshot_ids
from changes
