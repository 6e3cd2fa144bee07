{# Periods as codes of ISO 8601. #}


{# A year or a month as a code of ISO 8601: `2025`, `2025-06`. #}
{% macro as_period(period_start, frequency) -%}
    case {{ frequency }}
        when 'M' then strftime({{ period_start }}, '%Y-%m')
        else strftime({{ period_start }}, '%Y')
    end
{%- endmacro %}


{# The days from the first to the last as a code of ISO 8601: `2025-10-01/2025-12-31`. #}
{% macro as_interval(first_day, last_day) -%}
    strftime({{ first_day }}, '%Y-%m-%d') || '/' || strftime({{ last_day }}, '%Y-%m-%d')
{%- endmacro %}
