with listed as (

    select * from {{ ref('seed_mineral_groups') }}

),

commodities as (

    select * from {{ ref('commodities') }}

),

group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

baskets_within_codes as (

    select * from {{ ref('seed_baskets_within_codes') }}

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

),

codes as (

    select distinct
        mineral_group,
        hs6_code
    from group_codes
    union distinct
    -- A group that is a part of one code is in every group with that code.
    select
        mineral_group,
        hs6_code
    from baskets_within_codes

),

parts as (

    select
        *,
        count(*) over (partition by mineral_group) as codes
    from codes

),

wholes as (

    select distinct
        mineral_group,
        hs6_code
    from group_codes

),

-- Every code of a part is one of the whole.
direct as (

    select
        parts.mineral_group,
        wholes.mineral_group as whole
    from parts
    inner join wholes
        on parts.hs6_code = wholes.hs6_code and parts.mineral_group <> wholes.mineral_group
    group by parts.mineral_group, wholes.mineral_group
    having count(*) = any_value(parts.codes)
    union
    select
        mineral_group,
        part_of as whole
    from listed
    where part_of is not null

),

-- A part of a part: a code of rare earths is in their metals and compounds, these in all forms.
direct_and_indirect as (

    select
        mineral_group,
        whole
    from direct
    union
    select
        parts.mineral_group,
        wholes.whole
    from direct as parts
    inner join direct as wholes on parts.whole = wholes.mineral_group
    where parts.mineral_group <> wholes.whole

),

wholes_of_groups as (

    select
        mineral_group,
        list(whole order by whole) as is_part_of
    from direct_and_indirect
    group by mineral_group

)

select
    mineral_groups.mineral_group,
    mineral_groups.name,
    mineral_groups.name_ja,
    coalesce(wholes_of_groups.is_part_of, []) as is_part_of
from mineral_groups
left join wholes_of_groups on mineral_groups.mineral_group = wholes_of_groups.mineral_group
