-- Quotes of a source in another unit than most (an index on another base, from a shorter file) are
-- left out of the prices. To use them, land a file that reaches as far back as the other.
{{ config(severity='warn') }}

select
    source,
    instrument,
    unit,
    count(distinct price_date) as quotes
from {{ ref('stg_lake__price_quotes') }}
group by source, instrument, unit
qualify count(*) over (partition by source, instrument) > 1
order by source asc, instrument asc, quotes desc, unit asc
