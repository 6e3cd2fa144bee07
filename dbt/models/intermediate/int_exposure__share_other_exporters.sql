with baselines as (

    select * from {{ ref('int_exposure__choose_baselines') }}
    where value_usd > 0

),

group_codes as (

    select
        mineral_group,
        list(distinct hs6_code order by hs6_code) as hs6_codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

reconciled_slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}

),

flows as (

    select * from {{ ref('int_trade__choose_reconciled_flows') }}

),

-- A list of the largest flows does not say what the world exported.
slices as (

    select
        reconciled_slices.source,
        reconciled_slices.hs6_code,
        reconciled_slices.period_start,
        reconciled_slices.snapshot_id,
        precedence.rank as precedence_rank
    from reconciled_slices
    left join precedence on reconciled_slices.source = precedence.source
    where not coalesce(precedence.is_cut_list, false)

),

exposed as (

    select
        baselines.*,
        coalesce(group_codes.hs6_codes, baselines.hs6_codes) as codes_of_commodity,
        make_date(cast(extract(year from baselines.baseline_to) as integer), 1, 1) as world_year
    from baselines
    left join group_codes
        on baselines.is_basket and baselines.commodity_code = group_codes.mineral_group

),

wanted as (

    select distinct
        codes_of_commodity,
        world_year,
        source
    from exposed

),

-- World exports: of the year of the baseline or the latest before it, by the baseline's own source
-- where it has them.
worlds as (

    select
        wanted.codes_of_commodity,
        wanted.world_year,
        wanted.source,
        slices.source as world_source,
        slices.period_start,
        {{ snapshots_of('slices.snapshot_id') }} as snapshot_ids
    from wanted
    inner join slices
        on
            list_contains(wanted.codes_of_commodity, slices.hs6_code)
            and wanted.world_year >= slices.period_start
    group by
        wanted.codes_of_commodity,
        wanted.world_year,
        wanted.source,
        slices.source,
        slices.period_start
    having count(distinct slices.hs6_code) = len(wanted.codes_of_commodity)
    qualify
        row_number() over (
            partition by wanted.codes_of_commodity, wanted.world_year, wanted.source
            order by
                slices.source = wanted.source desc,
                slices.period_start desc,
                min(slices.precedence_rank) asc nulls last,
                slices.source asc
        ) = 1

),

codes_of_worlds as (

    select
        *,
        unnest(codes_of_commodity) as hs6_code
    from worlds

),

exports as (

    select
        source,
        hs6_code,
        period_start,
        exporter_iso3,
        {{ sum_in_order('value_usd') }} as value_usd
    from flows
    where
        exists (
            select 1 from codes_of_worlds
            where
                flows.source = codes_of_worlds.world_source
                and flows.hs6_code = codes_of_worlds.hs6_code
                and flows.period_start = codes_of_worlds.period_start
        )
    group by source, hs6_code, period_start, exporter_iso3

),

-- An importer cannot supply itself: its own exports are none of others.
summed as (

    select
        exposed.clause_id,
        exposed.importer_iso3,
        exposed.commodity_code,
        codes_of_worlds.period_start,
        codes_of_worlds.snapshot_ids,
        {{ sum_in_order('exports.value_usd') }} as value_usd,
        {{ sum_in_order('exports.value_usd') }} filter (
            where exports.exporter_iso3 <> exposed.implementer_iso3
        ) as value_of_others_usd
    from exposed
    inner join codes_of_worlds
        on
            exposed.codes_of_commodity = codes_of_worlds.codes_of_commodity
            and exposed.world_year = codes_of_worlds.world_year
            and exposed.source = codes_of_worlds.source
    inner join exports
        on
            codes_of_worlds.world_source = exports.source
            and codes_of_worlds.hs6_code = exports.hs6_code
            and codes_of_worlds.period_start = exports.period_start
            and exposed.importer_iso3 <> exports.exporter_iso3
    group by all

)

select
    clause_id,
    importer_iso3,
    commodity_code,
    coalesce(value_of_others_usd, 0) / value_usd as other_exporters_share,
    cast(extract(year from period_start) as integer) as other_exporters_year,
    snapshot_ids
from summed
