{# How figures, periods and names stand in a sentence of a mart. #}


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


{# A share in words: `71.3 %`; a dash where it is not known. #}
{% macro percent_in_words(share) -%}
    coalesce(printf('%.1f %%', 100 * {{ share }}), '–')
{%- endmacro %}


{# A gain or a loss in words: `+81.8 %`. #}
{% macro return_in_words(return_share) -%}
    printf('%+.1f %%', 100 * {{ return_share }})
{%- endmacro %}


{# Tonnes in words: `22,307.5 t`. #}
{% macro tonnes_in_words(amount_t) -%}
    format('{:,.1f} t', {{ amount_t }})
{%- endmacro %}


{# Large amounts in words, without decimals: `270,000 t`. #}
{% macro tonnes_rounded_in_words(amount_t) -%}
    format('{:,.0f} t', {{ amount_t }})
{%- endmacro %}


{# A total of imports in words, by its measure: `22,406 t`, `USD 442.7 m`; a small one by the
   kilogram or dollar. #}
{% macro amount_in_words(amount, measure) -%}
    case
        when {{ measure }} = 'net_weight_kg' and {{ amount }} >= 1e4
            then {{ tonnes_rounded_in_words(amount ~ ' / 1000') }}
        when {{ measure }} = 'net_weight_kg' then format('{:,.0f} kg', {{ amount }})
        when {{ amount }} >= 1e5 then format('USD {:,.1f} m', {{ amount }} / 1e6)
        else format('USD {:,.0f}', {{ amount }})
    end
{%- endmacro %}


{# The name of an economy as it follows a preposition: `the United States`. #}
{% macro name_after_preposition(name) -%}
    case
        when
            {{ name }} like 'United %'
            or {{ name }} like '% Islands'
            or {{ name }} like '%Republic%'
            or {{ name }} in (
                'Bahamas', 'Comoros', 'Maldives', 'Netherlands', 'Philippines', 'Seychelles'
            )
            then 'the ' || {{ name }}
        else {{ name }}
    end
{%- endmacro %}
