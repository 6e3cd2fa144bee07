with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}
    where value_usd is not null

),

report_snapshots as (

    select * from {{ ref('int_trade__list_report_snapshots') }}

)

select
    flows.exporter_iso3,
    flows.importer_iso3,
    flows.hs6_code,
    flows.hs_revision,
    flows.year,
    flows.value_usd,
    flows.net_weight_kg,
    flows.basis,
    flows.declared_exporter_usd as exporter_value_usd,
    flows.declared_importer_usd as importer_value_usd,
    flows.mirror_gap_ln,
    flows.is_conflict,
    flows.exporter_weight_share,
    flows.cif_markup_ln,
    flows.exporter_error_variance,
    flows.importer_error_variance,
    flows.is_hub,
    flows.re_exported_usd,
    flows.is_of_two_editions,
    flows.is_provisional,
    flows.vintage_at,
    {{ snapshots_of_reports() }} as snapshot_ids
from flows
{{ join_report_snapshots('flows', 'report_snapshots') }}
