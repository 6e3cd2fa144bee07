{# How claims are worded and judged. #}


{# A share as people read it: `71.3 %`. #}
{% macro as_percent(share) -%}
    printf('%.1f %%', 100 * {{ share }})
{%- endmacro %}


{# A measure as people say it. #}
{% macro measure_name(measure) -%}
    case {{ measure }} when 'net_weight_kg' then 'weight' when 'value_usd' then 'value' end
{%- endmacro %}
