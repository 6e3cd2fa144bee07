with mineral_groups as (

    select
        mineral_group,
        name,
        name_ja
    from {{ ref('seed_mineral_groups') }}

)

select * from mineral_groups
