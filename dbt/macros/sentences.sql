{# A sentence of a published column, worded outside SQL (dagster_project/serving/wording): its name,
   `<page>.<sentence>`, and its facts, each an expression. #}
{% macro sentence(name, facts={}) -%}
    {%- set packed = [] -%}
    {%- for fact, expression in facts.items() -%}
        {%- do packed.append(fact ~ ' := ' ~ expression) -%}
    {%- endfor -%}
    sentence(
        '{{ name }}',
        {{ 'cast(to_json(struct_pack(' ~ packed | join(', ') ~ ')) as varchar)' if facts else "'{}'" }}
    )
{%- endmacro %}
