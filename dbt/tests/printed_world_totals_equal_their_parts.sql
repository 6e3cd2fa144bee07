-- A printed total that differs from its parts by more than rounding (parts that exceed it, or,
-- where all are printed, fall short) is a misprint of either: check the publisher's page. Such a
-- total is not used where its parts exceed it. A part printed as a bound (`<100`) may be close to
-- 0.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'stg_lake__production'}}}) }}

with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

latest as (

    {{ latest_production('figures', 'labels') }}

),

sums as (

    select
        source,
        material,
        stage,
        year,
        max(amount_t) filter (where economy_iso3 = 'WLD' and bound = 'exact') as printed_total_t,
        {{ sum_in_order('amount_t') }} filter (where economy_iso3 <> 'WLD' and bound <> 'below')
            as parts_t,
        bool_or(economy_iso3 = '_X' and amount_t is not null) as has_others,
        count(*) filter (where flag in ('withheld', 'not_available') or bound = 'below')
            as missing_figures
    from latest
    where scope_iso3 = 'WLD'
    group by source, material, stage, year

)

select
    source,
    material,
    stage,
    year,
    printed_total_t,
    parts_t,
    parts_t / printed_total_t as parts_over_total
from sums
where
    parts_t > printed_total_t * (1 + {{ rounding_of_a_total() }})
    or (
        has_others
        and missing_figures = 0
        and parts_t < printed_total_t * (1 - {{ rounding_of_a_total() }})
    )
