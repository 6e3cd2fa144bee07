{# A sentence of a published column, worded outside SQL (dagster_project/serving/wording): its name,
   `<page>.<sentence>`, and its facts, each an expression. #}
{% macro sentence(name, facts={}) -%}
    sentence(
        '{{ name }}',
        {% if facts -%}
            cast(to_json(struct_pack(
                {%- for fact, expression in facts.items() %}
                {{ fact }} := {{ expression }}{{ ',' if not loop.last }}
                {%- endfor %}
            )) as varchar)
        {%- else -%}
            '{}'
        {%- endif %}
    )
{%- endmacro %}
