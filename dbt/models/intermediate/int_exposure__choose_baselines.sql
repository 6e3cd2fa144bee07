{# Baskets are compared with the codes beside them: computed once, as a table. #}
{{ config(materialized='table') }}

with targets as (

    select * from {{ ref('int_exposure__list_targets') }}

),

windows as (

    select * from {{ ref('int_exposure__list_windows') }}

),

measured as (

    select * from {{ ref('int_exposure__measure_windows') }}

)

-- Months go before a year, also where they say that nothing came, and the last full year before
-- the one before it. Where this one says that nothing came, it counts if it is the newest there is:
-- it says nothing of a year that is left out between two others.
select
    targets.clause_id,
    targets.implementer_iso3,
    targets.importer_iso3,
    targets.commodity_code,
    targets.is_basket,
    targets.hs6_codes,
    windows.gap_years,
    measured.frequency,
    measured.baseline_from,
    measured.baseline_to,
    measured.value_usd,
    measured.net_weight_kg,
    measured.baseline_share,
    measured.source,
    measured.reason,
    measured.snapshot_ids
from targets
inner join windows
    on
        targets.clause_id = windows.clause_id
        and targets.commodity_code = windows.commodity_code
inner join measured
    on
        targets.implementer_iso3 = measured.implementer_iso3
        and targets.importer_iso3 = measured.importer_iso3
        and targets.commodity_code = measured.commodity_code
        and targets.is_basket = measured.is_basket
        and windows.baseline_from = measured.baseline_from
        -- Only exports are summed from the months of a year.
        and (
            windows.frequency = measured.frequency
            or (windows.frequency = 'A' and measured.reason is not null)
        )
where
    measured.value_usd > 0
    or windows.gap_years = 0
    or coalesce(measured.is_latest, true)
qualify
    row_number() over (
        partition by targets.clause_id, targets.importer_iso3, targets.commodity_code
        order by
            measured.preference asc,
            windows.frequency desc,
            windows.gap_years asc,
            case when measured.reason is null then measured.value_usd end desc nulls last,
            measured.frequency asc,
            measured.precedence_rank asc nulls last,
            measured.source asc
    ) = 1
