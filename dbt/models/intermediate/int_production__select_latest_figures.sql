with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select
        source,
        label,
        material
    from {{ ref('stg_lake__material_labels') }}
    where left_out is null

),

named as (

    select
        labels.material,
        figures.*
    from figures
    inner join labels on figures.source = labels.source and figures.label = labels.label

),

-- Editions spell labels differently, so of those that count for their label one is chosen for the
-- material.
latest as (

    select *
    from named
    qualify
        dense_rank() over (
            partition by source, material, stage, scope_iso3, year
            order by {{ newest_first('edition') }}
        ) = 1

),

final as (

    select
        source,
        material,
        stage,
        scope_iso3,
        economy_iso3,
        year,
        edition,
        label,
        amount_t,
        share,
        bound,
        flag,
        notes,
        vintage_at,
        snapshot_id
    from latest

)

select * from final
