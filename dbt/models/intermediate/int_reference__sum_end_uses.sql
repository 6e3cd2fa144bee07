with uses as (

    select * from {{ ref('stg_lake__end_uses') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}
    where left_out is null and mineral is not null

),

of_minerals as (

    select
        labels.mineral,
        labels.material,
        uses.*
    from uses
    inner join labels on uses.source = labels.source and uses.label = labels.label

),

-- The latest assessment, its newest vintage; of two labels for a mineral, the one that names the
-- mineral itself (magnesium, not magnesite), else the first by name.
chosen as (

    select *
    from of_minerals
    qualify
        dense_rank() over (
            partition by source, mineral
            order by
                year desc,
                {{ newest_first() }},
                material = mineral desc,
                label asc
        ) = 1

),

-- A use that is printed twice is one use.
distinct_uses as (

    select
        source,
        mineral,
        year,
        sector,
        nace2_code,
        coalesce(nace2_code, sector) as division,
        application,
        use_share,
        {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from chosen
    group by all

)

select
    source,
    mineral,
    year,
    min(sector) as sector,
    nace2_code,
    {{ capped_at_one(sum_in_order('use_share')) }} as use_share,
    {{ sum_in_order("case when contains(application, 'Magnets') then use_share else 0 end") }}
        as magnets_share,
    string_agg(application, '; ' order by use_share desc, application asc) as applications,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from distinct_uses
group by source, mineral, year, division, nace2_code
