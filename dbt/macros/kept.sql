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


{# Whether a node stands as it would be made now. #}
{% macro is_kept() %}
    {{ return(decided().get('is_kept', false)) }}
{% endmacro %}


{# Record the fingerprint of a node that was made, and the hash of what is in it now; returns the
   hash. Of a view, which has no rows of its own, the fingerprint stands for these, unless it names
   the day: what reads such a view would be made anew each day. #}
{% macro record_made(content='fingerprint') %}
    {% if has_fingerprints() %}
        {# A transaction writes to one file. #}
        {% do adapter.commit() %}
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
        {{ return(recorded[0][0] if recorded else none) }}
    {% endif %}
{% endmacro %}


{# The same for a model; the hash is its message, by which Dagster learns of it as dbt ends it. #}
{% macro tell_made(content) %}
    {% set recorded = record_made(content) %}
    {% if recorded %}
        {% call noop_statement('main', 'MADE ' ~ recorded) %}{{ compiled_code }}{% endcall %}
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


{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {% if is_kept() %}
        {% call noop_statement('main', 'KEPT') %}{% endcall %}
        {{ return({'relations': [this.incorporate(type='table')]}) }}
    {% endif %}
    {% if model.language == 'python' %}
        {# dbt runs Python for a materialization itself alone. #}
        {% do drop_relation_if_exists(load_cached_relation(this)) %}
        {% call statement('main', language='python') %}
            {{- create_table_as(false, this.incorporate(type='table'), compiled_code, 'python') -}}
        {% endcall %}
        {% do adapter.commit() %}
        {% set made = {'relations': [this.incorporate(type='table')]} %}
    {% else %}
        {% set made = dbt.materialization_table_duckdb() %}
    {% endif %}
    {% do tell_made(content_of(this)) %}
    {{ return(made) }}
{% endmaterialization %}


{% materialization view, adapter='duckdb' %}
    {% if is_kept() %}
        {% call noop_statement('main', 'KEPT') %}{% endcall %}
        {{ return({'relations': [this.incorporate(type='view')]}) }}
    {% endif %}
    {% set made = dbt.materialization_view_default() %}
    {% do tell_made(content_of(this) if decided().get('names_day') else 'fingerprint') %}
    {{ return(made) }}
{% endmaterialization %}


{% materialization test, adapter='duckdb' %}
    {% if is_kept() %}
        {% call statement('main', fetch_result=true) %}
            select 0 as failures, false as should_warn, false as should_error
        {% endcall %}
        {{ return({'relations': []}) }}
    {% endif %}
    {% set made = dbt.materialization_test_default() %}
    {% do record_made() %}
    {{ return(made) }}
{% endmaterialization %}
