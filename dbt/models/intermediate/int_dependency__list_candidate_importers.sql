{# Few rows, looked up for each year before. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}
    where value_usd is not null and {{ env_var('DBT_RECONCILED_SHARES', 'true') }}

),

covered_codes as (

    select * from {{ ref('int_trade__list_covered_codes') }}

),

import_reports as (

    select * from {{ ref('int_trade__choose_reports') }}
    where side = 'import'

),

disagreeing_totals as (

    select * from {{ ref('int_trade__list_disagreeing_totals') }}
    where measure = 'value_usd' and flow = 'import' and frequency = 'A'

),

concordance as (

    select * from {{ ref('code_concordance') }}

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

-- What was declared and does not agree with its total is not known, and not none.
not_known as (

    select
        reporter_iso3,
        commodity_code as hs6_code,
        year(period_start) as year
    from disagreeing_totals
    union distinct
    select
        disagreeing_totals.reporter_iso3,
        concordance.target_hs6_code as hs6_code,
        year(disagreeing_totals.period_start) as year
    from disagreeing_totals
    inner join concordance on disagreeing_totals.commodity_code = concordance.hs6_code

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
    anti join not_known
        on
            covered_codes.reporter_iso3 = not_known.reporter_iso3
            and covered_codes.hs6_code = not_known.hs6_code
            and covered_codes.year = not_known.year
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
    silent.year is not null as is_silent
from candidates
left join silent
    on
        candidates.importer_iso3 = silent.importer_iso3
        and candidates.hs6_code = silent.hs6_code
        and candidates.year = silent.year
anti join of_other_goods
    on
        candidates.importer_iso3 = of_other_goods.importer_iso3
        and candidates.hs6_code = of_other_goods.hs6_code
        and candidates.year = of_other_goods.year
where candidates.hs_revision is not null
