{# The figures of production that are read, and the rounding of printed totals. #}


{# Figures of production, capacity and reserves by material: of each table (a material at a stage in
   a year, of the world or of one economy's supply) the newest edition as a whole, and of it the
   newest vintage. Editions spell labels differently, so of those that count for their label one is
   chosen for the material. Figures whose label is left out are excluded. Where the figures are those
   known on several days, it is done `per` column that tells these apart. #}
{% macro latest_production(figures, labels, per=[]) -%}
    select *
    from (
        select
            labels.material,
            case when labels.stage = figures.stage then labels.content_basis end as content_basis,
            figures.*
        from {{ figures }} as figures
        inner join {{ labels }} as labels
            on figures.source = labels.source and figures.label = labels.label
        where labels.left_out is null
    ) as named
    qualify
        dense_rank() over (
            partition by {{ (per + ['source', 'material', 'stage', 'scope_iso3', 'year']) | join(', ') }}
            order by {{ newest_first('edition') }}
        ) = 1
{%- endmacro %}


{# What a publisher's note says of the meaning of a figure; null where it only rounds it, names the
   unit it is printed in or its source, or says why it or that of the United States is missing. #}
{% macro meaning_of_note(notes) -%}
    nullif(
        trim(
            regexp_replace(
                {{ notes }},
                '\((?:(?:ilmenite|rutile), )?rounded\)'
                || '|(?:Data are )?rounded to [^.]*\.'
                || '|\(?Reserve data is thousand metric tons\)?\.?'
                || '|(?:,| in) (?:(?:thousand|million) )?(?:metric )?tons\b'
                || '|\(United States withheld\)'
                || '|^(?:NA|W|XX|Large|Small|Revised)\b(?: for [0-9-]+)?\.?(?: -- )?'
                || '|^Source: .*',
                '',
                'gi'
            )
        ),
        ''
    )
{%- endmacro %}


{# A figure's note and what that of the total adds to it, as two sentences. #}
{% macro note_with_that_of_total(note, note_on_total) -%}
    nullif(
        regexp_replace(
            concat_ws(
                ' ',
                {{ note }},
                'World total: ' || case
                    when not coalesce(contains({{ note }}, {{ note_on_total }}), false)
                        then trim(replace(
                            {{ note_on_total }} || ' ', coalesce({{ note }} || ' ', ''), ''
                        ))
                end
            ),
            '([^.”]) World total: ',
            '\1. World total: '
        ),
        ''
    )
{%- endmacro %}


{# Why a part of a total is no share: as a share it would be above 1. #}
{% macro exceeds_a_rounded_total() -%}
    {{ sentence('production.exceeds_a_rounded_total') }}
{%- endmacro %}


{# Why there is nothing to take a share of; a total printed as a bound or as not available is no
   figure, and one whose parts exceed it by more than rounding is wrong. #}
{% macro no_total_to_share(printed_total_t) -%}
    {{ sentence('production.no_total', {'printed_total_t': printed_total_t}) }}
{%- endmacro %}


{# Part by which printed figures may exceed a printed total through rounding alone: publishers print
   two significant digits or more, so half a unit of the last one is at most this. #}
{% macro rounding_of_a_total() -%}
    0.05
{%- endmacro %}


{# A measure of shares, without the last bits of a sum above 1; null where it exceeds 1 by more. #}
{% macro at_most_the_whole(measure) -%}
    case when {{ measure }} <= 1 + 1e-9 then least({{ measure }}, 1) end
{%- endmacro %}


{# A difference that rounding may make negative, as none; null stays null. #}
{% macro at_least_none(amount) -%}
    case when {{ amount }} < 0 then 0 else {{ amount }} end
{%- endmacro %}


{# Half a unit of the last digit of a printed share: a tenth of a per cent. #}
{% macro half_unit_of_a_share() -%}
    0.0005
{%- endmacro %}


{# Half a unit of the last digit of a total that is not 0 (390,000: 5,000), down to a kilogram; for
   a round number (1,000) at most the uncertainty of two significant digits. #}
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


{# The numbers in a printed figure: 12,500 of `12,500`, 10000 and 15000 of `10,000 - 15,000`. #}
{% macro printed_numbers(printed) -%}
    list_transform(
        regexp_extract_all(replace({{ printed }}, ',', ''), '[0-9]+(?:[.][0-9]+)?'),
        lambda number: cast(number as double)
    )
{%- endmacro %}


{# Unit of the last printed digit of a figure, in its own unit: 0.001 of a share printed as `84.9%`;
   null where nothing is printed. #}
{% macro unit_of_the_last_printed_digit(figure, printed) -%}
    {{ figure }} / nullif({{ printed_numbers(printed) }}[1], 0)
    / power(10, length(regexp_extract({{ printed }}, '[.]([0-9]+)', 1)))
{%- endmacro %}


{# Half a unit of the last significant digit of an amount. A zero at the end is significant down to
   the third digit of a reported figure, since the USGS rounds to three, and down to the second of
   an estimated one; behind the last printed digit none is. #}
{% macro half_unit_of_an_amount(amount_t, printed, flag) -%}
    0.5 * least(
        power(
            10,
            length(
                regexp_extract(cast(cast(round({{ amount_t }} * 1000) as bigint) as varchar), '0*$')
            ) - 3
        ),
        greatest(
            power(
                10,
                floor(log10({{ amount_t }}))
                - case {{ flag }} when 'estimated' then 1 else 2 end
            ),
            coalesce({{ unit_of_the_last_printed_digit(amount_t, printed) }}, 0)
        )
    )
{%- endmacro %}


{# Least and largest value of a printed figure whose last digit is rounded by half a unit. A figure
   `below` stands for all from 0 to its bound. What is withheld is 0 or more, without a largest
   value; nor has what is above a bound one. #}
{% macro least_of_a_figure(figure, bound, printed, half_unit) -%}
    case
        when {{ figure }} is null or {{ bound }} = 'below' then 0
        when {{ figure }} = 0 or {{ bound }} = 'above' then {{ figure }}
        when {{ bound }} = 'range'
            then
                2 * {{ figure }} * {{ printed_numbers(printed) }}[1]
                / list_sum({{ printed_numbers(printed) }})
        else greatest({{ figure }} - {{ half_unit }}, 0)
    end
{%- endmacro %}


{% macro largest_of_a_figure(figure, bound, printed, half_unit, bound_printed) -%}
    case
        when {{ bound }} = 'above' then null
        when {{ figure }} = 0 then 0
        when {{ bound }} = 'below' then {{ bound_printed }}
        when {{ bound }} = 'range'
            then
                2 * {{ figure }} * {{ printed_numbers(printed) }}[2]
                / list_sum({{ printed_numbers(printed) }})
        else {{ figure }} + {{ half_unit }}
    end
{%- endmacro %}
