{# The weight of governance scores in concentration. #}


{# Governance on the scale of the European Commission's supply risk: 0 the best, 10 the worst, from
   a mean of the World Governance Indicators' estimates (2.5 the best, -2.5 the worst). #}
{% macro governance_weight(mean_estimate) -%}
    greatest(least((2.5 - {{ mean_estimate }}) * 2, 10), 0)
{%- endmacro %}
