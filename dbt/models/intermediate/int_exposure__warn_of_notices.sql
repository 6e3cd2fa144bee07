with notices as (

    select * from {{ ref('notices') }}
    where
        state = 'to_be_read'
        and known_at >= {{ as_of_day() }} - interval {{ warning_rule('days_since') }} day

),

publishers as (

    select * from {{ source('runtime', 'sources') }}

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

),

on_codes as (

    select
        notices.source,
        notices.notice_id,
        notices.implementer_iso3,
        cast(date_trunc('month', notices.known_at) as date) as period_start,
        coalesce(publishers.is_redistributable, false) as is_public,
        notices.snapshot_ids,
        unnest(notices.commodity_codes) as commodity_code
    from notices
    left join publishers on notices.source = publishers.source

),

-- An act is no news to the economy that took it. What may not be passed on is counted where it is
-- alone: a row with it is in no public copy, and would take the others along.
for_importers as (

    select
        importers.importer_iso3,
        on_codes.*
    from on_codes
    inner join importers
        on
            on_codes.commodity_code = importers.commodity_code
            and on_codes.implementer_iso3 is distinct from importers.importer_iso3
    qualify
        on_codes.is_public = bool_or(on_codes.is_public) over (
            partition by
                importers.importer_iso3, on_codes.commodity_code, on_codes.period_start
        )

),

by_month as (

    select
        importer_iso3,
        commodity_code,
        period_start,
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
    from for_importers
    group by importer_iso3, commodity_code, period_start

)

select
    by_month.importer_iso3,
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
    by_month.source,
    false as is_provisional,
    by_month.snapshot_ids,
    {{ sentence('warnings.of_notices', {
        'notices': 'by_month.notices',
        'names': 'by_month.names',
        'commodity': 'by_month.commodity_code',
        'importer': 'economies.name',
        'period': as_period('by_month.period_start', "'M'"),
    }) }} as explanation
from by_month
inner join economies on by_month.importer_iso3 = economies.economy_iso3
