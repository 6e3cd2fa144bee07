{# The tests of claims. #}


{# The model that yields the evidence of each test a claim can name. A new test is one model with
   the columns `claim_id`, `basis`, `value`, `unit`, `period`, `source` and `subject` (null where it
   has none), `moment` where a statement can be about one, further ones of
   `int_claims__judge_findings` where a sentence needs them, and one line here. #}
{% macro models_of_claim_tests() -%}
    {{ return({
        'supplier_share': 'int_claims__measure_supplier_share',
        'production_share': 'int_claims__measure_production_share',
        'end_use_share': 'int_claims__measure_end_use_share',
        'abundance': 'int_claims__measure_abundance',
        'price_return': 'int_claims__measure_price_return',
        'reported_flow': 'int_claims__measure_reported_flow',
        'trade_change': 'int_claims__measure_trade_change',
    }) }}
{%- endmacro %}


{# Day whose figures judge a claim about the moment it was made: the day of the statement or, where
   that is not known, the day on which the claim became known. #}
{% macro judged_as_of() -%}
    coalesce(claimed_at, known_at)
{%- endmacro %}


{# A row for each moment at which a claim is judged: one that names no period is about the moment it
   was made, and is judged by what was known then (`judged_as_of`) and, apart, by what is known
   now. #}
{% macro one_row_per_moment(period_start) -%}
    unnest(
        case
            when {{ period_start }} is null then ['then', 'now']
            else [cast(null as varchar)]
        end
    )
{%- endmacro %}


{# Basis of a finding, unique in its claim: what is found now has a basis of its own. #}
{% macro basis_at(basis, moment) -%}
    {{ basis }} || case when {{ moment }} = 'now' then ', now' else '' end
{%- endmacro %}
