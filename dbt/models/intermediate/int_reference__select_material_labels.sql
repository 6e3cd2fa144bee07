with labels as (

    select
        source,
        label,
        material,
        mineral,
        mineral_group,
        left_out,
        snapshot_id
    from {{ ref('stg_lake__material_labels') }}

),

-- A list is edited by hand and read whole, whenever that was: a label it no longer holds is gone.
newest as (

    select
        source,
        label,
        material,
        mineral,
        mineral_group,
        left_out
    from labels
    qualify dense_rank() over (partition by source order by snapshot_id desc) = 1

)

select * from newest
