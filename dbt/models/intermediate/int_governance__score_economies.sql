with scores as (

    select
        indicator,
        economy_iso3,
        year,
        estimate,
        vintage_at,
        snapshot_id
    from {{ ref('stg_lake__governance_scores') }}
    -- The scale is that of the World Governance Indicators.
    where source = 'wgi'

),

latest as (

    {{ latest_vintage('scores', ['indicator', 'economy_iso3', 'year'], as_of_end()) }}

),

-- With one of the six missing, the mean would be of another thing.
means as (

    select
        economy_iso3,
        year,
        {{ sum_in_order('estimate') }} / 6 as mean_estimate
    from latest
    group by economy_iso3, year
    having count(distinct indicator) = 6

),

weighted as (

    select
        economy_iso3,
        year,
        mean_estimate,
        {{ governance_weight('mean_estimate') }} as governance_weight
    from means

)

select * from weighted
