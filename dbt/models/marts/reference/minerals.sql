with minerals as (

    select
        mineral,
        symbol,
        name,
        name_ja,
        family,
        is_rare_earth
    from {{ ref('seed_minerals') }}

)

select * from minerals
