with exposures as (

    select
        *,
        baseline_value_usd / baseline_share as total_value_usd
    from {{ ref('importer_exposure') }}

),

intervals as (

    select * from {{ ref('measure_status') }}
    where status = 'in_force'

),

implementers as (

    select distinct
        clause_id,
        implementer_iso3
    from {{ ref('measures') }}

),

in_force as (

    select
        exposures.*,
        implementers.implementer_iso3,
        intervals.valid_from,
        intervals.valid_to
    from exposures
    inner join intervals on exposures.clause_id = intervals.clause_id
    inner join implementers on exposures.clause_id = implementers.clause_id

),

turning_days as (

    select
        importer_iso3,
        commodity_code,
        valid_from as turning_day
    from in_force
    union distinct
    select
        importer_iso3,
        commodity_code,
        valid_to as turning_day
    from in_force
    where valid_to is not null

),

days as (

    select
        importer_iso3,
        commodity_code,
        turning_day as valid_from,
        lead(turning_day) over (
            partition by importer_iso3, commodity_code
            order by turning_day
        ) as valid_to
    from turning_days

),

-- What one economy controls because of several clauses is at least what one of them controls, and
-- at most all that it supplies in the newest baseline.
by_implementer as (

    select
        days.importer_iso3,
        days.commodity_code,
        days.valid_from,
        days.valid_to,
        in_force.implementer_iso3,
        any_value(in_force.is_basket) as is_basket,
        any_value(in_force.hs6_codes) as hs6_codes,
        list(in_force.clause_id order by in_force.clause_id) as clause_ids,
        least(
            max_by(in_force.baseline_share, in_force.baseline_to), max(in_force.exposed_share_low)
        ) as share_low,
        least(
            max_by(in_force.baseline_share, in_force.baseline_to), sum(in_force.exposed_share_high)
        ) as share_high,
        max(in_force.baseline_to) as baseline_to,
        max_by(in_force.baseline_from, in_force.baseline_to) as baseline_from,
        max_by(in_force.total_value_usd, in_force.baseline_to) as total_value_usd,
        {{ union_of_snapshots('in_force.snapshot_ids') }} as snapshot_ids
    from days
    inner join in_force
        on
            days.importer_iso3 = in_force.importer_iso3
            and days.commodity_code = in_force.commodity_code
            and days.valid_from >= in_force.valid_from
            and (in_force.valid_to is null or days.valid_from < in_force.valid_to)
    group by
        days.importer_iso3,
        days.commodity_code,
        days.valid_from,
        days.valid_to,
        in_force.implementer_iso3

),

-- What comes from one economy does not come from another, but baselines may be of different years.
together as (

    select
        importer_iso3,
        commodity_code,
        valid_from,
        valid_to,
        any_value(is_basket) as is_basket,
        any_value(hs6_codes) as hs6_codes,
        list_sort(flatten(list(clause_ids))) as clause_ids,
        least(1, sum(share_low)) as share_low,
        least(1, sum(share_high)) as share_high,
        max(baseline_to) as baseline_to,
        max_by(baseline_from, baseline_to) as baseline_from,
        max_by(total_value_usd, baseline_to) as total_value_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from by_implementer
    group by importer_iso3, commodity_code, valid_from, valid_to

)

select
    importer_iso3,
    commodity_code,
    is_basket,
    hs6_codes,
    valid_from,
    valid_to,
    clause_ids,
    share_low as exposed_share_low,
    share_high as exposed_share_high,
    share_low * total_value_usd as exposed_value_low_usd,
    share_high * total_value_usd as exposed_value_high_usd,
    baseline_from,
    baseline_to,
    snapshot_ids
from together
