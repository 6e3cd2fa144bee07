with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

latest as (

    {{ latest_production('figures', 'labels') }}

),

world_figures as (

    select
        source,
        material,
        stage,
        economy_iso3,
        year,
        amount_t,
        share,
        flag,
        notes,
        {{ meaning_of_note('notes') }} as note,
        reference_period,
        content_basis,
        bound in ('exact', 'range') as is_figure,
        flag = 'estimated' or bound <> 'exact' as is_estimate,
        snapshot_id
    from latest
    where scope_iso3 = 'WLD'

),

-- A total that is only a bound (`>90,000,000`) or cannot be given is printed, but is no figure.
printed_totals as (

    select
        source,
        material,
        stage,
        year,
        case when is_figure and amount_t > 0 then amount_t end as printed_t,
        is_estimate,
        note as note_on_total,
        reference_period,
        content_basis,
        snapshot_id,
        coalesce(lower(notes) like '%excludes u.s. production%', false) as leaves_out_usa
    from world_figures
    where economy_iso3 = 'WLD'

),

economies as (

    select
        world_figures.source,
        world_figures.material,
        world_figures.stage,
        world_figures.economy_iso3,
        world_figures.year,
        world_figures.amount_t,
        world_figures.share,
        world_figures.is_estimate,
        world_figures.reference_period,
        world_figures.content_basis,
        world_figures.note,
        printed_totals.note_on_total,
        world_figures.flag in ('withheld', 'not_available') as is_missing,
        printed_totals.printed_t,
        printed_totals.is_estimate as is_total_estimate,
        -- The remark is on production: the reserves of the world count those of the United States.
        world_figures.economy_iso3 = 'USA'
        and world_figures.stage <> 'reserves'
        and coalesce(printed_totals.leaves_out_usa, false) as is_outside_total,
        world_figures.snapshot_id
    from world_figures
    left join printed_totals
        on
            world_figures.source = printed_totals.source
            and world_figures.material = printed_totals.material
            and world_figures.stage = printed_totals.stage
            and world_figures.year = printed_totals.year
    where world_figures.economy_iso3 <> 'WLD' and world_figures.flag <> 'not_applicable'

),

-- Of a total without economies all is of economies that are not listed.
parts as (

    select * from economies
    union all by name
    select
        source,
        material,
        stage,
        '_X' as economy_iso3,
        year,
        is_estimate,
        reference_period,
        content_basis,
        note_on_total,
        true as is_missing,
        printed_t,
        is_estimate as is_total_estimate,
        false as is_outside_total,
        snapshot_id
    from printed_totals
    where
        printed_t is not null
        and not exists (
            select 1 from economies
            where
                printed_totals.source = economies.source
                and printed_totals.material = economies.material
                and printed_totals.stage = economies.stage
                and printed_totals.year = economies.year
        )

)

select
    material,
    stage,
    year,
    economy_iso3,
    source,
    amount_t,
    share,
    is_missing,
    is_estimate,
    is_outside_total,
    printed_t,
    is_total_estimate,
    reference_period,
    content_basis,
    note,
    note_on_total,
    snapshot_id
from parts
