-- What is named and the rest make up the whole of each table that has shares and a rest.
select
    material,
    stage,
    year,
    source,
    {{ sum_in_order('share') }} as sum_of_shares
from {{ ref('production_shares') }}
group by material, stage, year, source
having
    bool_or(economy_iso3 = '_X' and share is not null)
    and abs({{ sum_in_order('share') }} - 1) > 1e-9
