{# Tables and views are made under their own names: nobody reads the files of a build before it is
   whole, so nothing is made beside a relation and moved into its place, as dbt's own do it. #}


{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- do drop_relation_if_exists(load_cached_relation(this)) -%}
    {% call statement('main', language=model['language']) -%}
        {{ create_table_as(false, target, compiled_code, model['language']) }}
    {%- endcall %}
    {%- do persist_docs(target, model) -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- do drop_relation_if_exists(load_cached_relation(this)) -%}
    {% call statement('main') -%}
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall %}
    {%- do persist_docs(target, model) -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{# A test reads and leaves nothing behind: it begins no transaction and stores no failures. #}
{% materialization test, adapter='duckdb' %}
    {%- set counted = get_test_sql(
        sql, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), none
    ) -%}
    {%- set response, table = adapter.execute(counted, auto_begin=false, fetch=true) -%}
    {%- do store_result('main', response=response, agate_table=table) -%}
    {{ return({'relations': []}) }}
{% endmaterialization %}
