with estimates as (

    select * from {{ ref('stg_lake__element_abundance') }}

),

-- Most carbon of the crust is carbonate: its abundance is not that of graphite.
minerals as (

    select * from {{ ref('minerals') }}
    where mineral <> 'graphite'

),

abundance as (

    select
        minerals.mineral,
        estimates.element,
        min(estimates.abundance_ppm) as crust_ppm_low,
        max(estimates.abundance_ppm) as crust_ppm_high,
        estimates.source
    from estimates
    inner join minerals on estimates.element = minerals.symbol
    group by minerals.mineral, estimates.element, estimates.source

)

select
    mineral,
    element,
    crust_ppm_low,
    crust_ppm_high,
    source
from abundance
