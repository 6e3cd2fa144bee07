with labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

-- A claim that names no period is about the moment it was made.
claims as (

    select distinct
        claim_id,
        {{ judged_as_of() }} as judged_as_of,
        stage
    from {{ ref('stg_lake__claims') }}
    where test = 'production_share' and period_start is null

),

-- What was known on the day a claim was made is in the lake only: a later edition has replaced it.
figures_then as (

    select
        claims.claim_id,
        figures.*
    from claims
    inner join {{ source('lake', 'production') }} as figures
        on
            claims.stage = figures.stage
            and {{ was_known_on('claims.judged_as_of', 'figures.vintage_at') }}
    where figures.scope_iso3 = 'WLD'

),

latest_then as (

    {{ latest_production('figures_then', 'labels', per=['claim_id']) }}

),

-- A share as printed, or of a printed total.
shares_then as (

    select
        latest_then.claim_id,
        latest_then.source,
        latest_then.material,
        latest_then.stage,
        latest_then.year,
        latest_then.reference_period,
        latest_then.economy_iso3,
        coalesce(latest_then.share, latest_then.amount_t / world.amount_t) as share,
        [latest_then.snapshot_id] as snapshot_ids
    from latest_then
    left join latest_then as world
        on
            latest_then.claim_id = world.claim_id
            and latest_then.source = world.source
            and latest_then.material = world.material
            and latest_then.stage = world.stage
            and latest_then.year = world.year
            and world.economy_iso3 = 'WLD'
            and world.bound in ('exact', 'range')
            and world.amount_t > 0

)

select
    claim_id,
    source,
    material,
    stage,
    year,
    reference_period,
    economy_iso3,
    share,
    snapshot_ids
from shares_then
