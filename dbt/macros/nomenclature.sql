{# Breaks after which the figures of a code are of other goods; `breaks` are rows of
   `seed_nomenclature_breaks`. Two periods are compared only where no break separates them. #}

{# True where a break separates two figures of its code, each with its edition of the HS and its
   year. Editions between those of a break are on neither side of it: each is comparable with itself
   only. #}
{% macro is_across_a_break(breaks, revision, year, other_revision, other_year) -%}
    case
        when {{ breaks }}.year_after is null
            then
                {{ revision }} <> {{ other_revision }}
                and least({{ revision }}, {{ other_revision }}) < {{ breaks }}.hs_revision_after
                and greatest({{ revision }}, {{ other_revision }}) > {{ breaks }}.hs_revision_before
        else
            least(
                {{ year_in_edition(breaks, revision, year) }},
                {{ year_in_edition(breaks, other_revision, other_year) }}
            ) < {{ breaks }}.year_after
            and greatest(
                {{ year_in_edition(breaks, revision, year) }},
                {{ year_in_edition(breaks, other_revision, other_year) }}
            ) > {{ breaks }}.year_before
    end
{%- endmacro %}


{# The position of a year relative to a break between two years of an edition. Other editions are
   not affected: they keep the earlier content of the code. #}
{% macro year_in_edition(breaks, revision, year) -%}
    case
        when {{ revision }} = {{ breaks }}.hs_revision_after then {{ year }}
        else {{ breaks }}.year_before
    end
{%- endmacro %}


{# A number that is equal for figures of a code that no break separates: summed over its breaks.
   Each adds 0 before it, 10,000 after it and between its editions a number that distinguishes them,
   so that a newer edition never has a smaller number; breaks between years add less than 100. #}
{% macro breaks_passed(breaks, revision, year) -%}
    sum(
        case
            when {{ breaks }}.year_after is null
                then
                    100 * case
                        when {{ revision }} <= {{ breaks }}.hs_revision_before then 0
                        when {{ revision }} >= {{ breaks }}.hs_revision_after then 100
                        else cast(substr({{ revision }}, 3) as integer) - 1988
                    end
            when {{ revision }} = {{ breaks }}.hs_revision_after
                then
                    cast({{ year }} > {{ breaks }}.year_before as integer)
                    + cast({{ year }} >= {{ breaks }}.year_after as integer)
            else 0
        end
    )
{%- endmacro %}


{# The editions of the HS between which codes are related: those of the bundled figures and of
   reports since 2002. #}
{% macro linked_editions() -%}
    ['HS1992', 'HS1996', 'HS2002', 'HS2007', 'HS2012', 'HS2017', 'HS2022']
{%- endmacro %}
