{# Which of the lake's rows are current in a build: the lake has all vintages, except of replaced
   copies of bundled documents (`lake/copies.py`). The macros of this file and of
   `newest_of_each.sql` are used outside of dbt too, for frames (`lake/vintages.py`): they are plain
   Jinja, and use only `var` of dbt. #}


{# First instant after the day the warehouse is built for: rows retrieved before it are known. #}
{% macro as_of_end() -%}
    cast('{{ env_var("DBT_AS_OF", "2026-11-25") }}' as date) + interval 1 day
{%- endmacro %}


{# The day the warehouse is built for. #}
{% macro as_of_day() -%}
    cast('{{ env_var("DBT_AS_OF", "2026-11-25") }}' as date)
{%- endmacro %}


{# Whether a vintage was known on a day of the past. #}
{% macro was_known_on(day, vintage_at) -%}
    {{ vintage_at }} < {{ day }} + interval 1 day
{%- endmacro %}


{# First day of the newest year whose trade is known on a day: a year's counts from the first of
   July after it. #}
{% macro newest_year_of_trade_known_on(day) -%}
    cast(date_trunc('year', {{ day }} - interval 18 month) as date)
{%- endmacro %}


{# Order of precedence among the rows of one thing: of editions the newer, of vintages the later
   retrieved, of snapshots of one instant the later landed. The name of a snapshot begins with its
   source's, so only its instant is compared, and the whole name only where nothing else decides. #}
{% macro newest_first(edition=none) -%}
    {% if edition %}{{ edition }} desc nulls last, {% endif -%}
    vintage_at desc, regexp_extract(snapshot_id, '\d{8}T\d{12}') desc, snapshot_id desc
{%- endmacro %}


{# Rank of the evidence of a fact: 1 is the best. #}
{% macro evidence_rank(evidence) -%}
    case {{ evidence }} when 'official' then 1 when 'reported' then 2 when 'de_facto' then 3 end
{%- endmacro %}


{# The rows of a lake table that are current on the day of the build, by the rule its schema
   declares.

   Of each slice the newest vintage is current, as a whole: a row that it no longer has is dropped.
   Then, where several slices may describe one subject, that of one slice: the one with the best
   evidence, then the newest. Figures are known from the day they were retrieved, facts from the
   day they became known, which the newest text of a list gives, whenever it was retrieved. #}
{% macro current_rows(relation, slice, known_from, edition=none, subject=[], evidence=none) -%}
    {% set is_known = known_by_the_day(known_from) %}
    {% set newest_of_each_slice -%}
        {{ newest_of_each(relation, slice, is_known, edition) }}
    {%- endset %}
    {% if subject -%}
        select *
        from ({{ newest_of_each_slice }}) as newest_slices
        {% if known_from == 'known_at' -%}
            where known_at < {{ as_of_end() }}
        {% endif -%}
        qualify
            dense_rank() over (
                partition by {{ subject | join(", ") }}
                order by
                    {% if evidence %}{{ evidence_rank(evidence) }} nulls last, {% endif -%}
                    {{ newest_first(edition) }}
            ) = 1
    {%- else -%}
        {{ newest_of_each_slice }}
    {%- endif %}
{%- endmacro %}


{# Which slices of a lake table are current on the day of the build, by the same rule, with the
   number of rows of each, without reading any row. #}
{% macro current_slices(relation, slice, known_from, edition=none) -%}
    select
        {{ slice | join(", ") }},
        vintage_at,
        snapshot_id,
        rows
    from ({{ ranked_slices(relation, slice, known_by_the_day(known_from), edition) }}) as ranked
    where is_newest
{%- endmacro %}


{# Whether a vintage is known on the day of the build. #}
{% macro known_by_the_day(known_from) -%}
    {% if known_from == 'vintage_at' %}vintage_at < {{ as_of_end() }}{% else %}true{% endif %}
{%- endmacro %}


{# Rows without the slices that their publisher has withdrawn: they were requested again, and the
   answer has other rows of the same columns (reporter, flow, frequency) and period but none of the
   code. An answer without any of these rows withdraws nothing: an unpublished period, or an outage,
   must not remove valid figures. #}
{% macro not_withdrawn(rows, coverage, snapshots, table_name, columns, period, code) -%}
    select *
    from {{ rows }}
    where
        not exists (
            select 1
            from {{ coverage }} as asks
            inner join {{ snapshots }} as snapshots on asks.snapshot_id = snapshots.snapshot_id
            where
                asks.table_name = '{{ table_name }}'
                and {{ same_in('asks', rows, columns) }}
                and asks.period_start = {{ rows }}.{{ period }}
                and list_contains(snapshots.commodity_codes, {{ rows }}.{{ code }})
                and asks.snapshot_id <> {{ rows }}.snapshot_id
                and asks.vintage_at > {{ rows }}.vintage_at
                and asks.vintage_at < {{ as_of_end() }}
                and asks.rows > 0
        )
{%- endmacro %}
