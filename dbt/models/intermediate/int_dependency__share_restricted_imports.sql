with joint_exposure as (

    select * from {{ ref('joint_exposure') }}
    where {{ as_of_day() }} >= valid_from and (valid_to is null or {{ as_of_day() }} < valid_to)

),

codes_of_groups as (

    select * from {{ ref('int_dependency__list_restricted_codes') }}

),

import_concentration as (

    select * from {{ ref('import_concentration') }}
    where frequency = 'A' and measure = 'value_usd'

)

select
    joint_exposure.importer_iso3,
    codes_of_groups.mineral_group,
    wholes.period_start,
    {{ sum_in_order('joint_exposure.exposed_share_low * parts.total_amount') }}
    / any_value(wholes.total_amount) as share_low,
    -- All of a code may be restricted whose exposure is not known.
    case
        when count(*) = count(parts.total_amount)
            then
                {{ sum_in_order(
                    'coalesce(joint_exposure.exposed_share_high, 1) * parts.total_amount'
                ) }} / any_value(wholes.total_amount)
    end as share_high,
    {{ union_of_snapshots('joint_exposure.snapshot_ids') }} as snapshot_ids
from joint_exposure
inner join codes_of_groups on joint_exposure.commodity_code = codes_of_groups.hs6_code
inner join import_concentration as wholes
    on
        joint_exposure.importer_iso3 = wholes.importer_iso3
        and codes_of_groups.mineral_group = wholes.mineral_group
left join import_concentration as parts
    on
        not codes_of_groups.is_part
        and joint_exposure.importer_iso3 = parts.importer_iso3
        and 'hs_' || joint_exposure.commodity_code = parts.mineral_group
        and wholes.period_start = parts.period_start
group by joint_exposure.importer_iso3, codes_of_groups.mineral_group, wholes.period_start
