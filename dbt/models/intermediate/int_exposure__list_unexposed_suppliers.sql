with importer_exposure as (

    select * from {{ ref('importer_exposure') }}

),

measured as (

    select * from {{ ref('int_exposure__measure_windows') }}

),

targets as (

    select * from {{ ref('int_exposure__list_targets') }}
    where not is_basket

)

select
    targets.clause_id,
    targets.importer_iso3,
    targets.commodity_code,
    targets.is_basket,
    targets.hs6_codes,
    targets.control_share_low,
    targets.control_share_high,
    targets.snapshot_ids
from targets
-- Of a commodity that other clauses expose.
semi join importer_exposure as exposed
    on
        targets.importer_iso3 = exposed.importer_iso3
        and targets.commodity_code = exposed.commodity_code
        and exposed.baseline_value_usd is not null
semi join measured
    on
        targets.implementer_iso3 = measured.implementer_iso3
        and targets.importer_iso3 = measured.importer_iso3
        and targets.commodity_code = measured.commodity_code
        and measured.value_usd > 0
-- And without a row of its own, be it as part of a basket.
anti join importer_exposure as own
    on
        targets.clause_id = own.clause_id
        and targets.importer_iso3 = own.importer_iso3
        and list_contains(own.hs6_codes, targets.commodity_code)
