with assumptions as (

    select * from {{ ref('relief_assumptions') }}

),

import_reliance as (

    select * from {{ ref('import_reliance') }}

),

materials as (

    select unnest({{ materials_with_codes() }}) as material

),

groups as (

    select
        material,
        {{ group_of_material('material') }} as mineral_group
    from materials

),

cited as (

    select
        importer_iso3,
        material,
        low as consumption_t,
        cast(null as integer) as consumption_year,
        'cited' as consumption_basis,
        cast(null as varchar) as reason,
        cast([] as varchar[]) as snapshot_ids
    from assumptions
    where assumption = 'consumption_t'

),

-- Of the newest year: what is used where production and exports are known, else what is imported.
-- A net exporter's use is not known from trade.
computed as (

    select
        import_reliance.economy_iso3 as importer_iso3,
        groups.material,
        case
            when import_reliance.production_t is null then 'production_not_known'
            when import_reliance.exports_t is null then 'exports_not_known'
            when
                import_reliance.imports_t + import_reliance.production_t
                <= import_reliance.exports_t
                then 'net_exporter'
        end as reason_of_use,
        case
            when reason_of_use in ('production_not_known', 'exports_not_known')
                then import_reliance.imports_t
            when reason_of_use is null
                then
                    import_reliance.imports_t
                    + import_reliance.production_t
                    - import_reliance.exports_t
        end as consumption_t,
        reason_of_use as reason,
        import_reliance.year as consumption_year,
        case
            when reason_of_use in ('production_not_known', 'exports_not_known') then 'imports_alone'
            when reason_of_use is null then 'imports_production_exports'
        end as consumption_basis,
        import_reliance.snapshot_ids
    from import_reliance
    inner join groups on import_reliance.mineral_group = groups.mineral_group
    where import_reliance.imports_t > 0
    qualify
        row_number() over (
            partition by import_reliance.economy_iso3, groups.material
            order by import_reliance.year desc
        ) = 1

),

together as (

    select
        *,
        1 as precedence
    from cited
    union all by name
    select
        * exclude (reason_of_use),
        2 as precedence
    from computed

)

select
    importer_iso3,
    material,
    consumption_t,
    consumption_year,
    consumption_basis,
    reason,
    snapshot_ids
from together
qualify row_number() over (partition by importer_iso3, material order by precedence) = 1
