{# Each model shows some lines of the page, for every importer. A new line goes into one of them. #}
{% set models = [
    'int_answers__show_imports_by_month',
    'int_answers__show_imports',
    'int_answers__show_codes',
    'int_answers__show_other_importers',
    'int_answers__show_supply',
    'int_answers__show_risks',
    'int_answers__show_price',
    'int_answers__show_supplier_exports',
    'int_answers__show_magnet_arrivals',
    'int_answers__show_restrictions',
    'int_answers__show_notices',
    'int_answers__show_relief',
    'int_answers__show_announced',
    'int_answers__show_markets',
    'int_answers__show_event_studies',
] %}
{# Their figures are of days around an event: no later one is newer. #}
{% set past_events = 'int_answers__show_event_studies' %}

with lines as (

    {% for model in models -%}
        select
            *,
            {{ 'true' if model == past_events else 'false' }} as is_of_past_event
        from {{ ref(model) }}
        {% if not loop.last -%}
            union all by name
        {% endif -%}
    {% endfor %}

),

lateness as (

    select * from {{ source('runtime', 'lateness') }}

),

-- What a source should have published and is not in this build, as a line writes its period.
newer as (

    select
        source,
        left(
            cast(published_through as varchar),
            case frequency when 'A' then 4 when 'M' then 7 else 10 end
        ) as newer_period,
        count(*) over (partition by source) as frequencies
    from lateness
    qualify latest_period < published_through

),

dated_lines as (

    select
        *,
        split_part(period, '/', -1) as last_period
    from lines
    where not is_of_past_event

),

-- A month is older than a year that ends after it, and a year than a month of a later one.
newer_by_line as (

    select
        dated_lines.importer_iso3,
        dated_lines.position,
        max(newer.newer_period) as newer_period
    from dated_lines
    inner join newer
        on
            list_contains(string_split(dated_lines.source, ', '), newer.source)
            and (
                newer.frequencies = 1
                or length(newer.newer_period) = length(dated_lines.last_period)
            )
            and left(dated_lines.last_period, length(newer.newer_period))
            < left(newer.newer_period, length(dated_lines.last_period))
    group by dated_lines.importer_iso3, dated_lines.position

)

select
    lines.importer_iso3,
    lines.position,
    lines.subject,
    lines.figure,
    lines.unit,
    lines.period,
    coalesce(lines.detail, {{ sentence('answers.no_figure') }}) as detail,
    lines.trend,
    lines.trend_from,
    lines.source,
    cast(lines.vintage_at as date) as vintage,
    newer_by_line.newer_period,
    coalesce(lines.snapshot_ids, []) as snapshot_ids
from lines
left join newer_by_line
    on
        lines.importer_iso3 = newer_by_line.importer_iso3
        and lines.position = newer_by_line.position
