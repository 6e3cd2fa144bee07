{# Few rows, read by several models, and made of all reconciled flows. #}
{{ config(materialized='table') }}

with candidates as (

    select * from {{ ref('int_dependency__list_candidate_importers') }}

),

silent as (

    select
        importer_iso3,
        hs6_code,
        hs_revision,
        year
    from candidates
    where is_silent

),

covered_codes as (

    select * from {{ ref('int_trade__list_covered_codes') }}

),

import_reports as (

    select * from {{ ref('int_trade__choose_reports') }}
    where side = 'import'

),

declared as (

    select * from {{ ref('int_trade__list_declared_trade') }}
    where side = 'import'

),

baci_flows as (

    select * from {{ ref('baci_flows') }}

),

slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}
    where source = 'baci'

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

-- A report whose partners fall short of its total is no list of all suppliers.
reports as (

    select
        reporter_iso3,
        hs6_code,
        year
    from import_reports
    group by reporter_iso3, hs6_code, year
    having bool_and(agrees_with_total)

),

-- Years before, of which all imports of a code are known: by a report of its own, or by BACI.
full_years as (

    select
        silent.*,
        reports.year as full_year,
        true as is_own
    from silent
    inner join reports
        on
            silent.importer_iso3 = reports.reporter_iso3
            and silent.hs6_code = reports.hs6_code
            and silent.year > reports.year
    union all
    select
        silent.*,
        year(slices.period_start) as full_year,
        false as is_own
    from silent
    inner join slices
        on silent.hs6_code = slices.hs6_code and silent.year > year(slices.period_start)

),

last_full_years as (

    select * from full_years
    qualify
        row_number() over (
            partition by importer_iso3, hs6_code, year
            order by full_year desc, is_own desc
        ) = 1

),

imports_before as (

    select
        years.*,
        declared.exporter_iso3,
        declared.hs_revision as revision_before,
        declared.declared_usd as value_usd
    from last_full_years as years
    inner join declared
        on
            years.is_own
            and years.importer_iso3 = declared.importer_iso3
            and years.hs6_code = declared.hs6_code
            and years.full_year = declared.year
    union all
    select
        years.*,
        baci_flows.exporter_iso3,
        baci_flows.hs_revision as revision_before,
        baci_flows.value_usd
    from last_full_years as years
    inner join baci_flows
        on
            not years.is_own
            and years.importer_iso3 = baci_flows.importer_iso3
            and years.hs6_code = baci_flows.hs6_code
            and years.full_year = baci_flows.year

),

-- The part whose exporters have reported the later year too; of other goods none is comparable.
parts_at_hand as (

    select
        imports_before.importer_iso3,
        imports_before.hs6_code,
        imports_before.year,
        sum(
            case
                when exporters.reporter_iso3 is null then 0
                when exists (
                    select 1
                    from breaks
                    where
                        imports_before.hs6_code = breaks.hs6_code
                        and {{
                            is_across_a_break(
                                'breaks', 'imports_before.revision_before',
                                'imports_before.full_year', 'imports_before.hs_revision',
                                'imports_before.year'
                            )
                        }}
                ) then 0
                else imports_before.value_usd
            end
        ) / sum(imports_before.value_usd) as share_at_hand
    from imports_before
    left join covered_codes as exporters
        on
            exporters.side = 'export'
            and imports_before.exporter_iso3 = exporters.reporter_iso3
            and imports_before.hs6_code = exporters.hs6_code
            and imports_before.year = exporters.year
    group by imports_before.importer_iso3, imports_before.hs6_code, imports_before.year

)

select
    candidates.importer_iso3,
    candidates.hs6_code,
    candidates.hs_revision,
    candidates.year,
    parts_at_hand.share_at_hand
from candidates
left join parts_at_hand
    on
        candidates.importer_iso3 = parts_at_hand.importer_iso3
        and candidates.hs6_code = parts_at_hand.hs6_code
        and candidates.year = parts_at_hand.year
where
    not candidates.is_silent
    or parts_at_hand.share_at_hand >= {{ reconciliation('least_share_at_hand') }}
