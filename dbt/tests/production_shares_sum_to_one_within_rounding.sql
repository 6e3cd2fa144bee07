-- Where no rest is left, shares fall short of the whole, or exceed it, by no more than rounding: of
-- amounts 5 % of the printed total; of printed shares a tenth of a per cent in each, and 3 % above,
-- the European Commission's own tolerance (its global shares of 2023 sum to 0.887 to 1.021). What
-- is published otherwise is shown as it is.
{{ config(severity='warn') }}

with sums as (

    select
        material,
        stage,
        year,
        source,
        {{ sum_in_order('share') }} as sum_of_shares,
        count(share) as shares,
        bool_or(economy_iso3 = '_X' and share is not null) as has_rest,
        bool_or(world_total_t is null) as is_printed
    from {{ ref('production_shares') }}
    group by material, stage, year, source
    having count(share) > 0

)

select
    material,
    stage,
    year,
    source,
    sum_of_shares,
    shares,
    has_rest
from sums
where
    (
        not has_rest and is_printed and not sum_of_shares between
        1 - {{ half_unit_of_a_share() }} * shares - 1e-9 and 1.03
    )
    or (
        not has_rest and not is_printed and not sum_of_shares between
        1 - {{ rounding_of_a_total() }} - 1e-9 and 1 + {{ rounding_of_a_total() }} + 1e-9
    )
