{# Measures of concentration, from amounts and their total: scale 0 to 1. Algebraic, so that one
   pass over the rows is enough and round amounts give exact results. #}


{# Herfindahl-Hirschman index: the sum of squared shares, from the sum of squared amounts. #}
{% macro hhi(sum_of_squares, total) -%}
    {{ sum_of_squares }} / nullif({{ total }} * {{ total }}, 0)
{%- endmacro %}


{# HHI rescaled from 0 (all suppliers alike) to 1 (one supplier); null for one supplier.
   Never below 0: where a small part is not published, the index is only a lower bound. #}
{% macro hhi_normalised(hhi, suppliers) -%}
    case
        when {{ suppliers }} > 1
            then greatest(({{ hhi }} * {{ suppliers }} - 1) / ({{ suppliers }} - 1), 0)
    end
{%- endmacro %}


{# Number of equal suppliers that would give the same HHI. #}
{% macro effective_suppliers(hhi) -%}
    1 / nullif({{ hhi }}, 0)
{%- endmacro %}


{# A sum that does not depend on the order of the rows: the smallest terms first, with compensated
   rounding. #}
{% macro sum_in_order(term) -%}
    fsum({{ term }} order by {{ term }})
{%- endmacro %}
