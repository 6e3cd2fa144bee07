with source as (

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
    from {{ source('lake', 'material_labels') }}

)

select * from source
