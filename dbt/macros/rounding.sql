{# How far a total may differ from the sum of its parts by the rounding of its publisher. Stated
   here once.

   Each figure is off by at most half a unit of the last digit that is printed, so that a total and
   its parts differ by at most (parts + 1) such halves. Publishers also convert and round figures
   before they add them up: of 4,379 totals of UN Comtrade of 2022, values differ by up to 4e-5 of
   the total, weights by up to 7e-4. #}


{# Largest part of a total by which its parts may differ from it: 1e-4 by value, 1e-3 by weight.
   `measure` is an expression. #}
{% macro relative_rounding(measure) -%}
    case {{ measure }} when 'value_usd' then 1e-4 else 1e-3 end
{%- endmacro %}


{# Unit of the last digit printed in any of the amounts: 1 where all are whole, at least that of so
   many `digits` behind the point. An aggregate. Coarser rounding (thousands) cannot be told from
   round figures. #}
{% macro last_printed_unit(amount, digits=3) -%}
    case
    {%- for place in range(digits) %}
        when bool_and(
            abs({{ amount }} - round({{ amount }}, {{ place }}))
            <= 1e-12 * greatest(1, abs({{ amount }}))
        ) then 1e-{{ place }}
    {%- endfor %}
        else 1e-{{ digits }}
    end
{%- endmacro %}


{# Whether two figures are the same figure printed with more or fewer digits: they differ by at most
   half a `unit` of the last digit of the coarser one. A difference of large doubles is itself
   rounded, to about 1e-16 of them. #}
{% macro differs_by_precision(figure, other, unit) -%}
    abs({{ figure }} - {{ other }})
    <= {{ unit }} / 2 * (1 + 1e-9) + 1e-15 * greatest(abs({{ figure }}), abs({{ other }}))
{%- endmacro %}


{# Whether two figures are one and the same; sums of the same parts in another order differ by about
   1e-16 of themselves. #}
{% macro same_figure(figure, other) -%}
    (
        {{ figure }} is not distinct from {{ other }}
        or coalesce(
            abs({{ figure }} - {{ other }})
            <= 1e-15 * greatest(abs({{ figure }}), abs({{ other }})),
            false
        )
    )
{%- endmacro %}


{# Largest difference between a total and the sum of its parts that is rounding. #}
{% macro largest_rounding(total, parts, unit, measure) -%}
    greatest(
        ({{ parts }} + 1) * {{ unit }} / 2,
        abs({{ total }}) * {{ relative_rounding(measure) }}
    ) * (1 + 1e-9)
{%- endmacro %}


{# Whether two relations are of one slice of reported trade: the total and its parts. #}
{% macro same_slice(one, other) -%}
    {{ one }}.source = {{ other }}.source
    and {{ one }}.reporter_iso3 = {{ other }}.reporter_iso3
    and {{ one }}.flow = {{ other }}.flow
    and {{ one }}.commodity_code = {{ other }}.commodity_code
    and {{ one }}.frequency = {{ other }}.frequency
    and {{ one }}.period_start = {{ other }}.period_start
{%- endmacro %}


{# Least part of a value that has a weight for its weight to count. #}
{% macro least_weight_coverage() -%}
    0.95
{%- endmacro %}


{# Whether the weight of a sum of flows counts: flows without one are a small part of the value of
   all of them, whoever they are of. #}
{% macro is_mostly_weighed(weighed_value, value) -%}
    {{ weighed_value }} >= {{ least_weight_coverage() }} * {{ value }}
{%- endmacro %}


{# A share, which rounding never makes more than the whole; null stays null. #}
{% macro capped_at_one(share) -%}
    case when {{ share }} > 1 then 1 else {{ share }} end
{%- endmacro %}


{# The slices whose printed total does not agree with its parts by a measure, the largest difference
   first. #}
{% macro slices_that_disagree_by(measure) -%}
    select
        source,
        reporter_iso3,
        flow,
        commodity_code,
        period_start,
        printed_total,
        sum_of_parts,
        parts
    from {{ ref('int_trade__list_disagreeing_totals') }}
    where measure = '{{ measure }}'
    order by
        abs(sum_of_parts - printed_total) desc,
        source asc,
        reporter_iso3 asc,
        flow asc,
        commodity_code asc,
        period_start asc
{%- endmacro %}


{# A number as text, without the zeros after its point: 300, 0.5. #}
{% macro plain_number(figure) -%}
    rtrim(rtrim(cast({{ figure }} as varchar), '0'), '.')
{%- endmacro %}
