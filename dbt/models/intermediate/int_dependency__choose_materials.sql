with production_shares as (

    select * from {{ ref('production_shares') }}

),

groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}
    where is_output

),

codes_of_groups as (

    select * from {{ ref('int_dependency__list_restricted_codes') }}

),

-- Different materials, or a mine and a refinery, are not added up.
materials_of_codes as (

    select
        codes_of_groups.hs6_code,
        any_value(groups.material) as material,
        any_value(groups.stage) as stage
    from codes_of_groups
    inner join groups on codes_of_groups.mineral_group = groups.mineral_group
    group by codes_of_groups.hs6_code
    having count(*) = 1

),

-- Of the newest year; of several publishers, the one that lists most economies.
tables as (

    select
        material,
        stage,
        year,
        source
    from production_shares
    where economy_iso3 <> '_X'
    group by material, stage, year, source
    having count(amount_t) > 0
    qualify
        row_number() over (
            partition by material, stage
            order by year desc, count(*) desc, source asc
        ) = 1

)

select
    materials_of_codes.hs6_code,
    materials_of_codes.material,
    materials_of_codes.stage,
    tables.year,
    tables.source
from materials_of_codes
left join tables
    on
        materials_of_codes.material = tables.material
        and materials_of_codes.stage = tables.stage
