with scored_periods as (

    select * from {{ ref('int_exposure__score_periods') }}

),

of_clauses as (

    select * from {{ ref('int_exposure__warn_of_clauses') }}

),

notices as (

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

-- What the importer declares goes before what its suppliers do, and of these the gravest.
fired as (

    select *
    from scored_periods
    where has_fired
    qualify
        row_number() over (
            partition by importer_iso3, commodity_code, frequency, period_start, signal
            order by
                supplier_iso3 <> 'WLD' asc,
                scaled_mads desc nulls first,
                supplier_iso3 asc,
                source asc
        ) = 1

),

of_periods as (

    select
        fired.importer_iso3,
        fired.commodity_code,
        fired.frequency,
        fired.period_start,
        fired.signal,
        '' as clause_id,
        fired.supplier_iso3,
        case
            when fired.scaled_mads is null then 'high'
            else {{ severity_of_deviation('fired.scaled_mads') }}
        end as severity,
        fired.value,
        fired.threshold,
        fired.unit,
        fired.usual,
        fired.scaled_mads,
        fired.observations,
        fired.basis,
        fired.source,
        fired.is_provisional,
        fired.snapshot_ids,
        {{ sentence('warnings.of_figure', {
            'signal': 'fired.signal',
            'commodity': 'fired.commodity_code',
            'importer': "case when fired.importer_iso3 <> 'WLD' then importers.name end",
            'supplier': "case when fired.supplier_iso3 <> 'WLD' then suppliers.name end",
            'first_supplier': 'first_suppliers.name',
            'period': as_period('fired.period_start', 'fired.frequency'),
            'frequency': 'fired.frequency',
            'value': 'fired.value',
            'usual': 'fired.usual',
            'threshold': 'fired.threshold',
            'unit': 'fired.unit',
            'observations': 'fired.observations',
            'basis': 'fired.basis',
        }) }} as explanation
    from fired
    inner join economies as importers on fired.importer_iso3 = importers.economy_iso3
    inner join economies as suppliers on fired.supplier_iso3 = suppliers.economy_iso3
    left join economies as first_suppliers
        on fired.top_supplier_iso3 = first_suppliers.economy_iso3

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

),

-- An act is no news to the economy that took it.
of_notices as (

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

),

warnings as (

    select * from of_periods
    union all by name
    select * from of_clauses
    union all by name
    select * from of_notices

)

select
    importer_iso3,
    commodity_code,
    frequency,
    period_start,
    signal,
    clause_id,
    supplier_iso3,
    severity,
    cast(value as double) as value,
    cast(threshold as double) as threshold,
    unit,
    cast(usual as double) as usual,
    cast(scaled_mads as double) as scaled_mads,
    basis,
    cast(observations as integer) as observations,
    explanation,
    source,
    is_provisional,
    snapshot_ids
from warnings
