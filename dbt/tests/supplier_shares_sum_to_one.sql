-- The parts published by partner and the rest add up to each total, within the rounding of
-- publishers: where no rest is printed, its parts may exceed a total or fall short of it. A
-- reconciler prints no total, and its parts are all of it. Totals are numbered: for 22 million
-- shares grouping by a number takes half the time of grouping by five columns.
{{ config(meta={'dagster': {'ref': {'name': 'supplier_shares'}}}) }}
{% set grain = ['importer_iso3', 'mineral_group', 'frequency', 'period_start', 'measure'] %}

with codes_of_groups as (

    select
        mineral_group,
        count(distinct hs6_code) as codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

reconcilers as (

    select distinct source
    from {{ ref('stg_lake__reconciled_trade_slices') }}

),

numbered as not materialized (

    select
        {{ grain | join(', ') }},
        source,
        amount,
        share,
        {{ hash_of(grain) }} as number_of_total
    from {{ ref('supplier_shares') }}

),

off as (

    select number_of_total
    from numbered
    group by number_of_total
    having abs(sum(share) - 1) > 1e-9

),

sums as (

    select
        {{ grain | join(', ') }},
        any_value(source) as source,
        sum(share) as sum_of_shares,
        sum(amount) as sum_of_amounts,
        count(*) as suppliers,
        {{ last_printed_unit('amount') }} as printed_unit
    from numbered
    where number_of_total in (select off.number_of_total from off)
    group by {{ grain | join(', ') }}

)

-- Each code of a group has a total and parts of its own.
select
    sums.importer_iso3,
    sums.mineral_group,
    sums.frequency,
    sums.period_start,
    sums.measure,
    sums.sum_of_shares,
    sums.suppliers
from sums
left join codes_of_groups on sums.mineral_group = codes_of_groups.mineral_group
where
    sums.source in (select reconcilers.source from reconcilers)
    or abs(sums.sum_of_shares - 1) > {{
        largest_rounding(
            'sums.sum_of_amounts',
            'coalesce(codes_of_groups.codes, 1) * (sums.suppliers + 1)',
            'sums.printed_unit',
            'sums.measure'
        )
    }} / sums.sum_of_amounts
