{# The descriptions of a table and its columns as comments, in one statement: a contract names every
   column, so they are not looked up. #}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {% if config.persist_relation_docs() and config.persist_column_docs() %}
        {% do adapter.execute(comments_of(relation, model), auto_begin=false, fetch=false) %}
    {% endif %}
{% endmacro %}


{% macro comments_of(relation, model) -%}
    comment on {{ relation.type }} {{ relation }}
    is {{ duckdb_escape_comment(model.description) }};
    {% for name, column in model.columns.items() %}
        comment on column {{ relation }}.{{ adapter.quote(name) }}
        is {{ duckdb_escape_comment(column.description) }};
    {% endfor %}
{%- endmacro %}
