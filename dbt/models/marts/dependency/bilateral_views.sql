with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}

),

reasons as (

    select * from {{ ref('int_trade__explain_gaps') }}

),

report_snapshots as (

    select * from {{ ref('int_trade__list_report_snapshots') }}

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

baci_flows as (

    select * from {{ ref('baci_flows') }}

),

-- Of BACI only these are read: it has many more codes and years.
codes as (

    select distinct
        hs6_code,
        year
    from flows

),

baci_flows_of_codes as (

    select baci_flows.*
    from baci_flows
    semi join codes
        on baci_flows.hs6_code = codes.hs6_code and baci_flows.year = codes.year

),

-- BACI has other editions of the HS for earlier years: not where a code has other goods in them.
estimated as (

    select flows_of_codes.*
    from baci_flows_of_codes as flows_of_codes
    where
        not exists (
            select 1
            from breaks
            where
                flows_of_codes.hs6_code = breaks.hs6_code
                and {{
                    is_across_a_break(
                        'breaks', 'flows_of_codes.hs_revision', 'flows_of_codes.year',
                        'coalesce(' ~ target_edition('flows_of_codes.year')
                        ~ ', flows_of_codes.hs_revision)', 'flows_of_codes.year'
                    )
                }}
        )

),

reported as (

    select
        flows.*,
        reasons.reason,
        reasons.weight_reason,
        {{ snapshots_of_reports() }} as snapshot_ids
    from flows
    inner join reasons
        on
            flows.exporter_iso3 = reasons.exporter_iso3
            and flows.importer_iso3 = reasons.importer_iso3
            and flows.hs6_code = reasons.hs6_code
            and flows.year = reasons.year
    {{ join_report_snapshots('flows', 'report_snapshots') }}

)

select
    coalesce(reported.exporter_iso3, estimated.exporter_iso3) as exporter_iso3,
    coalesce(reported.importer_iso3, estimated.importer_iso3) as importer_iso3,
    coalesce(reported.hs6_code, estimated.hs6_code) as hs6_code,
    coalesce(reported.year, estimated.year) as year,
    reported.declared_exporter_usd as exporter_value_usd,
    reported.declared_importer_usd as importer_value_usd,
    reported.value_usd as reconciled_value_usd,
    estimated.value_usd as baci_value_usd,
    reported.declared_exporter_kg as exporter_weight_kg,
    reported.declared_importer_kg as importer_weight_kg,
    reported.net_weight_kg as reconciled_weight_kg,
    estimated.net_weight_kg as baci_weight_kg,
    reported.mirror_gap_ln,
    reported.reason,
    reported.weight_reason,
    reported.hs_revision,
    estimated.hs_revision as baci_hs_revision,
    coalesce(reported.is_hub, false) as is_hub,
    case
        when estimated.snapshot_id is null then reported.snapshot_ids
        when reported.snapshot_ids is null then [estimated.snapshot_id]
        else list_sort(list_append(reported.snapshot_ids, estimated.snapshot_id))
    end as snapshot_ids
from reported
full outer join estimated
    on
        reported.exporter_iso3 = estimated.exporter_iso3
        and reported.importer_iso3 = estimated.importer_iso3
        and reported.hs6_code = estimated.hs6_code
        and reported.year = estimated.year
