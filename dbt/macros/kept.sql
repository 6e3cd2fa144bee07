{# What a build does not make again. It starts from a copy of the last one, in which
   `build.decided` says of each node whether its fingerprint is that of what stands
   (dagster_project/orchestration/fingerprints.py). By hand, without that table, dbt makes all. #}


{% macro has_fingerprints() %}
    {{ return(adapter.get_relation('work', 'build', 'decided') is not none) }}
{% endmacro %}


{# What is decided of a node, as `is_kept` and `names_day`; its inputs are made or kept by then. #}
{% macro decided() %}
    {% if not has_fingerprints() %}
        {{ return({}) }}
    {% endif %}
    {% set found = run_query(
        "select is_kept, names_day from work.build.decided where node = '" ~ model.unique_id ~ "'"
    ) %}
    {{ return(found.rows[0].dict() if found.rows | length > 0 else {}) }}
{% endmacro %}


{# Record the fingerprint of a model that was made, and the hash of what is in it now, which is its
   message: by it Dagster learns of it as dbt ends it. Of a view, which has no rows of its own, the
   fingerprint stands for these, unless it names the day: what reads such a view would be made anew
   each day. #}
{% macro record_made(content) %}
    {% if has_fingerprints() %}
        {% call statement('record_made', fetch_result=true) %}
            insert into work.build.made
            select
                node,
                fingerprint,
                {{ content }} as content,
                true as is_new
            from work.build.decided
            where node = '{{ model.unique_id }}'
            returning content
        {% endcall %}
        {% do adapter.commit() %}
        {# Of a node that no build makes nothing is decided. #}
        {% set recorded = load_result('record_made').data %}
        {% if recorded %}
            {% call noop_statement('main', 'MADE ' ~ recorded[0][0]) %}{{ compiled_code }}{% endcall %}
        {% endif %}
    {% endif %}
{% endmacro %}


{# A hash of the rows of a table in any order: of equal rows each counts, and a figure by its first
   twelve digits. #}
{% macro content_of(relation) %}
    {% set columns = adapter.get_columns_in_relation(relation) %}
    {% set values = [] %}
    {% for column in columns %}
        {% set name = adapter.quote(column.name) %}
        {% if column.dtype | upper in ('DOUBLE', 'FLOAT') %}
            {% do values.append(
                'if(isfinite(' ~ name ~ ') and ' ~ name ~ ' <> 0, round(' ~ name
                ~ ', 11 - cast(floor(log10(abs(' ~ name ~ '))) as integer)), ' ~ name ~ ')'
            ) %}
        {% else %}
            {% do values.append(name) %}
        {% endif %}
    {% endfor %}
    (
        select
            md5(concat_ws(
                ' ',
                '{% for column in columns %}{{ column.name }} {{ column.dtype }} {% endfor %}',
                count(*),
                sum(hash({{ values | join(', ') }}))
            ))
        from {{ relation }}
    )
{% endmacro %}


{# No build starts from one that failed: what is made need not be swapped for what stood. The
   project has no hooks, grants or indexes. #}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {% set made = this.incorporate(type='table') %}
    {% if decided().is_kept %}
        {% call noop_statement('main', 'KEPT') %}{% endcall %}
        {{ return({'relations': [made]}) }}
    {% endif %}
    {% do drop_relation_if_exists(load_cached_relation(this)) %}
    {% call statement('main', language=model.language) %}
        {{- create_table_as(false, made, compiled_code, model.language) -}}
    {% endcall %}
    {% do persist_docs(made, model) %}
    {# A transaction writes to one file. #}
    {% do adapter.commit() %}
    {% do record_made(content_of(made)) %}
    {{ return({'relations': [made]}) }}
{% endmaterialization %}


{% materialization view, adapter='duckdb' %}
    {% set made = this.incorporate(type='view') %}
    {% set decision = decided() %}
    {% if decision.is_kept %}
        {% call noop_statement('main', 'KEPT') %}{% endcall %}
        {{ return({'relations': [made]}) }}
    {% endif %}
    {% do drop_relation_if_exists(load_cached_relation(this)) %}
    {% call statement('main') %}
        {{- get_create_view_as_sql(made, sql) -}}
    {% endcall %}
    {% do persist_docs(made, model) %}
    {# A transaction writes to one file. #}
    {% do adapter.commit() %}
    {% do record_made(content_of(made) if decision.names_day else 'fingerprint') %}
    {{ return({'relations': [made]}) }}
{% endmaterialization %}


{# Tests that ran are recorded once dbt has ended. #}
{% materialization test, adapter='duckdb' %}
    {% if decided().is_kept %}
        {% call statement('main', fetch_result=true) %}
            select 0 as failures, false as should_warn, false as should_error
        {% endcall %}
        {{ return({'relations': []}) }}
    {% endif %}
    {{ return(dbt.materialization_test_default()) }}
{% endmaterialization %}
