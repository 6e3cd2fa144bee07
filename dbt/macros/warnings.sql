{# The rule of early warnings: what is usual, how far from it is a warning, and how grave it is. It
   is the same for every series; no number here is chosen for an episode (decision 0031). #}


{# All the numbers of the rule. Years and months differ in how many of them there are. #}
{% macro warning_rule(name) -%}
    {{ {
        'scaled_mads': 3,
        'least_change': 0.25,
        'least_points': 0.1,
        'least_spread_of_logs': 0.05,
        'least_spread_of_shares': 0.02,
        'least_importer_share': 0.01,
        'scaled_mads_of_medium': 5,
        'scaled_mads_of_high': 8,
        'days_ahead': 30,
        'days_since': 90,
        'exposed_share_of_medium': 0.3,
        'exposed_share_of_high': 0.6,
        'years_of_flows': 3,
        'months_before_announcement': 12,
        'months_after_effect': 6,
    }[name] }}
{%- endmacro %}


{# Periods before that are looked at: ten years, or three. What was usual before is not any more. #}
{% macro warning_window(frequency) -%}
    case {{ frequency }} when 'A' then interval 10 year else interval 36 month end
{%- endmacro %}


{# The least number of them: below, their median and spread say nothing. #}
{% macro least_observations(frequency) -%}
    case {{ frequency }} when 'A' then 5 else 10 end
{%- endmacro %}


{# An amount or a price as the rule reads it: its logarithm, so that half and double are equally
   far; a share as it is. Nothing traded is below everything. #}
{% macro as_read(figure, is_share) -%}
    case
        when {{ is_share }} then {{ figure }}
        when {{ figure }} > 0 then ln({{ figure }})
        when {{ figure }} = 0 then cast('-infinity' as double)
    end
{%- endmacro %}


{# And back. #}
{% macro as_printed(reading, is_share) -%}
    case when {{ is_share }} then {{ reading }} else exp({{ reading }}) end
{%- endmacro %}


{# Spread of what is usual: 1.4826 times the median absolute deviation, which is the standard
   deviation where figures are normally distributed, whatever a few of them are; and not less than a
   floor, since publishers estimate weights from constant unit values. #}
{% macro usual_spread(mad, is_share) -%}
    greatest(
        1.4826 * {{ mad }},
        case
            when {{ is_share }} then {{ warning_rule('least_spread_of_shares') }}
            else {{ warning_rule('least_spread_of_logs') }}
        end
    )
{%- endmacro %}


{# How far from the usual, as it is read, a figure has to be: so many spreads, and at least a change
   that matters. #}
{% macro warning_distance(signal, spread) -%}
    greatest(
        {{ warning_rule('scaled_mads') }} * {{ spread }},
        case {{ signal }}
            when 'volume_drop' then -ln(1 - {{ warning_rule('least_change') }})
            when 'price_surge' then ln(1 + {{ warning_rule('least_change') }})
            when 'concentration_jump' then {{ warning_rule('least_points') }}
        end
    )
{%- endmacro %}


{# The direction in which a figure is a warning. #}
{% macro warning_direction(signal) -%}
    case {{ signal }} when 'volume_drop' then -1 else 1 end
{%- endmacro %}


{# Severity by how many spreads a figure is from the usual. #}
{% macro severity_of_deviation(scaled_mads) -%}
    case
        when {{ scaled_mads }} >= {{ warning_rule('scaled_mads_of_high') }} then 'high'
        when {{ scaled_mads }} >= {{ warning_rule('scaled_mads_of_medium') }} then 'medium'
        else 'low'
    end
{%- endmacro %}


{# Severity by the largest part of the importer's imports that the clause may hit; medium where that
   is not known. #}
{% macro severity_of_share(share) -%}
    case
        when {{ share }} >= {{ warning_rule('exposed_share_of_high') }} then 'high'
        when {{ share }} < {{ warning_rule('exposed_share_of_medium') }} then 'low'
        else 'medium'
    end
{%- endmacro %}


{# The day a period is over: its figure is complete on no earlier day, and published later. #}
{% macro day_after_period(period_start, frequency) -%}
    cast(
        {{ period_start }}
        + case {{ frequency }} when 'A' then interval 1 year else interval 1 month end
        as date
    )
{%- endmacro %}


{# Groups that are one code under another name: the code is watched. #}
{% macro names_of_codes(mineral_group_codes) -%}
    select mineral_group
    from {{ mineral_group_codes }}
    where not starts_with(mineral_group, 'hs_')
    group by mineral_group
    having count(distinct hs6_code) = 1
{%- endmacro %}


{# A mineral group's name as a commodity: that of a single code is the code. #}
{% macro commodity_of_group(mineral_group) -%}
    regexp_replace({{ mineral_group }}, '^hs_', '')
{%- endmacro %}


{# The time in which a warning of a clause is looked for. #}
{% macro watched_from(announced_date) -%}
    date_trunc('month', {{ announced_date }})
    - interval {{ warning_rule('months_before_announcement') }} month
{%- endmacro %}


{% macro watched_to(effective_date) -%}
    {{ effective_date }} + interval {{ warning_rule('months_after_effect') }} month
{%- endmacro %}
