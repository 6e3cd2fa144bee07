{# How claims are worded and judged. #}


{# A share as people read it: `71.3 %`. #}
{% macro as_percent(share) -%}
    printf('%.1f %%', 100 * {{ share }})
{%- endmacro %}


{# A share as precise as the bounds it is held against: `68.33 %` where one has two decimals. #}
{% macro as_percent_within(share, low, high) -%}
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


{# A gain or a loss as people read it: `+81.8 %`. #}
{% macro as_change(return_share) -%}
    printf('%+.1f %%', 100 * {{ return_share }})
{%- endmacro %}


{# An amount as people read it: `22,307.5 t`. #}
{% macro as_tonnes(amount) -%}
    format('{:,.1f} t', {{ amount }})
{%- endmacro %}


{# A month or a year as people read it: `June 2025`, `2025`. #}
{% macro as_period(period_start, frequency) -%}
    case {{ frequency }}
        when 'M' then strftime({{ period_start }}, '%B %Y')
        else strftime({{ period_start }}, '%Y')
    end
{%- endmacro %}


{# What a frequency counts. #}
{% macro period_name(frequency) -%}
    case {{ frequency }} when 'M' then 'month' else 'year' end
{%- endmacro %}


{# A measure as people say it. #}
{% macro measure_name(measure) -%}
    case {{ measure }} when 'net_weight_kg' then 'weight' when 'value_usd' then 'value' end
{%- endmacro %}


{# A publisher as people say it. #}
{% macro publisher_name(source) -%}
    case {{ source }}
        when 'baci' then 'BACI'
        when 'comtrade' then 'UN Comtrade'
        when 'comtrade_baskets' then 'UN Comtrade'
        when 'comexstat' then 'Comex Stat'
        when 'crc_handbook' then 'CRC Handbook'
        when 'ec_crm' then 'EC'
        when 'hmrc' then 'HMRC'
        when 'japan_customs' then 'Japan Customs'
        when 'rudnick_gao' then 'Rudnick and Gao 2014'
        when 'usgs_ds140' then 'USGS DS 140'
        when 'usgs_mcs' then 'USGS'
        else {{ source }}
    end
{%- endmacro %}


{# An economy as people say it after a preposition: `the United States`. #}
{% macro with_article(name) -%}
    case
        when {{ name }} like 'United %' or {{ name }} in ('Netherlands', 'Philippines')
            then 'the ' || {{ name }}
        else {{ name }}
    end
{%- endmacro %}


{# A mineral, family or material as people say it: `heavy rare earths`, `natural graphite`. #}
{% macro subject_name(subject) -%}
    replace({{ subject }}, '_', ' ')
    || case when {{ subject }} like '%\_rare\_earth' escape '\' then 's' else '' end
{%- endmacro %}


{# How a finding follows "it holds": by a measure, for a thing. #}
{% macro word_before_a_basis(test) -%}
    case {{ test }} when 'supplier_share' then 'by ' else 'for ' end
{%- endmacro %}
