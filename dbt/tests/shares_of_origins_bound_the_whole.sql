-- What comes from all origins is the whole supply: their lower bounds are no more than that, their
-- upper ones no less, but for the origins that are left out, of less than a thousandth each.
select
    importer_iso3,
    mineral_group,
    year,
    depth,
    {{ sum_in_order('total_share_low') }} as least,
    {{ sum_in_order('total_share_high') }} as most
from {{ ref('indirect_dependence') }}
where reason is null
group by importer_iso3, mineral_group, year, depth
having
    {{ sum_in_order('total_share_low') }} > 1 + 1e-9
    or {{ sum_in_order('total_share_high') }} < 0.99
    or bool_or(total_share_low > total_share_high + 1e-9)
