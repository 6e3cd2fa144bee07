with materials as (

    select
        source,
        label,
        material,
        mineral,
        mineral_group,
        left_out
    from {{ ref('int_reference__select_material_labels') }}

)

select * from materials
