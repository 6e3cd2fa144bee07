with measures as (

    select * from {{ ref('measures') }}

),

statuses as (

    select * from {{ ref('measure_status') }}
    where status = 'in_force'

),

scope as (

    select * from {{ ref('measure_scope') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

economies as (

    select * from {{ ref('economies') }}

),

materials as (

    select distinct
        material,
        mineral
    from {{ ref('materials') }}
    where left_out is null and mineral is not null

),

-- Rare earths as one material are restricted where one of them is.
minerals_of_materials as (

    select
        material,
        mineral
    from materials
    union distinct
    select
        'rare_earths' as material,
        mineral
    from minerals
    where is_rare_earth

),

restricted_minerals as (

    select
        scope.clause_id,
        scope.mineral
    from scope
    union distinct
    select
        scope.clause_id,
        minerals.mineral
    from scope
    inner join minerals on scope.mineral = 'all_rare_earths' and minerals.is_rare_earth

),

years as (

    select unnest(range(2010, extract(year from {{ as_of_day() }}) + 1)) as year

)

-- A restriction of single buyers or uses does not restrict the material.
select distinct
    years.year,
    minerals_of_materials.material,
    measures.implementer_iso3 as supplier_iso3,
    economies.economy_iso3 as consumer_iso3
from measures
inner join economies
    on
        measures.target_iso3 in ('ALL', economies.economy_iso3)
        and measures.implementer_iso3 <> economies.economy_iso3
        and economies.economy_iso3 not in ('_X', 'WLD')
inner join statuses on measures.clause_id = statuses.clause_id
inner join years
    on
        make_date(cast(years.year as integer), 12, 31) >= statuses.valid_from
        and (
            statuses.valid_to is null
            or make_date(cast(years.year as integer), 12, 31) < statuses.valid_to
        )
inner join restricted_minerals on measures.clause_id = restricted_minerals.clause_id
inner join minerals_of_materials on restricted_minerals.mineral = minerals_of_materials.mineral
where
    measures.direction = 'restrict'
    and measures.reach = 'direct'
    and measures.target_class in ('all', 'economy')
