with snapshots as (

    select * from {{ source('runtime', 'snapshots') }}

)

select
    snapshot_id,
    source,
    document,
    retrieved_at,
    landed_at,
    sha256,
    bytes,
    media_type,
    request,
    commodity_codes
from snapshots
