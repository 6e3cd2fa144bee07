{% set months_shown = 24 %}

with importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

flows as (

    select * from {{ ref('int_trade__choose_monthly_flows') }}

),

members as (

    select economy_iso3
    from {{ ref('economies') }}
    where is_eu27

),

-- What the supplier reports it exports of gallium, germanium and what else is in their code.
exports_to_economies as (

    select
        *,
        [snapshot_id] as snapshot_ids
    from flows
    where
        reporter_iso3 in (select importers.supplier_iso3 from importers)
        and flow = 'export'
        and commodity_code = '811292'

),

-- To the European Union it exports what it exports to the members.
exports as (

    select * from exports_to_economies
    where partner_iso3 <> 'EU27'
    union all by name
    select
        source,
        reporter_iso3,
        'EU27' as partner_iso3,
        commodity_code,
        period_start,
        case when count(*) = count(net_weight_kg) then {{ sum_in_order('net_weight_kg') }} end
            as net_weight_kg,
        max(vintage_at) as vintage_at,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from exports_to_economies
    where partner_iso3 in (select members.economy_iso3 from members)
    group by source, reporter_iso3, commodity_code, period_start

),

eras as (

    select * from {{ ref('int_trade__number_eras') }}
    where flow = 'export'

),

-- The months of the goods that are in the code now: no break lies between them.
comparable_exports as (

    select exports.*
    from exports
    left join eras
        on
            exports.source = eras.source
            and exports.reporter_iso3 = eras.reporter_iso3
            and exports.commodity_code = eras.commodity_code
            and exports.period_start = eras.period_start
    qualify
        coalesce(eras.era, 0) = last_value(coalesce(eras.era, 0)) over (
            order by exports.period_start
            rows between unbounded preceding and unbounded following
        )

),

export_months as (

    select
        cast(unnest(range(
            greatest(
                max(period_start) - interval {{ months_shown - 1 }} month, min(period_start)
            ),
            max(period_start) + interval 1 month,
            interval 1 month
        )) as date) as period_start
    from comparable_exports

),

-- Of the months the supplier has published. One without a row is one in which nothing was reported
-- for the importer, and a gap in the trend; one with a row may still lack its weight.
exports_by_month as (

    select
        importers.importer_iso3,
        export_months.period_start,
        exports.net_weight_kg,
        exports.reporter_iso3 is not null as is_reported,
        exports.source,
        exports.vintage_at,
        exports.snapshot_ids,
        row_number() over (
            partition by importers.importer_iso3
            order by export_months.period_start desc
        ) <= {{ months_shown // 2 }} as is_latest_year
    from importers
    cross join export_months
    left join comparable_exports as exports
        on
            importers.importer_iso3 = exports.partner_iso3
            and export_months.period_start = exports.period_start

),

exports_together as (

    select
        importer_iso3,
        sum(net_weight_kg) filter (where is_latest_year) / 1000 as amount_t,
        count(*) filter (where is_latest_year) as months,
        count(*) filter (where is_latest_year and is_reported) as months_reported,
        count(*) filter (where is_latest_year and is_reported and net_weight_kg is null)
            as months_without_weight,
        sum(net_weight_kg) filter (where not is_latest_year) / 1000 as amount_before_t,
        count(*) filter (where not is_latest_year) as months_before,
        count(*) filter (where not is_latest_year and is_reported and net_weight_kg is null)
            as months_before_without_weight,
        min(period_start) filter (where is_latest_year) as first_month,
        max(period_start) as last_month,
        list(net_weight_kg / 1000 order by period_start) as trend,
        min(period_start) as trend_from,
        max(source) as source,
        max(vintage_at) as vintage_at,
        nullif({{ union_of_snapshots('snapshot_ids') }}, []) as snapshot_ids
    from exports_by_month
    group by importer_iso3

)

select
    importers.importer_iso3,
    10 as position,
    {{ sentence('answers.supplier_exports', {
        'supplier': 'importers.supplier_name',
        'importer': 'importers.importer_name',
    }) }} as subject,
    exports_together.amount_t as figure,
    't' as unit,
    strftime(exports_together.first_month, '%Y-%m')
    || strftime(exports_together.last_month, '/%Y-%m') as period,
    {{ sentence('answers.supplier_exports_detail', {
        'months': 'exports_together.months',
        'months_reported': 'exports_together.months_reported',
        'months_without_weight': 'exports_together.months_without_weight',
        'months_before': 'exports_together.months_before',
        'months_before_without_weight': 'exports_together.months_before_without_weight',
        'amount_before_t': 'exports_together.amount_before_t',
        'has_source': 'exports_together.source is not null',
        'span': months_shown // 2,
    }) }} as detail,
    case when exports_together.source is not null then exports_together.trend end as trend,
    case
        when exports_together.source is not null
            then strftime(exports_together.trend_from, '%Y-%m')
    end as trend_from,
    exports_together.source,
    exports_together.vintage_at,
    exports_together.snapshot_ids
from importers
left join exports_together on importers.importer_iso3 = exports_together.importer_iso3
where importers.importer_iso3 <> importers.supplier_iso3
