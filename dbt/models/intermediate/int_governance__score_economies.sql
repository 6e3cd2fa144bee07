with scores as (

    select *
    from {{ ref('stg_lake__governance_scores') }}
    -- The scale is that of the World Governance Indicators.
    where source = 'wgi'

),

-- With one of the six missing, the mean would be of another thing.
means as (

    select
        economy_iso3,
        year,
        {{ sum_in_order('estimate') }} / 6 as mean_estimate
    from scores
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
