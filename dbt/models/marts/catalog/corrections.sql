with corrections as (

    select * from {{ ref('stg_lake__corrections') }}

)

select
    correction_id,
    source,
    table_name,
    row_key,
    action,
    wrong_value,
    right_value,
    reason,
    status,
    rows_changed,
    found_value,
    citation,
    source_url,
    snapshot_id
from corrections
