{{ config(materialized='table') }}

with pairs as (

    select * from {{ ref('int_trade__pair_reports') }}

),

reporters as (

    select * from {{ ref('int_trade__rate_reporters') }}

),

-- Both reports at the level of their mirror reports.
levelled as (

    select
        pairs.*,
        pairs.exporter_usd * exp(-exporters.correction_ln) as levelled_exporter_usd,
        pairs.importer_fob_usd * exp(-importers.correction_ln) as levelled_importer_usd,
        coalesce(exporters.is_hub, false) as is_hub,
        exporters.variance as exporter_variance,
        importers.variance as importer_variance,
        exporters.error_variance as exporter_error_variance,
        importers.error_variance as importer_error_variance
    from pairs
    left join reporters as exporters
        on pairs.year = exporters.year and pairs.exporter_iso3 = exporters.reporter_iso3
    left join reporters as importers
        on pairs.year = importers.year and pairs.importer_iso3 = importers.reporter_iso3

),

unit_values as (

    select
        year,
        hs6_code,
        ln(exporter_usd / exporter_kg) as unit_value_ln
    from pairs
    where exporter_usd > 0 and exporter_kg > 0
    union all
    select
        year,
        hs6_code,
        ln(importer_fob_usd / importer_kg) as unit_value_ln
    from pairs
    where importer_fob_usd > 0 and importer_kg > 0

),

-- 1.4826 times the median deviation is the standard deviation of a normal distribution.
usual_unit_values as (

    select
        year,
        hs6_code,
        median(unit_value_ln) as unit_value_ln,
        nullif(1.4826 * mad(unit_value_ln), 0) as deviation_ln
    from unit_values
    group by year, hs6_code

),

weighed as (

    select
        levelled.*,
        case
            when not levelled.is_hub
                then levelled.importer_variance * {{
                    plausibility(
                        'ln(levelled.levelled_exporter_usd / levelled.exporter_kg)',
                        'usual_unit_values'
                    )
                }}
            else 0
        end as exporter_part,
        levelled.exporter_variance * {{
            plausibility(
                'ln(levelled.levelled_importer_usd / levelled.importer_kg)', 'usual_unit_values'
            )
        }} as importer_part
    from levelled
    left join usual_unit_values
        on
            levelled.year = usual_unit_values.year
            and levelled.hs6_code = usual_unit_values.hs6_code

),

shared as (

    select
        *,
        case
            when exporter_usd is not null and importer_usd is not null then 'two_sided'
            when exporter_usd is not null then 'exporter_only'
            when importer_usd is not null then 'importer_only'
        end as basis,
        case
            when exporter_usd is null then 0
            when importer_usd is null then 1
            else exporter_part / (exporter_part + importer_part)
        end as exporter_weight_share,
        abs(ln(exporter_usd / importer_fob_usd)) as mirror_gap_ln
    from weighed

),

-- No level makes a figure that is above or below both reports.
reconciled as (

    select
        *,
        case basis
            when 'exporter_only' then exporter_usd
            when 'importer_only' then importer_fob_usd
            when 'two_sided'
                then
                    least(
                        greatest(
                            {{
                                weighted_mean(
                                    'levelled_exporter_usd', 'levelled_importer_usd',
                                    'exporter_weight_share'
                                )
                            }},
                            least(exporter_usd, importer_fob_usd)
                        ),
                        greatest(exporter_usd, importer_fob_usd)
                    )
        end as figure_usd
    from shared

)

select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    hs_revision,
    year,
    basis,
    round(figure_usd, 2) as value_usd,
    -- One weight alone is that of its own report's value.
    round(
        case
            when exporter_kg is null then importer_kg * figure_usd / importer_fob_usd
            when importer_kg is null then exporter_kg * figure_usd / exporter_usd
            else {{ weighted_mean('exporter_kg', 'importer_kg', 'exporter_weight_share') }}
        end, 3
    ) as net_weight_kg,
    exporter_usd,
    importer_usd,
    importer_fob_usd,
    exporter_kg,
    importer_kg,
    declared_exporter_usd,
    declared_importer_usd,
    declared_exporter_kg,
    declared_importer_kg,
    re_exported_usd,
    is_of_two_editions,
    mirror_gap_ln,
    coalesce(mirror_gap_ln > ln({{ reconciliation('conflict_ratio') }}), false) as is_conflict,
    exporter_weight_share,
    is_cif,
    cif_markup_ln,
    exporter_error_variance,
    importer_error_variance,
    is_hub,
    is_provisional,
    vintage_at
from reconciled
