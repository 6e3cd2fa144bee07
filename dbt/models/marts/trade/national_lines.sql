with lines as (

    select * from {{ ref('int_trade__convert_national_lines') }}

),

commodities as (

    select * from {{ ref('commodities') }}

)

select
    lines.source,
    lines.reporter_iso3,
    lines.partner_iso3,
    lines.flow,
    lines.national_code,
    lines.hs6_code,
    lines.hs_revision,
    commodities.description,
    lines.period_start,
    lines.value_local,
    lines.freight_local,
    lines.insurance_local,
    lines.currency,
    lines.usd_per_unit,
    lines.value_usd,
    lines.reason,
    lines.valuation,
    lines.quantity,
    lines.quantity_unit,
    lines.net_weight_kg,
    lines.is_provisional,
    lines.vintage_at,
    lines.snapshot_id,
    lines.snapshot_ids
from lines
left join commodities
    on
        lines.hs6_code = commodities.hs6_code
        and lines.hs_revision = commodities.hs_revision
