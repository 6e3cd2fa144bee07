{# A condition that each row meets; unknown (null) passes. Returns the rows that do not. #}
{% test holds_on_every_row(model, condition) %}
    select *
    from {{ model }}
    where not ({{ condition }})
{% endtest %}
