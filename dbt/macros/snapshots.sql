{# The snapshots a figure was made from: a list without duplicates, in alphabetical order. #}


{# Those of the rows of a group, from the snapshot of each row. #}
{% macro snapshots_of(snapshot_id) -%}
    list(distinct {{ snapshot_id }} order by {{ snapshot_id }})
        filter (where {{ snapshot_id }} is not null)
{%- endmacro %}


{# Those of the rows of a group, from the list of each row. Lists that are equal are read once. #}
{% macro union_of_snapshots(snapshot_ids) -%}
    {{ union_of('list(distinct ' ~ snapshot_ids ~ ')') }}
{%- endmacro %}


{# Those of a list of lists. #}
{% macro union_of(lists) -%}
    list_sort(list_distinct(flatten({{ lists }})))
{%- endmacro %}


{# Those of several lists side by side; a missing one adds nothing. #}
{% macro snapshots_together(lists) -%}
    {{ union_of('[' ~ lists | join(', ') ~ ']') }}
{%- endmacro %}
