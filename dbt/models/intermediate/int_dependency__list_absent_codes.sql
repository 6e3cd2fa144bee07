with totals as (

    select distinct
        group_number,
        series_number,
        importer_iso3
    from {{ ref('int_dependency__sum_series') }}

),

own_reconciliation as (

    select * from {{ ref('int_dependency__list_reconciled_importers') }}

),

series as (

    select * from {{ ref('int_dependency__number_series') }}
    qualify count(*) over (partition by group_number) > 1

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where flow = 'import' and not is_basket

),

disagreeing_totals as (

    select * from {{ ref('int_trade__list_disagreeing_totals') }}
    where measure = 'value_usd' and flow = 'import'

),

snapshots as (

    select * from {{ source('runtime', 'trade_snapshots') }}

),

editions as (

    select
        hs6_code,
        min(hs_revision) as first_revision,
        max(hs_revision) as last_revision
    from {{ ref('commodities') }}
    group by hs6_code

),

importers as (

    select distinct
        totals.group_number,
        totals.importer_iso3
    from totals
    where totals.group_number in (select series.group_number from series)

),

absent as (

    select
        series.*,
        importers.importer_iso3
    from importers
    inner join series on importers.group_number = series.group_number
    anti join totals
        on
            series.series_number = totals.series_number
            and importers.importer_iso3 = totals.importer_iso3

),

-- What a document of a publisher has, of any reporter.
codes_of_documents as (

    select
        flows.source,
        snapshots.document,
        flows.commodity_code,
        min(flows.hs_revision) as first_revision,
        max(flows.hs_revision) as last_revision
    from flows
    inner join snapshots on flows.snapshot_id = snapshots.snapshot_id
    group by flows.source, snapshots.document, flows.commodity_code

),

reports as (

    select distinct
        flows.source,
        flows.reporter_iso3,
        flows.frequency,
        flows.period_start,
        flows.hs_revision,
        snapshots.document,
        snapshots.commodity_codes
    from flows
    inner join snapshots on flows.snapshot_id = snapshots.snapshot_id

),

-- A report says something of the codes that were asked for and that its edition has, or else of
-- those that its document has, in the editions in which it has them.
reported_absent as (

    select distinct
        absent.series_number,
        absent.group_number,
        absent.importer_iso3
    from absent
    inner join reports
        on
            absent.source = reports.source
            and absent.importer_iso3 = reports.reporter_iso3
            and absent.frequency = reports.frequency
            and absent.period_start = reports.period_start
    left join codes_of_documents as listed
        on
            reports.source = listed.source
            and reports.document = listed.document
            and absent.commodity_code = listed.commodity_code
            and reports.hs_revision between listed.first_revision and listed.last_revision
    left join editions
        on
            absent.commodity_code = editions.hs6_code
            and reports.hs_revision between editions.first_revision and editions.last_revision
    anti join disagreeing_totals
        on
            absent.source = disagreeing_totals.source
            and absent.importer_iso3 = disagreeing_totals.reporter_iso3
            and absent.commodity_code = disagreeing_totals.commodity_code
            and absent.frequency = disagreeing_totals.frequency
            and absent.period_start = disagreeing_totals.period_start
    where
        absent.hs_revision is null
        and case
            when reports.commodity_codes is null then listed.commodity_code is not null
            else
                list_contains(reports.commodity_codes, absent.commodity_code)
                and editions.hs6_code is not null
        end

),

-- A reconciler has all the trade of a code; a list of its largest flows does not, and our own that
-- of the importers whose imports are known.
reconciled_absent as (

    select
        absent.series_number,
        absent.group_number,
        absent.importer_iso3
    from absent
    left join precedence on absent.source = precedence.source
    left join own_reconciliation
        on
            absent.source = 'reconciled'
            and absent.importer_iso3 = own_reconciliation.importer_iso3
            and absent.commodity_code = own_reconciliation.hs6_code
            and year(absent.period_start) = own_reconciliation.year
    where
        absent.hs_revision is not null
        and not coalesce(precedence.is_cut_list, false)
        and (absent.source <> 'reconciled' or own_reconciliation.year is not null)

),

together as (

    select * from reported_absent
    union all
    select * from reconciled_absent

)

select
    series_number,
    group_number,
    importer_iso3
from together
