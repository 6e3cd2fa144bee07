{# Formulas of reliance and supply risk. Each is here once, with its publication. #}


{# Whether an economy depends on foreign supply of a product (European Commission, SWD(2021) 352):
   concentration of imports above 0.4, imports above half of what is used, and above exports. Where
   an indicator is not known, the others decide. Of a product that is not exported, imports are
   above exports. #}
{% macro is_strategic_dependency(cdi1, cdi2, cdi3) -%}
    {{ cdi1 }} > 0.4 and coalesce({{ cdi2 }} > 0.5, true) and coalesce({{ cdi3 }} > 1, true)
{%- endmacro %}


{# Import reliance as the European Commission computes it (JRC guidelines, EUR 28654): net imports
   as a part of what is used, in one mass. Below 0 where exports exceed imports; null where nothing
   is left to use, as in transit. #}
{% macro import_reliance_ec(imports, exports, production) -%}
    case
        when {{ production }} + {{ imports }} - {{ exports }} > 0
            then
                ({{ imports }} - {{ exports }})
                / ({{ production }} + {{ imports }} - {{ exports }})
    end
{%- endmacro %}


{# Net import reliance as the USGS computes it (Mineral Commodity Summaries, appendix): like that of
   the EC, with what stocks lose (`stock_change` is negative) as a part of supply. #}
{% macro net_import_reliance_usgs(imports, exports, production, stock_change) -%}
    {{ import_reliance_ec(imports, '(' ~ exports ~ ' + ' ~ stock_change ~ ')', production) }}
{%- endmacro %}


{# A share that may be computed outside of 0 to 1, and counts as the nearer end; null stays null. #}
{% macro clamped(share) -%}
    case when {{ share }} < 0 then 0 when {{ share }} > 1 then 1 else {{ share }} end
{%- endmacro %}


{# Supply risk as the European Commission computes it (JRC guidelines, EUR 28654, used in 2017, 2020
   and 2023): the concentration of the world's and of the consumer's supply, each weighted with
   governance and trade, by half of the import reliance and the rest; less what is recycled, times
   the index of substitution. With one side only, that side is all of it. #}
{% macro supply_risk_ec(global, sourcing, reliance, recycling, substitution, supply_used) -%}
    case {{ supply_used }}
        when 'global' then {{ global }}
        when 'consumer' then {{ sourcing }}
        else
            {{ global }} * {{ clamped(reliance) }} / 2
            + {{ sourcing }} * (1 - {{ clamped(reliance) }} / 2)
    end * (1 - {{ clamped(recycling) }}) * {{ substitution }}
{%- endmacro %}


{# The least and the largest supply risk of inputs between bounds. The formula is linear in each
   input, so that it is at its ends: of the reliance at either one, of others as they raise it. #}
{% macro supply_risk_ec_bound(bound, global, sourcing, reliance_low, reliance_high, recycling,
                              substitution, supply_used) -%}
    {{ 'least' if bound == 'low' else 'greatest' }}(
        {{ supply_risk_ec(global, sourcing, reliance_low, recycling, substitution, supply_used) }},
        {{ supply_risk_ec(global, sourcing, reliance_high, recycling, substitution, supply_used) }}
    )
{%- endmacro %}


{# Supply risk after Nassar et al. (2020), adapted: the geometric mean of disruption potential,
   trade exposure and economic vulnerability, each 0 to 1; null where one is. #}
{% macro supply_risk_geometric(disruption_potential, trade_exposure, economic_vulnerability) -%}
    case
        when {{ disruption_potential }} * {{ trade_exposure }} * {{ economic_vulnerability }} >= 0
            then
                power(
                    {{ disruption_potential }} * {{ trade_exposure }}
                    * {{ economic_vulnerability }},
                    1.0 / 3
                )
    end
{%- endmacro %}


{# Whether an economic importance counts, by the threshold of the European Commission since 2017. #}
{% macro is_important(economic_importance) -%}
    {{ economic_importance }} >= 2.8
{%- endmacro %}


{# Whether a material is critical by the thresholds of the European Commission since 2017: decided
   where the whole of a risk between its bounds is on one side. #}
{% macro is_critical(supply_risk_low, supply_risk_high, economic_importance) -%}
    case
        when {{ supply_risk_high }} < 1.0 then false
        when {{ supply_risk_low }} >= 1.0 then true
    end and {{ is_important(economic_importance) }}
{%- endmacro %}


{# The first year for which imports, exports and production are put together. #}
{% macro first_year_of_reliance() -%}
    2010
{%- endmacro %}


{# Trade parameter of a supplier for a consumer: 0.8 for its own output and that of its customs
   union and 1 for others, as in the studies of the European Commission; 1.1 where the supplier restricts
   its exports to it, the least that the studies take for a restriction. Each is an expression. #}
{% macro trade_parameter(consumer, supplier, consumer_union, supplier_union, is_restricted) -%}
    case
        when {{ consumer }} = {{ supplier }} or {{ consumer_union }} = {{ supplier_union }}
            then {{ own_trade_parameter() }}
        when {{ is_restricted }} then 1.1
        else 1
    end
{%- endmacro %}


{# The worst governance: that of an economy without figures, where an upper bound is asked for. #}
{% macro worst_governance() -%}
    10
{%- endmacro %}


{# Most of a consumer's sourcing that may have no governance score, for its concentration weighted
   with governance to be a figure. #}
{% macro most_without_a_score() -%}
    0.05
{%- endmacro %}


{# The first year of Kido's own assessments: of it and later ones all but a few minerals have a
   table of production. #}
{% macro first_year_of_assessments() -%}
    2020
{%- endmacro %}


{# Economic importance before substitution as the European Commission computes it (JRC guidelines,
   EUR 28654): the value added of the sectors that use a material, weighted with its use shares,
   scaled to 10 for the largest sector. An aggregate. #}
{% macro economic_importance_before_substitution(use_share, value_added, largest_value_added) -%}
    {{ sum_in_order(use_share ~ ' * ' ~ value_added) }} * 10 / {{ largest_value_added }}
{%- endmacro %}


{# The bounds of a figure that is rounded to `half_unit` of its last digit, as two columns. `figure`
   is what is rounded, where it is not the column itself. #}
{% macro half_unit_around(column, half_unit, figure=none) -%}
    {{ figure or column }} - {{ half_unit }} as {{ column }}_low,
    {{ figure or column }} + {{ half_unit }} as {{ column }}_high
{%- endmacro %}


{# Which of the columns are null, by name. #}
{% macro missing_factors(columns) -%}
    {%- set names = [] -%}
    {%- for column in columns -%}
        {%- do names.append('case when ' ~ column ~ " is null then '" ~ column ~ "' end") -%}
    {%- endfor -%}
    list_filter([{{ names | join(', ') }}], lambda factor: factor is not null)
{%- endmacro %}


{# A list without one of its words. #}
{% macro without(words, word) -%}
    list_filter({{ words }}, lambda listed: listed <> '{{ word }}')
{%- endmacro %}


{# The trade parameter of a consumer's own output. #}
{% macro own_trade_parameter() -%}
    0.8
{%- endmacro %}


{# Concentration of a supply of which `own_part` is the consumer's own output, from that of its
   imports alone and the weight of its own output. #}
{% macro with_own_part(hhi_of_imports, own_weight, own_part) -%}
    {{ own_part }} * {{ own_part }} * {{ own_weight }}
    + (1 - {{ own_part }}) * (1 - {{ own_part }}) * {{ hhi_of_imports }}
{%- endmacro %}


{# The least such concentration for a part between two bounds: at the part where both weigh the
   same, or at the bound that is nearest to it. #}
{% macro least_with_own_part(hhi_of_imports, own_weight, own_low, own_high) -%}
    {%- set balanced -%}
        least(greatest(
            coalesce(
                {{ hhi_of_imports }} / nullif({{ hhi_of_imports }} + {{ own_weight }}, 0), 0
            ),
            {{ own_low }}
        ), {{ own_high }})
    {%- endset -%}
    {{ with_own_part(hhi_of_imports, own_weight, balanced) }}
{%- endmacro %}
