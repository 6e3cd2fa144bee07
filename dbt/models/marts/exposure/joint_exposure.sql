with by_implementer as (

    select * from {{ ref('int_exposure__join_clauses') }}
    where scenario = ''

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
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from by_implementer
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
    case when source is null then 'no_figures' else reason end as reason,
    source,
    snapshot_ids
from together
