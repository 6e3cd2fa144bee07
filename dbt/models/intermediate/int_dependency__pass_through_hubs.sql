{# Hubs that carry less than this do not decide on what an assumption rests. #}
{% set least_part = 0.0001 %}

with supply_shares as (

    select * from {{ ref('int_dependency__list_supply_shares') }}

),

insiders as (

    select * from {{ ref('int_dependency__list_insiders') }}

),

hubs as (

    select
        mineral_group,
        year,
        importer_iso3 as hub_iso3,
        any_value(passed_high) as passed_high,
        any_value(passed_low) as passed_low,
        any_value(has_production) as has_production
    from supply_shares
    group by mineral_group, year, importer_iso3

),

-- What a supplier has bought is not its own.
supplies as (

    select
        supply_shares.*,
        1 - coalesce(hubs.passed_high, 0) as own_low
    from supply_shares
    left join hubs
        on
            supply_shares.mineral_group = hubs.mineral_group
            and supply_shares.year = hubs.year
            and supply_shares.supplier_iso3 = hubs.hub_iso3

),

-- What a hub passes on of an origin: as it bought it, and as its suppliers bought it.
two_steps as (

    select
        supplies.mineral_group,
        supplies.year,
        supplies.importer_iso3 as hub_iso3,
        before.supplier_iso3 as origin_iso3,
        {{ sum_in_order('supplies.share * before.passed_high * before.share') }} as share_high,
        {{ sum_in_order('supplies.share * before.passed_low * before.share') }} as share_low
    from supplies
    inner join supplies as before
        on
            supplies.mineral_group = before.mineral_group
            and supplies.year = before.year
            and supplies.supplier_iso3 = before.importer_iso3
            and supplies.importer_iso3 <> before.supplier_iso3
    group by
        supplies.mineral_group, supplies.year, supplies.importer_iso3, before.supplier_iso3

),

-- By origin: what a hub has bought of it itself, and with what its suppliers had bought.
mixes as (

    select
        mineral_group,
        year,
        importer_iso3 as hub_iso3,
        supplier_iso3 as origin_iso3,
        1 as depth,
        share as share_high,
        share as share_low
    from supplies
    union all
    select
        coalesce(supplies.mineral_group, two_steps.mineral_group) as mineral_group,
        coalesce(supplies.year, two_steps.year) as year,
        coalesce(supplies.importer_iso3, two_steps.hub_iso3) as hub_iso3,
        coalesce(supplies.supplier_iso3, two_steps.origin_iso3) as origin_iso3,
        2 as depth,
        coalesce(supplies.share, 0) + coalesce(two_steps.share_high, 0) as share_high,
        coalesce(supplies.share * supplies.own_low, 0) + coalesce(two_steps.share_low, 0)
            as share_low
    from supplies
    full join two_steps
        on
            supplies.mineral_group = two_steps.mineral_group
            and supplies.year = two_steps.year
            and supplies.importer_iso3 = two_steps.hub_iso3
            and supplies.supplier_iso3 = two_steps.origin_iso3

),

-- What a hub buys back from the importer itself, by origin.
loops as (

    select
        back.mineral_group,
        back.year,
        insiders.importer_iso3,
        back.importer_iso3 as hub_iso3,
        before.supplier_iso3 as origin_iso3,
        {{ sum_in_order('back.share * before.passed_high * before.share') }} as share_high,
        {{ sum_in_order('back.share * before.passed_low * before.share') }} as share_low
    from insiders
    inner join supplies as back on insiders.insider_iso3 = back.supplier_iso3
    inner join supplies as before
        on
            back.mineral_group = before.mineral_group
            and back.year = before.year
            and insiders.insider_iso3 = before.importer_iso3
    group by
        back.mineral_group,
        back.year,
        insiders.importer_iso3,
        back.importer_iso3,
        before.supplier_iso3

),

-- An importer and each of its hubs.
pairs as (

    select
        supplies.mineral_group,
        supplies.year,
        supplies.importer_iso3,
        supplies.supplier_iso3 as hub_iso3,
        supplies.share * hubs.passed_high as passed_high,
        supplies.share * hubs.passed_low as passed_low,
        hubs.has_production
    from supplies
    inner join hubs
        on
            supplies.mineral_group = hubs.mineral_group
            and supplies.year = hubs.year
            and supplies.supplier_iso3 = hubs.hub_iso3

),

-- What came through the importer itself is no way to it.
ways as (

    select
        pairs.mineral_group,
        pairs.year,
        pairs.importer_iso3,
        mixes.origin_iso3,
        mixes.depth,
        pairs.hub_iso3,
        pairs.has_production,
        pairs.passed_high * (
            mixes.share_high
            - case mixes.depth when 2 then coalesce(loops.share_high, 0) else 0 end
        ) as share_high,
        pairs.passed_low * (
            mixes.share_low
            - case mixes.depth when 2 then coalesce(loops.share_low, 0) else 0 end
        ) as share_low
    from pairs
    inner join mixes
        on
            pairs.mineral_group = mixes.mineral_group
            and pairs.year = mixes.year
            and pairs.hub_iso3 = mixes.hub_iso3
            and pairs.hub_iso3 <> mixes.origin_iso3
    left join loops
        on
            pairs.mineral_group = loops.mineral_group
            and pairs.year = loops.year
            and pairs.importer_iso3 = loops.importer_iso3
            and pairs.hub_iso3 = loops.hub_iso3
            and mixes.origin_iso3 = loops.origin_iso3
    anti join insiders
        on
            pairs.importer_iso3 = insiders.importer_iso3
            and mixes.origin_iso3 = insiders.insider_iso3

),

indirect as (

    select
        mineral_group,
        year,
        importer_iso3,
        origin_iso3,
        depth,
        {{ sum_of_shares('share_high') }} as share_high,
        {{ sum_of_shares('share_low') }} as share_low,
        arg_min(hub_iso3, (-share_high, hub_iso3)) as hub_iso3,
        max(share_high) as hub_share,
        bool_and(has_production) filter (where share_high > {{ least_part }})
            as all_produce_what_is_known,
        bool_or(has_production) filter (where share_high > {{ least_part }})
            as some_produce_what_is_known
    from ways
    group by mineral_group, year, importer_iso3, origin_iso3, depth

)

select
    mineral_group,
    year,
    importer_iso3,
    origin_iso3,
    depth,
    share_high,
    share_low,
    hub_iso3,
    hub_share,
    all_produce_what_is_known,
    some_produce_what_is_known
from indirect
