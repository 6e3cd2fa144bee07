with codes as (

    select
        *,
        valid_from > date '1988-01-01' as is_valid_from_known
    from {{ ref('stg_lake__economy_codes') }}

)

-- Where the first day is not known it is that of the scheme: the Harmonized System began with 1988,
-- ComexStat's files begin with 1997.
select
    scheme,
    code,
    economy_iso3,
    name,
    case
        when not is_valid_from_known and scheme = 'comexstat' then date '1997-01-01'
        else valid_from
    end as valid_from,
    is_valid_from_known,
    valid_to
from codes
