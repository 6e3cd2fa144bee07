with labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

names as (

    select * from {{ ref('seed_materials') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

mineral_groups as (

    select * from {{ ref('mineral_groups') }}

)

select
    labels.source,
    labels.label,
    labels.material,
    coalesce(names.name, minerals.name, mineral_groups.name) as material_name,
    coalesce(names.name_ja, minerals.name_ja, mineral_groups.name_ja) as material_name_ja,
    labels.mineral,
    labels.mineral_group,
    labels.left_out
from labels
left join names on labels.material = names.material
left join minerals on labels.material = minerals.mineral
left join mineral_groups on labels.material = mineral_groups.mineral_group
