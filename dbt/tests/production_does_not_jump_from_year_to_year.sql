-- An economy's figure that is a hundred times, or a hundredth, of the one of the year before is
-- mostly a wrong unit (thousands for tons) in the edition of one of the two: check the publisher's
-- page. A jump from ten tons or less is a plant that opened.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'stg_lake__production'}}}) }}

with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

latest as (

    {{ latest_production('figures', 'labels') }}

),

steps as (

    select
        source,
        material,
        stage,
        scope_iso3,
        economy_iso3,
        year,
        edition,
        amount_t,
        lag(year) over figures_of_economy as previous_year,
        lag(edition) over figures_of_economy as previous_edition,
        lag(amount_t) over figures_of_economy as previous_amount_t
    from latest
    where amount_t is not null
    window
        figures_of_economy as (
            partition by source, material, stage, scope_iso3, economy_iso3
            order by year
        )

)

select
    source,
    material,
    stage,
    scope_iso3,
    economy_iso3,
    previous_year,
    previous_edition,
    previous_amount_t,
    year,
    edition,
    amount_t
from steps
where
    least(amount_t, previous_amount_t) > 10
    and greatest(amount_t, previous_amount_t) > 100 * least(amount_t, previous_amount_t)
