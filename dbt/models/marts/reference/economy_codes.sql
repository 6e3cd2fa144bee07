with codes as (

    select * from {{ ref('stg_lake__economy_codes') }}

)

select
    scheme,
    code,
    valid_from,
    valid_to,
    economy_iso3,
    name
from codes
