with mineral_group_codes as (

    select
        mineral_group,
        hs6_code,
        hs_revision
    from {{ ref('seed_mineral_group_codes') }}

)

select * from mineral_group_codes
