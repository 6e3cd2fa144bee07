with flows as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where is_latest_edition

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

imports as (

    select
        source,
        economy_iso3 as importer_iso3,
        hs6_code,
        hs_revision,
        year,
        {{ sum_in_order('value_usd') }} filter (where partner_iso3 <> economy_iso3)
            as imports_usd,
        {{ sum_in_order('value_usd * value_usd') }} filter (where partner_iso3 <> economy_iso3)
            as squares,
        {{ sum_in_order('value_usd') }} filter (where partner_iso3 = economy_iso3)
            as imports_within_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from flows
    where flow = 'import'
    group by source, economy_iso3, hs6_code, hs_revision, year

),

-- With those of the European Union's members to each other.
exports as (

    select
        economy_iso3,
        hs6_code,
        year,
        {{ sum_in_order('value_usd') }} as exports_usd
    from flows
    where flow = 'export'
    group by economy_iso3, hs6_code, year

),

indicators as (

    select
        imports.importer_iso3,
        imports.hs6_code,
        imports.hs_revision,
        imports.year,
        imports.source,
        imports.imports_usd,
        exports.exports_usd,
        {{ hhi('imports.squares', 'imports.imports_usd') }} as cdi1,
        case
            when imports.importer_iso3 = 'EU27'
                then
                    imports.imports_usd
                    / (imports.imports_usd + coalesce(imports.imports_within_usd, 0))
        end as cdi2,
        imports.imports_usd / nullif(exports.exports_usd, 0) as cdi3,
        imports.snapshot_ids
    from imports
    left join exports
        on
            imports.importer_iso3 = exports.economy_iso3
            and imports.hs6_code = exports.hs6_code
            and imports.year = exports.year
    where imports.imports_usd > 0 and imports.importer_iso3 <> '_X'

),

codes as (

    select distinct
        hs6_code,
        hs_revision,
        year
    from indicators

),

-- Years on two sides of a break are not counted together.
eras as (

    select
        codes.hs6_code,
        codes.hs_revision,
        codes.year,
        count(breaks.hs6_code) as era
    from codes
    left join breaks
        on
            codes.hs6_code = breaks.hs6_code
            and codes.hs_revision = breaks.hs_revision_before
            and codes.hs_revision = breaks.hs_revision_after
            and codes.year >= breaks.year_after
    group by codes.hs6_code, codes.hs_revision, codes.year

),

flagged as (

    select
        indicators.*,
        eras.era,
        {{ is_strategic_dependency('indicators.cdi1', 'indicators.cdi2', 'indicators.cdi3') }}
            as is_dependent
    from indicators
    inner join eras
        on
            indicators.hs6_code = eras.hs6_code
            and indicators.hs_revision = eras.hs_revision
            and indicators.year = eras.year

)

select
    importer_iso3,
    hs6_code,
    year,
    cdi1,
    cdi2,
    cdi3,
    is_dependent,
    case
        when cdi3 is null and cdi2 is null then 'no_exports_and_no_production_known'
        when cdi3 is null then 'no_exports'
        when cdi2 is null then 'production_not_known'
    end as reason,
    imports_usd,
    exports_usd,
    cast(count(*) filter (where is_dependent) over last_five_years as integer)
        as years_flagged_of_last_5,
    cast(count(*) over last_five_years as integer) as years_known_of_last_5,
    hs_revision,
    source,
    snapshot_ids
from flagged
window last_five_years as (
    partition by importer_iso3, hs6_code, hs_revision, era
    order by year range between 4 preceding and current row
)
