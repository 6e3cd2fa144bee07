{% set others_shown = 5 %}

with baci_flows as (

    select * from {{ ref('baci_flows') }}

),

economies as (

    select * from {{ ref('economies') }}

),

-- All but the supplier itself.
importers as (

    select * from {{ ref('int_answers__list_importers') }}
    where importer_iso3 <> supplier_iso3

),

rare_earth_codes as (

    select * from {{ ref('mineral_group_codes') }}
    where mineral_group = 'rare_earths'

),

-- Of one source, which lists every supplier it knows of each importer.
reconciled_imports as (

    select
        baci_flows.importer_iso3,
        baci_flows.exporter_iso3,
        baci_flows.value_usd,
        baci_flows.year,
        baci_flows.vintage_at,
        baci_flows.snapshot_ids
    from baci_flows
    semi join rare_earth_codes on baci_flows.hs6_code = rare_earth_codes.hs6_code
    qualify baci_flows.year = max(baci_flows.year) over ()

),

other_importers as (

    select
        importers.importer_iso3,
        flows.importer_iso3 as other_iso3,
        sum(flows.value_usd) as total_amount,
        coalesce(
            sum(flows.value_usd) filter (where flows.exporter_iso3 = importers.supplier_iso3), 0
        ) as supplied_amount,
        any_value(flows.year) as year,
        max(flows.vintage_at) as vintage_at,
        {{ union_of_snapshots('flows.snapshot_ids') }} as snapshot_ids,
        supplied_amount / total_amount as supplied_share,
        count(*) over (partition by importers.importer_iso3) as others
    from importers
    inner join reconciled_imports as flows
        on
            importers.importer_iso3 <> flows.importer_iso3
            and importers.supplier_iso3 <> flows.importer_iso3
    group by importers.importer_iso3, flows.importer_iso3
    qualify
        row_number() over (
            partition by importers.importer_iso3
            order by sum(flows.value_usd) desc, flows.importer_iso3 asc
        ) <= {{ others_shown }}

),

others_together as (

    select
        other_importers.importer_iso3,
        sum(other_importers.supplied_amount) / sum(other_importers.total_amount) as supplier_share,
        any_value(other_importers.year) as year,
        list(
            struct_pack(name := economies.name, share := other_importers.supplied_share)
            order by other_importers.total_amount desc, economies.name asc
        ) as largest,
        any_value(other_importers.others) as others,
        max(other_importers.vintage_at) as vintage_at,
        {{ union_of_snapshots('other_importers.snapshot_ids') }} as snapshot_ids
    from other_importers
    inner join economies on other_importers.other_iso3 = economies.economy_iso3
    group by other_importers.importer_iso3

)

select
    importers.importer_iso3,
    3 as position,
    {{ sentence('answers.other_importers', {
        'supplier': 'importers.supplier_name',
    }) }} as subject,
    others_together.supplier_share as figure,
    'share' as unit,
    cast(others_together.year as varchar) as period,
    {{ sentence('answers.other_importers_detail', {
        'largest': 'others_together.largest',
        'importers': 'others_together.others',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    case when others_together.year is not null then 'baci' end as source,
    others_together.vintage_at,
    others_together.snapshot_ids
from importers
left join others_together on importers.importer_iso3 = others_together.importer_iso3
