with trade as (

    select * from {{ ref('int_dependency__sum_group_trade') }}

),

figures as (

    select * from {{ ref('int_dependency__list_output') }}

),

-- Of several publishers, the one with amounts, and of these the one that lists most economies.
tables as (

    select
        mineral_group,
        material,
        stage,
        year,
        source,
        case
            when
                max(content_basis) in ('oxide', 'metal')
                and min(content_basis) = max(content_basis)
                then max(content_basis)
            else 'gross'
        end as mass_basis,
        bool_or(economy_iso3 = '_X' and coalesce(amount_high_t > 0, true)) as has_rest,
        max(amount_high_t) filter (where economy_iso3 = '_X') as rest_high_t,
        any_value(content_low) as content_low,
        any_value(content_high) as content_high,
        max(reference_period) as reference_period,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from figures
    where economy_iso3 <> 'EU27'
    group by mineral_group, material, stage, year, source
    qualify
        row_number() over (
            partition by mineral_group, year
            order by
                count(amount_low_t) > 0 desc, count(*) desc, source asc, material asc, stage asc
        ) = 1

),

-- Whom a list leaves out is no producer, unless another list names it.
named as (

    select distinct
        mineral_group,
        year,
        economy_iso3
    from figures
    where coalesce(amount_t > 0, share > 0, true)

),

-- Who is not listed produces nothing where the list is whole and no other names it, and else at
-- most the rest; the Union's members may be in it as well.
produced as (

    select
        trade.*,
        tables.source as production_source,
        tables.reference_period as production_period,
        tables.mass_basis as production_mass,
        tables.content_low,
        tables.content_high,
        tables.snapshot_ids as production_snapshot_ids,
        listed.economy_iso3 is null or trade.economy_iso3 = 'EU27' as may_be_in_rest,
        tables.has_rest and may_be_in_rest as is_in_rest,
        listed.economy_iso3 is null and not tables.has_rest and named.economy_iso3 is not null
            as is_left_out,
        case
            when tables.source is null or is_in_rest or is_left_out then null
            when listed.economy_iso3 is null then 0
            else listed.amount_t
        end as production_t,
        case when tables.source is not null then coalesce(listed.amount_low_t, 0) end
            as production_low_t,
        case
            when tables.source is null or is_left_out then null
            when listed.economy_iso3 is null and not tables.has_rest then 0
            else
                case when listed.economy_iso3 is null then 0 else listed.amount_high_t end
                + case when is_in_rest then tables.rest_high_t else 0 end
        end as production_high_t
    from trade
    left join tables
        on
            trade.mineral_group = tables.mineral_group
            and trade.year = tables.year
    left join figures as listed
        on
            tables.mineral_group = listed.mineral_group
            and tables.material = listed.material
            and tables.stage = listed.stage
            and tables.year = listed.year
            and tables.source = listed.source
            and trade.economy_iso3 = listed.economy_iso3
    left join named
        on
            trade.mineral_group = named.mineral_group
            and trade.year = named.year
            and trade.economy_iso3 = named.economy_iso3

),

-- Without production, every mass gives the same reliance.
weighed as (

    select
        *,
        case
            when production_high_t = 0 or production_source is null then 'gross'
            else production_mass
        end as mass_basis,
        {% for flow in ['imports', 'exports'] -%}
            case mass_basis
                when 'oxide' then {{ flow }}_oxide_t
                when 'metal' then {{ flow }}_metal_t
                else {{ flow }}_gross_t
            end as {{ flow }}_t,
        {% endfor -%}
        imports_gross_t is null or exports_gross_t is null as has_missing_weights,
        imports_t is not null and exports_t is not null as is_convertible,
        coalesce(imports_t, imports_gross_t * content_low, 0) as least_imports_t,
        coalesce(imports_t, imports_gross_t * content_high) as most_imports_t,
        coalesce(
            production_low_t / nullif(production_low_t + most_imports_t, 0), 0
        ) as own_share_low,
        case
            when production_high_t = 0 then 0
            else coalesce(
                production_high_t / (production_high_t + least_imports_t), 1
            )
        end as own_share_high
    from produced

),

computed as (

    select
        * exclude (production_t, production_low_t, production_high_t),
        {% for amount in ['production_t', 'production_low_t', 'production_high_t'] -%}
            case when is_convertible or has_missing_weights then {{ amount }} end as {{ amount }},
        {% endfor -%}
        {{ import_reliance_ec('imports_t', 'exports_t', 'production_t') }} as reliance,
        {{ import_reliance_ec('imports_t', 'exports_t', 'production_high_t') }}
            as reliance_at_most_production,
        {{ import_reliance_ec('imports_t', 'exports_t', 'production_low_t') }}
            as reliance_at_least_production,
        {{ net_import_reliance_usgs('imports_t', 'exports_t', 'production_t', '0') }}
            as reliance_without_stocks,
        exports_gross_t >= imports_gross_t as has_net_exports,
        has_net_exports and coalesce(greatest(production_t, production_low_t) > 0, false)
            as is_producer_with_net_exports,
        is_producer_with_net_exports
        and coalesce(production_t + imports_t - exports_t > 0, true) as is_without_reliance
    from weighed

)

-- Net exports of a producer are no reliance, however much it produces; those of others are of what
-- it has bought or stored, or of production that nobody prints.
select
    economy_iso3,
    mineral_group,
    year,
    case when is_convertible then mass_basis else 'gross' end as mass_basis,
    coalesce(imports_t, imports_gross_t) as imports_t,
    coalesce(exports_t, exports_gross_t) as exports_t,
    production_t,
    production_low_t,
    production_high_t,
    own_share_low,
    own_share_high,
    cast(null as double) as stock_change_t,
    case
        when is_without_reliance then 0
        when not has_net_exports then {{ clamped('reliance') }}
    end as import_reliance_ec,
    case
        when has_net_exports then case when is_producer_with_net_exports then 0 end
        when reliance_at_least_production is not null and production_high_t is null then 0
        else {{ clamped('coalesce(reliance_at_most_production, reliance)') }}
    end as import_reliance_low,
    case
        when has_net_exports then case when is_producer_with_net_exports then 0 end
        else {{ clamped('coalesce(reliance_at_least_production, reliance)') }}
    end as import_reliance_high,
    reliance as import_reliance_ec_raw,
    case
        when is_without_reliance then 0
        when not has_net_exports then {{ clamped('reliance_without_stocks') }}
    end as net_import_reliance_usgs,
    exports_gross_t > imports_gross_t as is_net_exporter,
    case
        when reliance is not null and not has_net_exports or is_without_reliance then null
        when has_missing_weights then 'weights_missing'
        when not is_convertible then 'no_conversion'
        when production_t is null then 'production_not_known'
        else 'exports_exceed_supply'
    end as reason,
    source,
    production_source,
    production_period,
    {{ snapshots_together(['snapshot_ids', 'production_snapshot_ids']) }} as snapshot_ids
from computed
