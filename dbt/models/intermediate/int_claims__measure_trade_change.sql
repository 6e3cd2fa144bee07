with claims as (

    select
        claim_id,
        basis,
        case flow when 'export' then supplier_iso3 else importer_iso3 end as reporter_iso3,
        case flow when 'export' then importer_iso3 else supplier_iso3 end as partner_iso3,
        importer_iso3,
        supplier_iso3,
        flow,
        commodity_code,
        period_start
    from {{ ref('stg_lake__claims') }}
    where test = 'trade_change'

),

press as (

    select source
    from {{ ref('seed_publishers') }}
    where is_press

),

supplies as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}
    where source not in (select press.source from press)

),

mineral_group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

-- A claim of a group is about the sum of its codes.
codes as (

    select distinct
        claims.claim_id,
        coalesce(mineral_group_codes.hs6_code, claims.commodity_code) as commodity_code
    from claims
    left join mineral_group_codes on claims.commodity_code = mineral_group_codes.mineral_group

),

counted_codes as (

    select
        claim_id,
        count(*) as codes
    from codes
    group by claim_id

),

supplies_of_claims as (

    select
        claims.claim_id,
        supplies.source,
        supplies.period_start = claims.period_start as is_month_of_claim,
        supplies.commodity_code,
        supplies.era,
        supplies.value_usd,
        supplies.net_weight_kg,
        supplies.snapshot_ids
    from claims
    inner join codes on claims.claim_id = codes.claim_id
    inner join supplies
        on
            claims.flow = supplies.flow
            and claims.importer_iso3 = supplies.importer_iso3
            and claims.supplier_iso3 = supplies.supplier_iso3
            and codes.commodity_code = supplies.commodity_code
            and supplies.period_start
            in (claims.period_start, cast(claims.period_start - interval 1 year as date))

),

months as (

    select
        supplies_of_claims.claim_id,
        supplies_of_claims.source,
        supplies_of_claims.is_month_of_claim,
        {% for measure in ['value_usd', 'net_weight_kg'] %}
            case
                when count(supplies_of_claims.{{ measure }}) = max(counted_codes.codes)
                    then sum(supplies_of_claims.{{ measure }})
            end as {{ measure }},
        {% endfor %}
        list(supplies_of_claims.era order by supplies_of_claims.commodity_code) as eras,
        {{ union_of_snapshots('supplies_of_claims.snapshot_ids') }} as snapshot_ids
    from supplies_of_claims
    inner join counted_codes on supplies_of_claims.claim_id = counted_codes.claim_id
    group by
        supplies_of_claims.claim_id,
        supplies_of_claims.source,
        supplies_of_claims.is_month_of_claim

),

changes as (

    select
        months.claim_id,
        months.source,
        months.value_usd / nullif(before.value_usd, 0) - 1 as value_usd,
        months.net_weight_kg / nullif(before.net_weight_kg, 0) - 1 as net_weight_kg,
        {{ snapshots_together(['months.snapshot_ids', 'before.snapshot_ids']) }} as snapshot_ids
    from months
    inner join months as before
        on
            months.claim_id = before.claim_id
            and months.source = before.source
            and not before.is_month_of_claim
            -- No change is measured across a break.
            and months.eras is not distinct from before.eras
    where months.is_month_of_claim

),

chosen as (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            claim_id,
            source,
            '{{ measure }}' as measure,
            {{ measure }} as value,
            snapshot_ids
        from changes
        where {{ measure }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- How far the figures at hand reach: of any code, as declared by that reporter.
latest as (

    select
        flow,
        case flow when 'export' then supplier_iso3 else importer_iso3 end as reporter_iso3,
        max(period_start) as latest_period
    from supplies
    group by all

),

evidence as (

    select
        claims.claim_id,
        case
            when chosen.source is null then 'none'
            else chosen.source || ', ' || chosen.measure
        end
            as basis,
        chosen.value,
        -- Without a figure, the measure the claim names; one that names none is read by weight.
        case coalesce(chosen.measure, claims.basis)
            when 'value_usd' then 'change_of_value'
            else 'change_of_weight'
        end as unit,
        {{ as_period('claims.period_start', "'M'") }} as period,
        chosen.source,
        chosen.snapshot_ids,
        claims.commodity_code as subject,
        claims.reporter_iso3,
        nullif(claims.partner_iso3, 'WLD') as partner_iso3,
        claims.flow,
        'M' as frequency,
        cast(null as varchar) as latest_of_code,
        {{ as_period('latest.latest_period', "'M'") }} as latest_of_any
    from claims
    left join chosen
        on
            claims.claim_id = chosen.claim_id
            and (claims.basis is null or claims.basis = chosen.measure)
    left join latest
        on
            claims.flow = latest.flow
            and claims.reporter_iso3 = latest.reporter_iso3

)

select * from evidence
