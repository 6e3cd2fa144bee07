with listed as (

    select * from {{ ref('seed_mineral_groups') }}

),

commodities as (

    select * from {{ ref('commodities') }}

),

of_one_code as (

    select
        'hs_' || hs6_code as mineral_group,
        left(hs6_code, 4) || '.' || right(hs6_code, 2) as printed_code,
        arg_max(description, hs_revision) as description
    from commodities
    group by hs6_code

),

mineral_groups as (

    select
        mineral_group,
        name,
        name_ja
    from listed
    union all
    select
        mineral_group,
        description || ' (HS ' || printed_code || ')' as name,
        'HS番号 ' || printed_code || '（' || description || '）' as name_ja
    from of_one_code
    where mineral_group not in (select listed.mineral_group from listed)

)

select
    mineral_group,
    name,
    name_ja
from mineral_groups
