with economies as (

    select * from {{ ref('economies') }}
    where economy_iso3 not in ('WLD', '_X')

)

select
    economy_iso3 as importer_iso3,
    economy_iso3 as insider_iso3
from economies
where not is_group
union all
select
    'EU27' as importer_iso3,
    economy_iso3 as insider_iso3
from economies
where is_eu27
