{# The columns are a key: no part of it is null, and no two rows share it. Returns the keys that
   are not, with how many rows each has. #}
{% test one_row_per(model, columns) %}
    select
        {{ columns | join(", ") }},
        count(*) as rows_with_this_key
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        count(*) > 1
        {% for column in columns %}or {{ column }} is null {% endfor %}
{% endtest %}
