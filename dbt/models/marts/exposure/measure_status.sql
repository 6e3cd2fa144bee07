with intervals as (

    select * from {{ ref('int_exposure__build_status_intervals') }}

)

select
    clause_id,
    valid_from,
    valid_to,
    status,
    because
from intervals
