with by_implementer as (

    select * from {{ ref('int_exposure__join_clauses') }}
    where scenario = ''

),

current_trade as (

    select * from {{ ref('int_exposure__choose_current_trade') }}

),

-- What is hit today is never older than what was meant, and of one time for all who restrict.
with_current as (

    select
        by_implementer.*,
        current_trade.current_frequency,
        current_trade.current_from,
        current_trade.current_to,
        current_trade.value_usd as current_value_usd,
        current_trade.net_weight_kg as current_weight_kg,
        current_trade.current_share,
        current_trade.source as current_source,
        {{ current_reason('current_trade.current_to', 'by_implementer.baseline_to') }}
            as current_reason,
        coalesce(current_trade.snapshot_ids, []) as current_snapshot_ids
    from by_implementer
    left join current_trade
        on
            by_implementer.implementer_iso3 = current_trade.implementer_iso3
            and by_implementer.importer_iso3 = current_trade.importer_iso3
            and by_implementer.commodity_code = current_trade.commodity_code
            and by_implementer.is_basket = current_trade.is_basket

),

-- What comes from one economy does not come from another.
together as (

    select
        importer_iso3,
        commodity_code,
        valid_from,
        valid_to,
        any_value(is_basket) as is_basket,
        any_value(hs6_codes) as hs6_codes,
        list_sort(flatten(list(clause_ids))) as clause_ids,
        coalesce(list_sort(flatten(list(clauses_without_figures))), []) as clauses_without_figures,
        sum(share_low) as share_low,
        sum(share_high) as share_high,
        sum(value_low_usd) as value_low_usd,
        sum(value_high_usd) as value_high_usd,
        any_value(reason) as reason,
        any_value(source) as source,
        any_value(baseline_from) as baseline_from,
        any_value(baseline_to) as baseline_to,
        max(current_reason) as current_reason,
        any_value(current_frequency) as current_frequency,
        any_value(current_from) as current_from,
        any_value(current_to) as current_to,
        any_value(current_source) as current_source,
        sum(current_value_usd) as current_value_usd,
        case when count(*) = count(current_weight_kg) then sum(current_weight_kg) end
            as current_weight_kg,
        {% for bound in ['low', 'high'] -%}
            sum(control_share_{{ bound }} * current_value_usd) as current_value_{{ bound }}_usd,
            sum(control_share_{{ bound }} * current_share) as current_share_{{ bound }},
        {% endfor -%}
        {{ union_of('list(snapshot_ids) || list(current_snapshot_ids)') }} as snapshot_ids
    from with_current
    group by importer_iso3, commodity_code, valid_from, valid_to

)

select
    importer_iso3,
    commodity_code,
    is_basket,
    hs6_codes,
    valid_from,
    valid_to,
    clause_ids,
    clauses_without_figures,
    case when share_low is not null then least(1, share_low) end as exposed_share_low,
    case when share_high is not null then least(1, share_high) end as exposed_share_high,
    value_low_usd as exposed_value_low_usd,
    value_high_usd as exposed_value_high_usd,
    baseline_from,
    baseline_to,
    {% for column in [
        'current_frequency', 'current_from', 'current_to', 'current_value_usd',
        'current_weight_kg', 'current_source',
    ] -%}
        case when current_reason is null then {{ column }} end as {{ column }},
    {% endfor -%}
    case when current_reason is null then cast(year(current_to) as integer) end as current_year,
    {% for bound in ['low', 'high'] -%}
        case when current_reason is null then current_value_{{ bound }}_usd end
            as current_exposed_value_{{ bound }}_usd,
        case when current_reason is null then least(1, current_share_{{ bound }}) end
            as current_exposed_share_{{ bound }},
    {% endfor -%}
    current_reason,
    coalesce(reason = 'largest_flows_only', false) as is_cut_list,
    case when source is null then 'no_figures' else reason end as reason,
    source,
    snapshot_ids
from together
