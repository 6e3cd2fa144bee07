with importer_exposure as (

    select * from {{ ref('importer_exposure') }}

),

timelines as (

    select * from {{ ref('int_exposure__list_timelines') }}

),

measures as (

    select * from {{ ref('measures') }}

),

measured as (

    select * from {{ ref('int_exposure__measure_windows') }}

),

implementers as (

    select distinct
        clause_id,
        implementer_iso3
    from measures

),

without_exposure as (

    select * from {{ ref('int_exposure__list_unexposed_suppliers') }}

),

exposures as (

    select
        *,
        true as is_exposed
    from importer_exposure
    union all by name
    select
        *,
        false as is_exposed
    from without_exposure

),

in_force as (

    select
        exposures.*,
        implementers.implementer_iso3,
        timelines.scenario,
        timelines.valid_from,
        timelines.valid_to,
        timelines.is_for_baseline
    from exposures
    inner join timelines
        on
            exposures.clause_id = timelines.clause_id
            and exposures.importer_iso3
            = coalesce(timelines.importer_iso3, exposures.importer_iso3)
    inner join implementers on exposures.clause_id = implementers.clause_id

),

turning_days as (

    select
        scenario,
        importer_iso3,
        commodity_code,
        valid_from as turning_day
    from in_force
    union distinct
    select
        scenario,
        importer_iso3,
        commodity_code,
        valid_to as turning_day
    from in_force
    where valid_to is not null

),

days as (

    select
        scenario,
        importer_iso3,
        commodity_code,
        turning_day as valid_from,
        lead(turning_day) over (
            partition by scenario, importer_iso3, commodity_code
            order by turning_day
        ) as valid_to
    from turning_days

),

-- One baseline for all clauses of the row: the newest that any of them has, of imports from all
-- suppliers rather than of the exports of one. That of the clauses as they are goes before.
clauses as (

    select
        days.scenario,
        days.importer_iso3,
        days.commodity_code,
        days.valid_from,
        days.valid_to,
        in_force.clause_id,
        in_force.implementer_iso3,
        in_force.is_basket,
        in_force.hs6_codes,
        in_force.control_share_low,
        in_force.control_share_high,
        in_force.snapshot_ids,
        in_force.is_exposed,
        first_value(in_force.baseline_from) over newest_first as baseline_from,
        first_value(in_force.baseline_frequency) over newest_first as baseline_frequency,
        first_value(in_force.source) over newest_first as source,
        first_value(in_force.reason) over newest_first as reason
    from days
    inner join in_force
        on
            days.scenario = in_force.scenario
            and days.importer_iso3 = in_force.importer_iso3
            and days.commodity_code = in_force.commodity_code
            and days.valid_from >= in_force.valid_from
            and (in_force.valid_to is null or days.valid_from < in_force.valid_to)
    window
        newest_first as (
            partition by days.scenario, days.importer_iso3, days.commodity_code, days.valid_from
            order by
                in_force.baseline_value_usd is null asc,
                in_force.is_for_baseline desc,
                in_force.reason asc nulls first,
                in_force.baseline_to desc,
                in_force.baseline_frequency desc,
                in_force.source asc,
                in_force.clause_id asc
        )
    -- Without an exposure of its own an interval has no baseline.
    qualify
        not in_force.is_for_baseline
        and bool_or(in_force.is_exposed and not in_force.is_for_baseline) over (
            partition by days.scenario, days.importer_iso3, days.commodity_code, days.valid_from
        )

),

-- What one economy controls because of several clauses is at least what one of them controls, and
-- at most all that it supplies.
by_implementer as (

    select
        clauses.scenario,
        clauses.importer_iso3,
        clauses.commodity_code,
        clauses.implementer_iso3,
        clauses.valid_from,
        clauses.valid_to,
        any_value(clauses.is_basket) as is_basket,
        any_value(clauses.hs6_codes) as hs6_codes,
        list(clauses.clause_id) as clause_ids,
        list(clauses.clause_id) filter (where measured.value_usd is null)
            as clauses_without_figures,
        max(clauses.control_share_low) * any_value(measured.baseline_share) as share_low,
        least(1, sum(clauses.control_share_high)) * any_value(measured.baseline_share)
            as share_high,
        max(clauses.control_share_low) * any_value(measured.value_usd) as value_low_usd,
        least(1, sum(clauses.control_share_high)) * any_value(measured.value_usd)
            as value_high_usd,
        any_value(clauses.reason) as reason,
        any_value(clauses.source) as source,
        any_value(measured.baseline_from) as baseline_from,
        any_value(measured.baseline_to) as baseline_to,
        max(clauses.control_share_low) as control_share_low,
        least(1, sum(clauses.control_share_high)) as control_share_high,
        {{ union_of('list(clauses.snapshot_ids) || list(coalesce(measured.snapshot_ids, []))') }}
            as snapshot_ids
    from clauses
    left join measured
        on
            clauses.implementer_iso3 = measured.implementer_iso3
            and clauses.importer_iso3 = measured.importer_iso3
            and clauses.commodity_code = measured.commodity_code
            and clauses.is_basket = measured.is_basket
            and clauses.baseline_frequency = measured.frequency
            and clauses.baseline_from = measured.baseline_from
            and clauses.source = measured.source
            and clauses.reason is not distinct from measured.reason
    where clauses.is_exposed or measured.value_usd > 0
    group by
        clauses.scenario,
        clauses.importer_iso3,
        clauses.commodity_code,
        clauses.valid_from,
        clauses.valid_to,
        clauses.implementer_iso3

)

select
    scenario,
    importer_iso3,
    commodity_code,
    implementer_iso3,
    is_basket,
    hs6_codes,
    valid_from,
    valid_to,
    clause_ids,
    clauses_without_figures,
    control_share_low,
    control_share_high,
    share_low,
    share_high,
    value_low_usd,
    value_high_usd,
    reason,
    source,
    baseline_from,
    baseline_to,
    snapshot_ids
from by_implementer
