with quarantined as (

    select * from {{ source('runtime', 'quarantine') }}

),

-- Those of the build: not withdrawn, and received by its day.
snapshots as (

    select * from {{ ref('snapshots') }}

)

select
    quarantined.snapshot_id,
    quarantined.source,
    quarantined.table_name,
    quarantined.row_number,
    quarantined.rule,
    quarantined.value,
    quarantined.explanation,
    quarantined.rows_of_rule
from quarantined
inner join snapshots on quarantined.snapshot_id = snapshots.snapshot_id
