{% set names_shown = 3 %}
{# A year's imports of a code in USD. Less depends on a single order: tin ore for 42,000 dollars. #}
{% set least_imports_usd = 1000000 %}
{# Part of the codes of an importer's fullest year that a year has figures of. #}
{% set most_codes = 0.8 %}

with economies as (

    select * from {{ ref('economies') }}

),

totals as (

    select * from {{ ref('import_concentration') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

commodity_minerals as (

    select * from {{ ref('commodity_minerals') }}

),

commodities as (

    select * from {{ ref('commodities') }}

),

sources as (

    select * from {{ ref('sources') }}

),

vintages as (

    select * from {{ ref('int_answers__date_imports') }}

),

alternatives as (

    select * from {{ ref('alternatives') }}

),

-- All but the supplier itself.
importers as (

    select * from {{ ref('int_answers__list_importers') }}
    where importer_iso3 <> supplier_iso3

),

-- A code is named by its mineral where it has one, else by its goods.
code_names as (

    select
        coalesce(commodities.hs6_code, commodity_minerals.hs6_code) as hs6_code,
        coalesce(
            case when count(distinct minerals.mineral) = 1 then max(minerals.name) end,
            arg_max(split_part(commodities.description, ';', 1), commodities.hs_revision)
        ) as name
    from commodities
    full join commodity_minerals on commodities.hs6_code = commodity_minerals.hs6_code
    left join minerals on commodity_minerals.mineral = minerals.mineral
    group by coalesce(commodities.hs6_code, commodity_minerals.hs6_code)

),

-- The largest exporter that neither leads already nor restricts, as far as is known.
next_exporters as (

    select
        importer_iso3,
        hs6_code,
        supplier_iso3,
        share_of_world,
        list_filter(
            snapshot_ids, lambda snapshot_id: starts_with(snapshot_id, source || '-')
        ) as snapshot_ids
    from alternatives
    where
        supplier_iso3 is distinct from top_supplier_iso3
        and len(clauses_in_force || clauses_unknown) = 0
    qualify
        row_number() over (partition by importer_iso3, hs6_code order by supplier_rank) = 1

),

-- The newest year with figures of most of the codes: a newer one may hold those of a few.
codes_by_year as (

    select
        importer_iso3,
        period_start,
        count(*) >= {{ most_codes }} * max(count(*)) over (partition by importer_iso3) as is_full
    from totals
    where
        frequency = 'A'
        and measure = 'value_usd'
        and starts_with(mineral_group, 'hs_')
    group by importer_iso3, period_start

),

latest_codes as (

    select
        importer_iso3,
        max(period_start) as period_start
    from codes_by_year
    where is_full
    group by importer_iso3

),

codes as (

    select
        totals.importer_iso3,
        totals.top_supplier_iso3,
        totals.top_supplier_share,
        totals.top_supplier_iso3 = importers.supplier_iso3 as is_led_by_supplier,
        totals.source,
        totals.snapshot_ids,
        year(totals.period_start) as year,
        code_names.name,
        replace(totals.mineral_group, 'hs_', '') as hs6_code,
        row_number() over (
            partition by totals.importer_iso3
            order by totals.top_supplier_share desc nulls last, totals.mineral_group asc
        ) as concentration_rank
    from totals
    inner join importers on totals.importer_iso3 = importers.importer_iso3
    inner join latest_codes
        on
            totals.importer_iso3 = latest_codes.importer_iso3
            and totals.period_start = latest_codes.period_start
    left join code_names on totals.mineral_group = 'hs_' || code_names.hs6_code
    where
        totals.frequency = 'A'
        and totals.measure = 'value_usd'
        and starts_with(totals.mineral_group, 'hs_')
        and totals.total_amount >= {{ least_imports_usd }}

),

codes_together as (

    select
        codes.importer_iso3,
        count(*) filter (where codes.is_led_by_supplier) as led_by_supplier,
        count(*) as codes,
        max(codes.year) as year,
        list(
            struct_pack(
                name := codes.name,
                hs6_code := codes.hs6_code,
                supplier := economies.name,
                share := codes.top_supplier_share,
                other := next_economies.name,
                share_of_world := next_exporters.share_of_world
            )
            order by codes.concentration_rank
        ) filter (where codes.concentration_rank <= {{ names_shown }}) as largest,
        string_agg(distinct codes.source, ', ' order by codes.source) as source,
        max(coalesce(vintages.vintage_at, sources.last_vintage_at)) as vintage_at,
        {{ union_of(
            'list(codes.snapshot_ids) || coalesce(list(next_exporters.snapshot_ids) filter ('
            'where codes.concentration_rank <= ' ~ names_shown ~ '), [])'
        ) }} as snapshot_ids
    from codes
    left join economies on codes.top_supplier_iso3 = economies.economy_iso3
    left join next_exporters
        on
            codes.importer_iso3 = next_exporters.importer_iso3
            and codes.hs6_code = next_exporters.hs6_code
    left join economies as next_economies
        on next_exporters.supplier_iso3 = next_economies.economy_iso3
    left join vintages
        on
            codes.source = vintages.source
            and codes.importer_iso3 = vintages.importer_iso3
            and codes.year = vintages.year
    left join sources on codes.source = sources.source
    group by codes.importer_iso3

)

select
    importers.importer_iso3,
    5 as position,
    {{ sentence('answers.codes', {
        'supplier': 'importers.supplier_name',
    }) }} as subject,
    cast(codes_together.led_by_supplier as double) as figure,
    'codes' as unit,
    cast(codes_together.year as varchar) as period,
    {{ sentence('answers.codes_detail', {
        'codes': 'codes_together.codes',
        'largest': 'codes_together.largest',
        'is_importer': 'latest_codes.importer_iso3 is not null',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    codes_together.source,
    codes_together.vintage_at,
    codes_together.snapshot_ids
from importers
left join codes_together on importers.importer_iso3 = codes_together.importer_iso3
left join latest_codes on importers.importer_iso3 = latest_codes.importer_iso3
