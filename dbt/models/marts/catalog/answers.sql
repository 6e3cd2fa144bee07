{# Each model shows some lines of the page, for every importer. A new line goes into one of them. #}
{% set models = [
    'int_answers__show_imports_by_month',
    'int_answers__show_imports',
    'int_answers__show_codes',
    'int_answers__show_other_importers',
    'int_answers__show_supply',
    'int_answers__show_price',
    'int_answers__show_supplier_exports',
    'int_answers__show_magnet_arrivals',
    'int_answers__show_restrictions',
    'int_answers__show_markets',
    'int_answers__show_event_studies',
] %}

with lines as (

    {% for model in models -%}
        select * from {{ ref(model) }}
        {% if not loop.last -%}
            union all by name
        {% endif -%}
    {% endfor %}

)

select
    importer_iso3,
    position,
    subject,
    figure,
    unit,
    period,
    coalesce(detail, {{ sentence('answers.no_figure') }}) as detail,
    trend,
    trend_from,
    source,
    cast(vintage_at as date) as vintage,
    coalesce(snapshot_ids, []) as snapshot_ids
from lines
