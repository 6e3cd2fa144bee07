with checks as (

    select * from {{ source('runtime', 'checks') }}

)

select
    layer,
    table_name,
    check_name,
    engine,
    severity,
    status,
    observed,
    failing_rows
from checks
