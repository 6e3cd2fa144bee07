{# Measures of concentration, from amounts and their total: scale 0 to 1. Algebraic, so that one
   pass over the rows is enough and round amounts give exact results. #}


{# Herfindahl-Hirschman index: the sum of squared shares, from the sum of squared amounts. #}
{% macro hhi(sum_of_squares, total) -%}
    {{ sum_of_squares }} / nullif({{ total }} * {{ total }}, 0)
{%- endmacro %}


{# Whether enough of a total is published by supplier for an index of it. #}
{% macro is_index_known(published_share) -%}
    {{ published_share }} >= 0.5
{%- endmacro %}


{# Whether the largest supplier is known: in a larger part that is not published a larger one may
   be. #}
{% macro is_largest_known(largest_amount, unpublished_amount) -%}
    {{ unpublished_amount }} <= {{ largest_amount }}
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


{# Such a sum of many shares, as whole numbers of 2^-100, which are added exactly: of 6 million
   terms in half the time of `sum_in_order`. For terms below a million alone. #}
{% macro sum_of_shares(term) -%}
    cast(sum(cast({{ term }} * power(2.0, 100) as hugeint)) as double) / power(2.0, 100)
{%- endmacro %}


{# Shannon entropy in nats of the shares of their sum: -sum p ln p, 0 for one supplier. An aggregate
   of amounts or shares. #}
{% macro shannon_entropy(amount) -%}
    ln({{ sum_in_order(amount) }})
    - {{ sum_in_order('case when ' ~ amount ~ ' > 0 then ' ~ amount ~ ' * ln(' ~ amount ~ ') end') }}
    / nullif({{ sum_in_order(amount) }}, 0)
{%- endmacro %}


{# The least HHI of shares that are known between bounds: each is at its lower one. An aggregate of
   the shares that `is_named`. #}
{% macro least_hhi(share_low, is_named) -%}
    {{ sum_in_order('case when ' ~ is_named ~ ' then ' ~ share_low ~ ' * ' ~ share_low ~ ' end') }}
{%- endmacro %}


{# An upper bound of the HHI of shares that are known between bounds and sum to 1: what their lower
   bounds leave goes to the largest of them, or each is at its upper bound, whichever is less. An
   aggregate. #}
{% macro largest_hhi(share_low, share_high) -%}
    least(
        {{ sum_in_order(share_low ~ ' * ' ~ share_low) }}
        - max({{ share_low }}) * max({{ share_low }})
        + power(
            max({{ share_low }})
            + case
                when {{ sum_in_order(share_low) }} < 1 then 1 - {{ sum_in_order(share_low) }} else 0
            end,
            2
        ),
        case
            when count(*) = count({{ share_high }})
                then {{ sum_in_order(share_high ~ ' * ' ~ share_high) }}
            else 1
        end,
        1
    )
{%- endmacro %}


{# Whether a share that is known between bounds is above a limit; null where it may be or not. #}
{% macro is_above(share_low, share_high, limit) -%}
    case when {{ share_low }} > {{ limit }} then true when {{ share_high }} <= {{ limit }} then false end
{%- endmacro %}


{# The benchmark of Regulation (EU) 2024/1252, Article 5: not more than 65 % of the Union's yearly
   consumption of a strategic raw material from a single third country. #}
{% macro single_country_limit() -%}
    0.65
{%- endmacro %}
