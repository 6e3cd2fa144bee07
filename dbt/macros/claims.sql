{# The tests of claims, and how figures, periods and names stand in a sentence. #}


{# The model that yields the evidence of each test a claim can name. A new test is one model with
   the columns `claim_id`, `basis`, `value`, `unit`, `period`, `source` and `subject` (null where it
   has none), further ones of `int_claims__judge_findings` where a sentence needs them, and one
   line here. #}
{% macro models_of_claim_tests() -%}
    {{ return({
        'supplier_share': 'int_claims__measure_supplier_share',
        'production_share': 'int_claims__measure_production_share',
        'end_use_share': 'int_claims__measure_end_use_share',
        'abundance': 'int_claims__measure_abundance',
        'measure_in_force': 'int_claims__measure_days_in_force',
        'price_return': 'int_claims__measure_price_return',
        'reported_flow': 'int_claims__measure_reported_flow',
    }) }}
{%- endmacro %}


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


{# A period in words: `2025`, `June 2025`, `2025-06-30 to 2026-08-05`. #}
{% macro period_in_words(period) -%}
    case
        when {{ period }} like '%/%' then replace({{ period }}, '/', ' to ')
        when {{ period }} like '____-__'
            then strftime(cast({{ period }} || '-01' as date), '%B %Y')
        else {{ period }}
    end
{%- endmacro %}


{# An interval in words, as its months: `October to December 2025`, `January 2026`. #}
{% macro months_in_words(interval) -%}
    case
        when left({{ interval }}, 7) = left(split_part({{ interval }}, '/', 2), 7) then ''
        else strftime(cast(split_part({{ interval }}, '/', 1) as date), '%B to ')
    end
    || strftime(cast(split_part({{ interval }}, '/', 2) as date), '%B %Y')
{%- endmacro %}


{# A share in words, as precise as the bounds of its claim: `71.3 %`, or `68.33 %` where one of them
   has two decimals. #}
{% macro share_in_words(share, low, high) -%}
    printf(
        case
            when
                abs(1000 * {{ low }} - round(1000 * {{ low }})) > 1e-6
                or abs(1000 * {{ high }} - round(1000 * {{ high }})) > 1e-6
                then '%.2f %%'
            else '%.1f %%'
        end,
        100 * {{ share }}
    )
{%- endmacro %}


{# A gain or a loss in words: `+81.8 %`. #}
{% macro return_in_words(return_share) -%}
    printf('%+.1f %%', 100 * {{ return_share }})
{%- endmacro %}


{# Tonnes in words: `22,307.5 t`. #}
{% macro tonnes_in_words(amount_t) -%}
    format('{:,.1f} t', {{ amount_t }})
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
        when {{ name }} like 'United %' or {{ name }} in ('Netherlands', 'Philippines')
            then 'the ' || {{ name }}
        else {{ name }}
    end
{%- endmacro %}
