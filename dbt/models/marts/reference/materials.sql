with materials as (

    select
        source,
        label,
        material,
        mineral,
        mineral_group,
        left_out
    from {{ ref('stg_lake__material_labels') }}

)

select * from materials
