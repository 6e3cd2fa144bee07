{# A number for the values of some columns, the same for the same values; different values may share
   one. What a missing value counts as is the same everywhere. #}
{% macro hash_of(columns) -%}
    hash({{ columns | join(", ") }})
{%- endmacro %}
