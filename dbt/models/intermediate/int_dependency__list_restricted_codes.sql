with mineral_groups as (

    select * from {{ ref('mineral_groups') }}

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

wholes as (

    select
        mineral_group,
        unnest(is_part_of) as whole
    from mineral_groups

)

-- Codes of later editions that are parts of a code are restricted in its stead.
select
    mineral_group,
    hs6_code,
    false as is_part
from group_codes
union distinct
select
    wholes.whole as mineral_group,
    group_codes.hs6_code,
    true as is_part
from wholes
inner join group_codes on wholes.mineral_group = group_codes.mineral_group
anti join group_codes as own
    on wholes.whole = own.mineral_group and group_codes.hs6_code = own.hs6_code
