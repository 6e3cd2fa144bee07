{# Where the figures of a code stop being those of the same goods; `breaks` are rows of
   `seed_nomenclature_breaks`. Two periods are compared only where neither of these parts them. #}

{# True where a break parts two figures of its code, each with its edition of the HS and its year.
   What lies between the editions of a break is on neither side of it. #}
{% macro is_across_a_break(breaks, revision, year, other_revision, other_year) -%}
    case
        when {{ breaks }}.year_after is null
            then
                least({{ revision }}, {{ other_revision }}) < {{ breaks }}.hs_revision_after
                and greatest({{ revision }}, {{ other_revision }}) > {{ breaks }}.hs_revision_before
        else
            {{ breaks }}.hs_revision_after in ({{ revision }}, {{ other_revision }})
            and least({{ year }}, {{ other_year }}) < {{ breaks }}.year_after
            and greatest({{ year }}, {{ other_year }}) > {{ breaks }}.year_before
    end
{%- endmacro %}


{# A number that is the same for figures of a code that no break parts: summed over its breaks. #}
{% macro breaks_passed(breaks, revision, year) -%}
    sum(
        case
            when {{ breaks }}.year_after is null
                then
                    100 * (
                        cast({{ revision }} > {{ breaks }}.hs_revision_before as integer)
                        + cast({{ revision }} >= {{ breaks }}.hs_revision_after as integer)
                    )
            when {{ revision }} = {{ breaks }}.hs_revision_after
                then
                    cast({{ year }} > {{ breaks }}.year_before as integer)
                    + cast({{ year }} >= {{ breaks }}.year_after as integer)
            else 0
        end
    )
{%- endmacro %}
