with trade as (

    select * from {{ ref('int_dependency__sum_group_trade') }}

),

production_shares as (

    select * from {{ ref('production_shares') }}

),

groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}

),

economies as (

    select * from {{ ref('economies') }}

),

figures_of_output as (

    select
        groups.mineral_group,
        production_shares.*
    from production_shares
    inner join groups
        on
            production_shares.material = groups.material
            and production_shares.stage = groups.stage
    where groups.is_output

),

years_of_trade as (

    select distinct trade.year as trade_year
    from trade

),

-- Shares without amounts say who produces at all, in their years and after them.
figures as (

    select * from figures_of_output
    where amount_low_t is not null
    union all by name
    select figures_of_output.* replace (years_of_trade.trade_year as year)
    from figures_of_output
    inner join years_of_trade
        on
            cast(split_part(figures_of_output.reference_period, '/', -1) as integer)
            <= years_of_trade.trade_year
    where figures_of_output.amount_low_t is null and figures_of_output.share is not null

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
        bool_or(economy_iso3 = '_X') as has_rest,
        max(amount_high_t) filter (where economy_iso3 = '_X') as rest_high_t,
        max(reference_period) as reference_period,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from figures
    group by mineral_group, material, stage, year, source
    qualify
        row_number() over (
            partition by mineral_group, year
            order by
                count(amount_low_t) > 0 desc, count(*) desc, source asc, material asc, stage asc
        ) = 1

),

-- The European Union's is its members', who may be in the rest as well.
listed as (

    select
        mineral_group,
        year,
        source,
        economy_iso3,
        amount_t,
        amount_low_t,
        amount_high_t
    from figures
    where economy_iso3 <> '_X'
    union all
    select
        figures.mineral_group,
        figures.year,
        figures.source,
        'EU27' as economy_iso3,
        case
            when count(*) = count(figures.amount_t) then {{ sum_in_order('figures.amount_t') }}
        end as amount_t,
        {{ sum_in_order('figures.amount_low_t') }} as amount_low_t,
        case
            when count(*) = count(figures.amount_high_t)
                then {{ sum_in_order('figures.amount_high_t') }}
        end as amount_high_t
    from figures
    inner join economies on figures.economy_iso3 = economies.economy_iso3
    where economies.is_eu27
    group by figures.mineral_group, figures.year, figures.source

),

-- Who is not listed produces nothing where the list is whole, and else at most the rest.
produced as (

    select
        trade.*,
        tables.source as production_source,
        tables.reference_period as production_period,
        tables.mass_basis as production_mass,
        tables.snapshot_ids as production_snapshot_ids,
        listed.economy_iso3 is null or trade.economy_iso3 = 'EU27' as may_be_in_rest,
        tables.has_rest and may_be_in_rest as is_in_rest,
        case
            when tables.source is null or is_in_rest then null
            when listed.economy_iso3 is null then 0
            else listed.amount_t
        end as production_t,
        case when tables.source is not null then coalesce(listed.amount_low_t, 0) end
            as production_low_t,
        case
            when tables.source is null then null
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
    left join listed
        on
            tables.mineral_group = listed.mineral_group
            and tables.year = listed.year
            and tables.source = listed.source
            and trade.economy_iso3 = listed.economy_iso3

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
        imports_t is not null and exports_t is not null as is_convertible
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
        exports_gross_t >= imports_gross_t
        and coalesce(production_t + imports_t - exports_t > 0, true) as is_without_reliance
    from weighed

)

-- Net exports are no reliance, whatever the production; with nothing left to use there is none.
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
    cast(null as double) as stock_change_t,
    case when is_without_reliance then 0 else {{ clamped('reliance') }} end as import_reliance_ec,
    case
        when exports_gross_t >= imports_gross_t then 0
        else {{ clamped('coalesce(reliance_at_most_production, reliance)') }}
    end as import_reliance_low,
    case
        when exports_gross_t >= imports_gross_t then 0
        else {{ clamped('coalesce(reliance_at_least_production, reliance)') }}
    end as import_reliance_high,
    reliance as import_reliance_ec_raw,
    case when is_without_reliance then 0 else {{ clamped('reliance_without_stocks') }} end
        as net_import_reliance_usgs,
    exports_gross_t > imports_gross_t as is_net_exporter,
    case
        when reliance is not null or is_without_reliance then null
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
