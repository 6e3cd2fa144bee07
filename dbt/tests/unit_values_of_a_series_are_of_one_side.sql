-- China's exports and what others import from elsewhere are two prices: no series has both, nor two
-- reporters, codes, valuations or publishers.
with unit_values as (

    select * from {{ ref('int_market__derive_unit_values') }}

)

select
    instrument,
    list(distinct side) as sides,
    list(distinct reporter_iso3) as reporters,
    list(distinct commodity_code) as codes,
    list(distinct valuation) as valuations,
    list(distinct source) as sources
from unit_values
group by instrument
having
    count(distinct side) <> 1
    or count(distinct reporter_iso3) <> 1
    or count(distinct commodity_code) <> 1
    or count(distinct valuation) <> 1
    or count(distinct source) <> 1
    or (min(side) = 'china_fob') <> (min(reporter_iso3) = 'CHN' and min(valuation) = 'FOB')
