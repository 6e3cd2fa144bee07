with listed as (

    select * from {{ ref('seed_mineral_group_codes') }}

),

commodities as (

    select * from {{ ref('commodities') }}

),

of_one_code as (

    select
        'hs_' || hs6_code as mineral_group,
        hs6_code,
        hs_revision
    from commodities

),

mineral_group_codes as (

    select
        mineral_group,
        hs6_code,
        hs_revision
    from listed
    union all
    select
        mineral_group,
        hs6_code,
        hs_revision
    from of_one_code
    where mineral_group not in (select listed.mineral_group from listed)

)

select
    mineral_group,
    hs6_code,
    hs_revision
from mineral_group_codes
