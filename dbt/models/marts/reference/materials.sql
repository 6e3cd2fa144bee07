with materials as (

    select * from {{ ref('stg_lake__material_labels') }}

)

select
    source,
    label,
    material,
    mineral,
    mineral_group,
    left_out
from materials
