{# Publishers of acts, as a list. The others report acts: they name none. #}
{% macro publishers_of_acts() -%}
    ['mofcom', 'federal_register']
{%- endmacro %}
