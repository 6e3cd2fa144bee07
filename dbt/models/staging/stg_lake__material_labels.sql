with counted as (

    {{ rows_that_count(
        source('lake', 'material_labels'),
        slice=['source'],
        counts_from='none'
    ) }}

)

select
    source,
    label,
    material,
    mineral,
    mineral_group,
    left_out,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
