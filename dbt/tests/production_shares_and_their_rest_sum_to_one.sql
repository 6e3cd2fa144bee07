-- What is named and the rest make up the whole of each table that has shares and a rest: where the
-- rest is printed, but for the rounding of both and of the total.
{{ config(meta={'dagster': {'ref': {'name': 'production_shares'}}}) }}

with shares as (

    select * from {{ ref('production_shares') }}

),

printed_rests as (

    select distinct
        material,
        stage,
        year,
        source
    from {{ ref('int_dependency__join_printed_totals') }}
    where economy_iso3 = '_X' and amount_t is not null

)

select
    shares.material,
    shares.stage,
    shares.year,
    shares.source,
    {{ sum_in_order('shares.share') }} as sum_of_shares
from shares
left join printed_rests
    on
        shares.material = printed_rests.material
        and shares.stage = printed_rests.stage
        and shares.year = printed_rests.year
        and shares.source = printed_rests.source
group by shares.material, shares.stage, shares.year, shares.source
having
    bool_or(shares.economy_iso3 = '_X' and shares.share is not null)
    and abs({{ sum_in_order('shares.share') }} - 1)
    > case
        when count(printed_rests.source) = 0 then 1e-9
        else 2 * {{ rounding_of_a_total() }}
    end
