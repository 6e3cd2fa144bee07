-- The value of a group is the sum of its codes, where one publisher gives both, in one edition of
-- the HS; a basket is the publisher's own sum, without codes.
{{ config(meta={'dagster': {'ref': {'name': 'import_concentration'}}}) }}

with totals as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        source,
        total_amount
    from {{ ref('import_concentration') }}

),

codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}
    where not starts_with(mineral_group, 'hs_')

),

groups as (

    select
        mineral_group,
        count(*) as codes
    from codes
    group by mineral_group

),

-- A code by itself may be of a newer edition than the group that it is part of.
series as (

    select * from {{ ref('int_dependency__number_series') }}
    where hs_revision is not null

),

codes_of_other_editions as (

    select distinct
        of_groups.source,
        of_groups.mineral_group,
        of_groups.period_start
    from series as of_groups
    inner join series as of_codes
        on
            of_groups.source = of_codes.source
            and of_groups.commodity_code = of_codes.commodity_code
            and of_groups.period_start = of_codes.period_start
            and of_codes.mineral_group = 'hs_' || of_codes.commodity_code
            and of_groups.hs_revision <> of_codes.hs_revision

),

sums as (

    select
        totals.importer_iso3,
        codes.mineral_group,
        totals.frequency,
        totals.period_start,
        totals.measure,
        totals.source,
        count(*) as codes,
        sum(totals.total_amount) as sum_of_codes
    from totals
    inner join codes on totals.mineral_group = 'hs_' || codes.hs6_code
    group by
        totals.importer_iso3,
        codes.mineral_group,
        totals.frequency,
        totals.period_start,
        totals.measure,
        totals.source

)

select
    totals.importer_iso3,
    totals.mineral_group,
    totals.period_start,
    totals.measure,
    totals.source,
    totals.total_amount,
    sums.sum_of_codes
from totals
inner join sums
    on
        totals.importer_iso3 = sums.importer_iso3
        and totals.mineral_group = sums.mineral_group
        and totals.frequency = sums.frequency
        and totals.period_start = sums.period_start
        and totals.measure = sums.measure
        and totals.source = sums.source
inner join groups
    on
        sums.mineral_group = groups.mineral_group
        and sums.codes = groups.codes
anti join codes_of_other_editions
    on
        totals.source = codes_of_other_editions.source
        and totals.mineral_group = codes_of_other_editions.mineral_group
        and totals.period_start = codes_of_other_editions.period_start
        and totals.frequency = 'A'
where abs(totals.total_amount - sums.sum_of_codes) > 1e-9 * totals.total_amount
