-- The parts published by partner and the rest add up to each total. Totals are numbered: for 22
-- million shares grouping by a number takes half the time of grouping by five columns.
{% set grain = ['importer_iso3', 'mineral_group', 'frequency', 'period_start', 'measure'] %}

with numbered as not materialized (

    select
        {{ grain | join(', ') }},
        share,
        {{ hash_of(grain) }} as number_of_total
    from {{ ref('supplier_shares') }}

),

off as (

    select number_of_total
    from numbered
    group by number_of_total
    having abs(sum(share) - 1) > 1e-9

)

select
    {{ grain | join(', ') }},
    sum(share) as sum_of_shares,
    count(*) as suppliers
from numbered
where number_of_total in (select off.number_of_total from off)
group by {{ grain | join(', ') }}
having abs(sum(share) - 1) > 1e-9
