{# Which of the lake's rows count in a build: all vintages lie there side by side. #}


{# First instant after the day the warehouse is built for: what was retrieved before it counts. #}
{% macro as_of_end() -%}
    cast('{{ var("as_of") }}' as date) + interval 1 day
{%- endmacro %}


{# The day the warehouse is built for. #}
{% macro as_of_day() -%}
    cast('{{ var("as_of") }}' as date)
{%- endmacro %}


{# Rows of the newest vintage of each slice, among those retrieved before `cutoff`. A slice is
   replaced as a whole, so a row that a newer vintage no longer holds is gone. #}
{% macro latest_vintage(relation, slice_columns, cutoff) -%}
    select *
    from {{ relation }}
    where vintage_at < {{ cutoff }}
    qualify
        dense_rank() over (
            partition by {{ slice_columns | join(", ") }}
            order by vintage_at desc, snapshot_id desc
        ) = 1
{%- endmacro %}


{# Rows of the newest snapshot of each document of a list edited by hand, whenever it was
   retrieved; of two documents that speak of the same subject, all that the newer one says. #}
{% macro newest_snapshot(relation, subject_columns) -%}
    select *
    from (
        select *
        from {{ relation }}
        qualify dense_rank() over (partition by source, document order by snapshot_id desc) = 1
    ) as newest_documents
    qualify
        dense_rank() over (
            partition by {{ subject_columns | join(", ") }}
            order by snapshot_id desc
        ) = 1
{%- endmacro %}
