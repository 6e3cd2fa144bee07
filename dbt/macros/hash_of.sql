{# A number for the values of some columns, the same for the same values; different values may share
   one. A missing value has the same hash everywhere. #}
{% macro hash_of(columns) -%}
    hash({{ columns | join(", ") }})
{%- endmacro %}
