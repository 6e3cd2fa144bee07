with figures as (

    select
        source,
        label,
        stage,
        scope_iso3,
        economy_iso3,
        year,
        edition,
        amount_t,
        share,
        bound,
        flag,
        notes,
        vintage_at,
        snapshot_id
    from {{ ref('stg_lake__production') }}

),

labels as (

    select
        source,
        label,
        material
    from {{ ref('int_reference__select_material_labels') }}
    where left_out is null

),

named as (

    select
        labels.material,
        figures.*
    from figures
    inner join labels on figures.source = labels.source and figures.label = labels.label

),

-- Editions spell labels differently, so it is chosen for the material. What an edition says of a
-- year, a later edition revises, even if somebody lands the earlier one afterwards.
latest as (

    select *
    from named
    where vintage_at < {{ as_of_end() }}
    qualify
        dense_rank() over (
            partition by source, material, stage, scope_iso3, year
            order by edition desc, vintage_at desc, snapshot_id desc
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
