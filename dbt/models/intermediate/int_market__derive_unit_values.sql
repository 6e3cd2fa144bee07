{# Prices and the list of instruments read it: computed once, as a table. #}
{{ config(materialized='table') }}

{# What flows without a weight may be of a month's value. #}
{% set least_coverage_share = 0.95 %}
{# Below a tonne a month is a few samples: of 82 such months in the bundled figures 42 are more than
   three times, or less than a third of, the median of the heavier ones of their series; of the 1,016
   heavier ones themselves 20. #}
{% set least_weight_kg = 1000 %}

with flows as (

    select
        *,
        case flow when 'export' then 'china_fob' else 'ex_china' end as side,
        flow = 'import' and partner_iso3 = 'CHN' as is_from_china
    from {{ ref('int_trade__select_latest_flows') }}
    where
        frequency = 'M'
        and not is_basket
        and reporter_iso3 <> partner_iso3
        and (
            flow = 'export' and reporter_iso3 = 'CHN'
            or flow = 'import' and reporter_iso3 <> 'CHN'
        )
        -- The press gives single figures, not all partners of a month.
        and source not in (
            select publishers.source
            from {{ ref('seed_publishers') }} as publishers
            where publishers.is_press
        )

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

-- All that a month's value may be, whether it has a weight or not: the total that is printed, less
-- China's part of an importer's, or the partners together if these are more.
totals as (

    select
        source,
        side,
        reporter_iso3,
        commodity_code,
        period_start,
        greatest(
            max(value_usd) filter (where partner_iso3 = 'WLD')
            - coalesce(max(value_usd) filter (where is_from_china), 0),
            sum(value_usd order by partner_iso3) filter (
                where partner_iso3 <> 'WLD' and not is_from_china
            )
        ) as value_usd,
        {{ union_of_snapshots('used_snapshot_ids') }} as snapshot_ids
    from (
        select
            *,
            case
                when
                    not is_from_china
                    or bool_or(partner_iso3 = 'WLD') over (
                        partition by source, side, reporter_iso3, commodity_code, period_start
                    )
                    then snapshot_ids
            end as used_snapshot_ids
        from flows
    ) as of_months
    group by source, side, reporter_iso3, commodity_code, period_start

),

weighed as (

    select
        *,
        partner_iso3 = 'WLD' as is_total
    from flows
    where
        value_usd > 0
        and net_weight_kg > 0
        and valuation is not null

),

-- Of China the printed total, else its partners; of others what is not from China. Partners that
-- are not published may be China.
used as (

    select * from weighed
    where
        (side = 'china_fob' and valuation = 'FOB')
        or (side = 'ex_china' and not is_from_china and partner_iso3 not in ('WLD', '_X'))
    qualify
        is_total = bool_or(is_total) over (
            partition by source, side, reporter_iso3, commodity_code, period_start, valuation
        )

),

summed as (

    select
        source,
        side,
        reporter_iso3,
        commodity_code,
        valuation,
        period_start,
        max(hs_revision) as hs_revision,
        sum(value_usd order by partner_iso3) as value_usd,
        sum(net_weight_kg order by partner_iso3) as net_weight_kg
    from used
    group by source, side, reporter_iso3, commodity_code, valuation, period_start
    having sum(net_weight_kg) >= {{ least_weight_kg }}

),

covered as (

    select
        summed.*,
        totals.snapshot_ids
    from summed
    inner join totals
        on
            summed.source = totals.source
            and summed.side = totals.side
            and summed.reporter_iso3 = totals.reporter_iso3
            and summed.commodity_code = totals.commodity_code
            and summed.period_start = totals.period_start
    where summed.value_usd >= {{ least_coverage_share }} * totals.value_usd

),

-- Of a code with breaks, which side of them an edition is on.
eras as (

    select
        editions.commodity_code,
        editions.hs_revision,
        editions.calendar_year,
        {{ breaks_passed('breaks', 'editions.hs_revision', 'editions.calendar_year') }} as era
    from (
        select distinct
            commodity_code,
            hs_revision,
            extract(year from period_start) as calendar_year
        from covered
    ) as editions
    inner join breaks on editions.commodity_code = breaks.hs6_code
    group by editions.commodity_code, editions.hs_revision, editions.calendar_year

),

-- One series is of the same goods: months before the last break of its code are left out.
comparable as (

    select
        covered.*,
        coalesce(eras.era, 0) as era
    from covered
    left join eras
        on
            covered.commodity_code = eras.commodity_code
            and covered.hs_revision = eras.hs_revision
            and extract(year from covered.period_start) = eras.calendar_year
    qualify
        coalesce(eras.era, 0) = last_value(coalesce(eras.era, 0)) over (
            partition by
                covered.source,
                covered.reporter_iso3,
                covered.commodity_code,
                covered.valuation
            order by covered.period_start
            rows between unbounded preceding and unbounded following
        )

),

counted as (

    select
        source,
        reporter_iso3,
        commodity_code,
        valuation,
        count(*) as months
    from comparable
    group by source, reporter_iso3, commodity_code, valuation

),

-- Publishers are not mixed in a series.
chosen as (

    select
        counted.source,
        counted.reporter_iso3,
        counted.commodity_code,
        counted.valuation
    from counted
    left join precedence on counted.source = precedence.source
    qualify
        row_number() over (
            partition by counted.reporter_iso3, counted.commodity_code, counted.valuation
            order by counted.months desc, precedence.rank asc nulls last, counted.source asc
        ) = 1

)

select
    'UNIT_VALUE_'
    || comparable.commodity_code
    || case comparable.side
        when 'china_fob' then '_CHINA_FOB'
        else '_' || comparable.reporter_iso3 || '_EX_CHINA_' || comparable.valuation
    end as instrument,
    comparable.side,
    comparable.reporter_iso3,
    comparable.commodity_code,
    comparable.hs_revision,
    comparable.valuation,
    comparable.period_start,
    comparable.value_usd,
    comparable.net_weight_kg,
    comparable.value_usd / comparable.net_weight_kg as usd_per_kg,
    comparable.source,
    comparable.snapshot_ids
from comparable
inner join chosen
    on
        comparable.source = chosen.source
        and comparable.reporter_iso3 = chosen.reporter_iso3
        and comparable.commodity_code = chosen.commodity_code
        and comparable.valuation = chosen.valuation
