with economies as (

    select * from {{ ref('economies') }}

),

customs_unions as (

    select * from {{ ref('seed_customs_unions') }}

),

listed as (

    select
        economy_iso3,
        'European Union' as customs_union
    from economies
    where is_eu27 or economy_iso3 = 'EU27'
    union all
    select
        economy_iso3,
        customs_union
    from customs_unions

)

select
    economy_iso3,
    customs_union
from listed
