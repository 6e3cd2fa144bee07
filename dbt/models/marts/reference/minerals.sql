with minerals as (

    select * from {{ ref('seed_minerals') }}

)

select
    mineral,
    symbol,
    name,
    name_ja,
    family,
    is_rare_earth
from minerals
