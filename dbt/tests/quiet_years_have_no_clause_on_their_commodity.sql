-- A false alarm is one of a time without a restriction: the quiet years of an episode have none of
-- the commodity announced in them, and are not among the periods that are watched.
{{ config(meta={'dagster': {'ref': {'name': 'warning_backtest'}}}) }}

select
    backtest.episode,
    bounds.clause_id,
    bounds.announced_date
from {{ ref('warning_backtest') }} as backtest
inner join {{ ref('int_exposure__bound_code_shares') }} as bounds
    on
        backtest.commodity_code = bounds.commodity_code
        and bounds.direction = 'restrict'
        and bounds.announced_date between backtest.quiet_from and backtest.quiet_to
union all
select
    episode,
    clause_id,
    announced_date
from {{ ref('warning_backtest') }}
where
    quiet_from > quiet_to
    or (
        quiet_to >= {{ watched_from('announced_date') }}
        and quiet_from <= {{ watched_to('effective_date') }}
    )
