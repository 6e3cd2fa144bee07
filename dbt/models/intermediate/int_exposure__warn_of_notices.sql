with notices as (

    select * from {{ ref('notices') }}
    where state = 'to_be_read'

),

supplier_shares as (

    select * from {{ ref('supplier_shares') }}

),

imports_by_month as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}
    where flow = 'import'

),

economies as (

    select * from {{ ref('economies') }}

),

on_codes as (

    select
        source,
        notice_id,
        implementer_iso3,
        coalesce(published_at, cast(read_at as date)) as notice_day,
        snapshot_ids,
        unnest(commodity_codes) as commodity_code
    from notices

),

by_month as (

    select
        commodity_code,
        cast(date_trunc('month', notice_day) as date) as period_start,
        count(*) as notices,
        list_sort(list(distinct source || ' ' || notice_id)) as names,
        string_agg(distinct source, ', ' order by source) as source,
        -- Of several economies, or of an unnamed one, it is nobody's.
        case
            when count(distinct implementer_iso3) = 1 and bool_and(implementer_iso3 is not null)
                then min(implementer_iso3)
            else 'WLD'
        end as implementer_iso3,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from on_codes
    group by commodity_code, cast(date_trunc('month', notice_day) as date)

),

-- Who has imported the code in the last years, by its own figures or a reconciler's.
imports as (

    select
        {{ commodity_of_group('mineral_group') }} as commodity_code,
        importer_iso3,
        period_start
    from supplier_shares
    where starts_with(mineral_group, 'hs_') and amount > 0
    union all
    select
        commodity_code,
        importer_iso3,
        period_start
    from imports_by_month
    where coalesce(value_usd, net_weight_kg) > 0

),

importers as (

    select
        commodity_code,
        importer_iso3
    from imports
    where
        period_start
        >= {{ as_of_day() }} - interval {{ warning_rule('years_of_flows') }} year
    group by commodity_code, importer_iso3

)

-- An act is no news to the economy that took it.
select
    importers.importer_iso3,
    by_month.commodity_code,
    'M' as frequency,
    by_month.period_start,
    'new_notice' as signal,
    '' as clause_id,
    by_month.implementer_iso3 as supplier_iso3,
    'medium' as severity,
    by_month.notices as value,
    1 as threshold,
    'notices' as unit,
    {{ sentence('warnings.of_notices', {
        'notices': 'by_month.notices',
        'names': 'by_month.names',
        'commodity': 'by_month.commodity_code',
        'importer': 'economies.name',
        'period': as_period('by_month.period_start', "'M'"),
    }) }} as explanation,
    by_month.source,
    false as is_provisional,
    by_month.snapshot_ids
from by_month
inner join importers on by_month.commodity_code = importers.commodity_code
inner join economies on importers.importer_iso3 = economies.economy_iso3
where importers.importer_iso3 <> by_month.implementer_iso3
