with figures as (

    select
        source,
        label,
        stage,
        scope_iso3,
        economy_iso3,
        year,
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

-- Editions spell labels differently, so the vintage is chosen for the material.
latest as (

    {{ latest_vintage(
        'named',
        ['source', 'material', 'stage', 'scope_iso3', 'year'],
        as_of_end()
    ) }}

),

final as (

    select
        source,
        material,
        stage,
        scope_iso3,
        economy_iso3,
        year,
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
