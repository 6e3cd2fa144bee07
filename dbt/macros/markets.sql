{# How the tests of event studies are adjusted for being many. #}


{# The p-value of a test among those of its family (Benjamini and Hochberg 1995): the least of
   p x tests / place over the tests whose p-value is at least as high; `place` counts from the test
   with the least p-value. Never below the p-value itself, which rounding could do. #}
{% macro benjamini_hochberg(p_value, place, tests, family) -%}
    least(
        1,
        greatest(
            {{ p_value }},
            min({{ p_value }} * {{ tests }} / {{ place }}) over (
                partition by {{ family }}
                order by {{ place }} desc
                rows between unbounded preceding and current row
            )
        )
    )
{%- endmacro %}
