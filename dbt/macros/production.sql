{# How printed totals of production are read. #}


{# Part by which printed figures may exceed a printed total through rounding alone: publishers print
   two significant digits or more, so half a unit of the last one is at most this. #}
{% macro rounding_of_a_total() -%}
    0.05
{%- endmacro %}


{# Half a unit of the last digit of a printed share: a tenth of a per cent. #}
{% macro half_unit_of_a_share() -%}
    0.0005
{%- endmacro %}


{# Half a unit of the last digit of a total that is not 0 (390,000: 5,000), read down to a kilogram;
   of a round number (1,000) no more than two significant digits leave open. #}
{% macro half_unit_of_a_total(amount_t) -%}
    least(
        {{ rounding_of_a_total() }} * {{ amount_t }},
        0.5 * power(
            10,
            length(
                regexp_extract(cast(cast(round({{ amount_t }} * 1000) as bigint) as varchar), '0*$')
            ) - 3
        )
    )
{%- endmacro %}
