{# Few rows, read by several models, and made of all reconciled flows. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}
    where value_usd is not null and {{ var('reconciled_shares') }}

),

covered_codes as (

    select * from {{ ref('int_trade__list_covered_codes') }}

),

reports as (

    select distinct
        reporter_iso3,
        hs6_code,
        year
    from {{ ref('int_trade__choose_reports') }}
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

groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

codes as (

    select
        hs6_code,
        year,
        max(hs_revision) as hs_revision
    from flows
    group by hs6_code, year

),

-- Every code of a group of which an importer has one: it may have none of the others.
candidates as (

    select
        flows.importer_iso3,
        others.hs6_code,
        flows.year,
        coalesce(any_value(codes.hs_revision), any_value({{ target_edition('flows.year') }}))
            as hs_revision
    from flows
    inner join groups on flows.hs6_code = groups.hs6_code
    inner join groups as others on groups.mineral_group = others.mineral_group
    left join codes on others.hs6_code = codes.hs6_code and flows.year = codes.year
    group by flows.importer_iso3, others.hs6_code, flows.year

),

-- An importer that has declared others and not this code has none of it, if nobody says otherwise.
declared_none as (

    select covered_codes.*
    from covered_codes
    anti join flows
        on
            covered_codes.reporter_iso3 = flows.importer_iso3
            and covered_codes.hs6_code = flows.hs6_code
            and covered_codes.year = flows.year
    where covered_codes.side = 'import'

),

silent as (

    select candidates.*
    from candidates
    anti join reports
        on
            candidates.importer_iso3 = reports.reporter_iso3
            and candidates.hs6_code = reports.hs6_code
            and candidates.year = reports.year
    anti join declared_none
        on
            candidates.importer_iso3 = declared_none.reporter_iso3
            and candidates.hs6_code = declared_none.hs6_code
            and candidates.year = declared_none.year

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

),

-- Flows of other goods than those of the newest edition are no part of a list with them.
of_other_goods as (

    select distinct
        flows.importer_iso3,
        flows.hs6_code,
        flows.year
    from flows
    inner join codes on flows.hs6_code = codes.hs6_code and flows.year = codes.year
    inner join breaks on flows.hs6_code = breaks.hs6_code
    where
        {{
            is_across_a_break(
                'breaks', 'flows.hs_revision', 'flows.year', 'codes.hs_revision', 'codes.year'
            )
        }}

)

select
    candidates.importer_iso3,
    candidates.hs6_code,
    candidates.hs_revision,
    candidates.year,
    parts_at_hand.share_at_hand
from candidates
left join silent
    on
        candidates.importer_iso3 = silent.importer_iso3
        and candidates.hs6_code = silent.hs6_code
        and candidates.year = silent.year
left join parts_at_hand
    on
        candidates.importer_iso3 = parts_at_hand.importer_iso3
        and candidates.hs6_code = parts_at_hand.hs6_code
        and candidates.year = parts_at_hand.year
anti join of_other_goods
    on
        candidates.importer_iso3 = of_other_goods.importer_iso3
        and candidates.hs6_code = of_other_goods.hs6_code
        and candidates.year = of_other_goods.year
where
    candidates.hs_revision is not null
    and (
        silent.year is null
        or parts_at_hand.share_at_hand >= {{ reconciliation('least_share_at_hand') }}
    )
