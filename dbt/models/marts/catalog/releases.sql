with releases as (

    select * from {{ source('runtime', 'releases') }}

)

select
    release_id,
    published_at,
    as_of,
    contract_version,
    code_version,
    duckdb_version,
    accepted_at,
    accepted_losses
from releases
