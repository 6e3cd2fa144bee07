with economies as (

    select * from {{ ref('stg_lake__economies') }}

)

select
    economy_iso3,
    name,
    name_ja,
    m49_code,
    comtrade_code,
    japan_customs_code,
    region,
    is_eu27,
    economy_iso3 in ('EU27', 'WLD') as is_group
from economies
