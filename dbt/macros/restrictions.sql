{# Rules of the restriction catalogue. #}


{# Status of a clause on a day: the first that applies of ended, unknown, suspended, in force,
   announced; null before the clause. Days a state ends on still belong to it. A suspension that
   became known after the doubt, such as an extension, settles it for its days.

   Takes a relation with the clause's dates, null where a fact is not known in this build, and one
   with the suspension that the day lies in, null where it lies in none (`is_suspended_on`). #}
{% macro status_on(day, clause, suspension) -%}
    case
        when {{ day }} > {{ clause }}.ended_date then 'ended'
        when
            {{ day }} >= {{ clause }}.unknown_from
            and coalesce({{ suspension }}.known_at <= {{ clause }}.unknown_known_at, true)
            then 'unknown'
        when {{ suspension }}.clause_id is not null then 'suspended'
        when {{ day }} >= {{ clause }}.effective_date then 'in_force'
        when {{ day }} >= {{ clause }}.announced_date then 'announced'
    end
{%- endmacro %}


{# Whether a day lies in a suspension, its first and last day included. #}
{% macro is_suspended_on(day, suspension) -%}
    {{ day }} between {{ suspension }}.suspended_from
    and coalesce({{ suspension }}.suspended_to, {{ day }})
{%- endmacro %}


{# Kind of instrument: Global Trade Alert's intervention type, else derived from the direction. #}
{% macro instrument_type(gta_code, direction) -%}
    case {{ gta_code }}
        when '18' then 'export_tax'
        when '19' then 'export_ban'
        when '21' then 'export_quota'
        when '35' then 'export_licensing'
        when '37' then 'other_export_measure'
        else
            case {{ direction }}
                when 'relax' then 'suspension'
                when 'permit' then 'export_permit'
                when 'monitor' then 'monitoring'
                else 'other_export_measure'
            end
    end
{%- endmacro %}


{# One row for each item of a list, and one with `or_else` for an empty list or none. #}
{% macro one_row_per_item(items, or_else) -%}
    unnest(case when len({{ items }}) > 0 then {{ items }} else [{{ or_else }}] end)
{%- endmacro %}


{# What is inferred of a clause, for one of its targets: a name that was read is not, that of the
   unnamed is. Sorted, and empty for a clause of which nothing is. #}
{% macro inferred_of_target(inferred, target_name) -%}
    coalesce(
        list_sort(
            list_filter(
                {{ inferred }},
                lambda name: name <> 'target_name' or {{ target_name }} = 'unnamed'
            )
        ),
        []
    )
{%- endmacro %}


{# Whether a clause targets an economy: every one, this one, or the Union that it is a member of.
   Takes a relation of economies. #}
{% macro is_targeted(target_iso3, economies) -%}
    (
        {{ target_iso3 }} in ('ALL', {{ economies }}.economy_iso3)
        or ({{ target_iso3 }} = 'EU27' and {{ economies }}.is_eu27)
    )
{%- endmacro %}


{# Why it is not known what a clause hits today; null where it is. What is older than the trade that
   it was meant to hit is no news. #}
{% macro current_reason(current_to, baseline_to) -%}
    case
        when {{ current_to }} is null then 'no_figures'
        when {{ current_to }} < {{ baseline_to }} then 'older_than_baseline'
    end
{%- endmacro %}
