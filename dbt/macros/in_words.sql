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


{# An edition of the Harmonized System in words: `HS 2022`. #}
{% macro edition_in_words(hs_revision) -%}
    replace({{ hs_revision }}, 'HS', 'HS ')
{%- endmacro %}


{# A period in words: `2025`, `June 2025`, `2025-06-30 to 2026-08-05`. #}
{% macro period_in_words(period) -%}
    case
        when {{ period }} like '%/%' then replace({{ period }}, '/', ' to ')
        when {{ period }} like '____-__'
            then strftime(cast({{ period }} || '-01' as date), '%B %Y')
        else {{ period }}
    end
{%- endmacro %}


{# A day in words: `10 November 2026`. #}
{% macro day_in_words(day) -%}
    strftime({{ day }}, '%-d %B %Y')
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


{# Minerals, families or materials in words: `natural graphite`, `other heavy rare earths`,
   `dysprosium and terbium`. #}
{% macro subject_in_words(subject) -%}
    regexp_replace(
        replace(
            regexp_replace({{ subject }}, '_rare_earth(,|$)', '_rare_earths\1', 'g'),
            '_',
            ' '
        ),
        ', ([^,]+)$',
        ' and \1'
    )
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


{# A unit value of trade in words: `Refined copper cathodes (HS 740311), imports of the United
   Kingdom from all suppliers but China, CIF, unit value of trade, no market price`. #}
{% macro unit_value_in_words(side, description, commodity_code, reporter_name, valuation) -%}
    {{ description }} || ' (HS ' || {{ commodity_code }} || '), '
    || case {{ side }}
        when 'china_fob' then 'exports of China'
        else
            'imports of ' || {{ name_after_preposition(reporter_name) }}
            || ' from all suppliers but China'
    end
    || ', ' || {{ valuation }} || ', unit value of trade, no market price'
{%- endmacro %}
