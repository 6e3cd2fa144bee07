{{ config(materialized='table') }}

with declared as (

    select * from {{ ref('int_trade__list_declared_trade') }}
    where exporter_iso3 <> '_X' and importer_iso3 <> '_X'

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}
    where changes_goods and year_after is null

),

exports as (

    select * from declared
    where side = 'export'

),

imports as (

    select * from declared
    where side = 'import'

),

paired as (

    select
        coalesce(exports.exporter_iso3, imports.exporter_iso3) as exporter_iso3,
        coalesce(exports.importer_iso3, imports.importer_iso3) as importer_iso3,
        coalesce(exports.hs6_code, imports.hs6_code) as hs6_code,
        coalesce(exports.year, imports.year) as year,
        {% for side, prefix in [('exports', 'exporter'), ('imports', 'importer')] %}
            {{ side }}.hs_revision as {{ prefix }}_revision,
            nullif({{ side }}.value_usd, 0) as {{ prefix }}_usd,
            {{ side }}.net_weight_kg as {{ prefix }}_kg,
            {{ side }}.declared_usd as declared_{{ prefix }}_usd,
            {{ side }}.declared_kg as declared_{{ prefix }}_kg,
        {% endfor %}
        exports.re_exported_usd,
        coalesce(imports.is_cif, false) as is_cif,
        coalesce(exports.is_provisional, false) or coalesce(imports.is_provisional, false)
            as is_provisional,
        greatest(exports.vintage_at, imports.vintage_at) as vintage_at
    from exports
    full outer join imports
        on
            exports.exporter_iso3 = imports.exporter_iso3
            and exports.importer_iso3 = imports.importer_iso3
            and exports.hs6_code = imports.hs6_code
            and exports.year = imports.year

),

crossing as (

    select
        *,
        exists(
            select 1
            from breaks
            where
                paired.hs6_code = breaks.hs6_code
                and least(paired.exporter_revision, paired.importer_revision)
                <= breaks.hs_revision_before
                and greatest(paired.exporter_revision, paired.importer_revision)
                >= breaks.hs_revision_after
        ) as is_across_a_break
    from paired

),

-- What is of other goods is not compared: the report in the older edition gives way.
comparable as (

    select
        crossing.* replace (
            {% for prefix, other in [('exporter', 'importer'), ('importer', 'exporter')] %}
                {% for unit in ['usd', 'kg'] %}
                    case
                        when
                            not crossing.is_across_a_break
                            or crossing.{{ prefix }}_revision > crossing.{{ other }}_revision
                            then crossing.{{ prefix }}_{{ unit }}
                    end as {{ prefix }}_{{ unit }}{% if not loop.last %},{% endif %}
                {% endfor %}
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        ),
        greatest(crossing.exporter_revision, crossing.importer_revision) as hs_revision,
        coalesce(crossing.exporter_revision <> crossing.importer_revision, false)
            as is_of_two_editions
    from crossing

),

-- Freight shows where both reports are of about the same trade.
near as (

    select
        hs6_code,
        year,
        ln(importer_usd / exporter_usd) as markup_ln
    from comparable
    where
        is_cif
        and importer_usd between exporter_usd / {{ reconciliation('near_factor') }}
        and exporter_usd * {{ reconciliation('near_factor') }}

),

pooled as (

    select
        year,
        median(markup_ln) as markup_ln
    from near
    group by year

),

of_codes as (

    select
        near.hs6_code,
        near.year,
        (
            count(*) * median(near.markup_ln)
            + {{ reconciliation('markup_prior_pairs') }} * any_value(pooled.markup_ln)
        ) / (count(*) + {{ reconciliation('markup_prior_pairs') }}) as markup_ln
    from near
    inner join pooled on near.year = pooled.year
    group by near.hs6_code, near.year

),

marked_up as (

    select
        comparable.*,
        case
            when not comparable.is_cif then 0
            else
                least(
                    greatest(coalesce(of_codes.markup_ln, pooled.markup_ln, 0), 0),
                    {{ reconciliation('largest_markup_ln') }}
                )
        end as cif_markup_ln
    from comparable
    left join of_codes
        on comparable.hs6_code = of_codes.hs6_code and comparable.year = of_codes.year
    left join pooled on comparable.year = pooled.year

)

select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    hs_revision,
    year,
    exporter_usd,
    importer_usd,
    importer_usd * exp(-cif_markup_ln) as importer_fob_usd,
    exporter_kg,
    importer_kg,
    declared_exporter_usd,
    declared_importer_usd,
    declared_exporter_kg,
    declared_importer_kg,
    re_exported_usd,
    is_of_two_editions,
    is_cif,
    case when importer_usd is not null then cif_markup_ln end as cif_markup_ln,
    is_provisional,
    vintage_at
from marked_up
