{% set measures = ['value_usd', 'net_weight_kg'] %}

with clauses as (

    select
        *,
        date_trunc('month', announced_date) as announced_month,
        date_trunc('month', effective_date) as effective_month
    from {{ ref('int_exposure__bound_code_shares') }}
    where is_on_trade

),

monthly_supplies as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}
    union all by name
    select * from {{ ref('int_trade__sum_union_supplies') }}

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

months as (

    select
        clauses.clause_id,
        clauses.announced_month,
        clauses.effective_month,
        clauses.control_share_low = 1 as is_decidable,
        clauses.snapshot_ids as clause_snapshot_ids,
        monthly_supplies.*
    from clauses
    inner join monthly_supplies
        on
            clauses.implementer_iso3 = monthly_supplies.supplier_iso3
            and clauses.commodity_code = monthly_supplies.commodity_code
            and clauses.target_iso3 in ('ALL', monthly_supplies.importer_iso3)
            and monthly_supplies.period_start >= clauses.announced_month - interval 24 month

),

-- One report for each series, since what an importer declares differs from what its supplier does.
reports as (

    select
        months.clause_id,
        months.importer_iso3,
        months.supplier_iso3,
        months.commodity_code,
        months.source,
        months.flow
    from months
    left join precedence on months.source = precedence.source
    group by
        months.clause_id,
        months.importer_iso3,
        months.supplier_iso3,
        months.commodity_code,
        months.source,
        months.flow,
        precedence.rank
    qualify
        row_number() over (
            partition by
                months.clause_id,
                months.importer_iso3,
                months.supplier_iso3,
                months.commodity_code
            order by
                bool_or(months.period_start < months.announced_month) desc,
                months.flow = 'import' desc,
                precedence.rank asc nulls last,
                months.source asc
        ) = 1

),

chosen as (

    select months.*
    from months
    semi join reports
        on
            months.clause_id = reports.clause_id
            and months.importer_iso3 = reports.importer_iso3
            and months.supplier_iso3 = reports.supplier_iso3
            and months.commodity_code = reports.commodity_code
            and months.source = reports.source
            and months.flow = reports.flow

),

-- The same month of the two years before the month of the announcement. Ending at the effective
-- date would put stocks that were bought ahead of it into their own baseline. Months that a break
-- separates are of different goods.
baselines as (

    select
        clause_id,
        importer_iso3,
        supplier_iso3,
        commodity_code,
        month(period_start) as calendar_month,
        era,
        {% for measure in measures %}
            avg({{ measure }}) as {{ measure }},
            count({{ measure }}) as {{ measure }}_observations,
        {% endfor %}
        sum(value_usd) filter (where net_weight_kg is not null)
        / nullif(sum(net_weight_kg) filter (where value_usd is not null), 0) as unit_value,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from chosen
    where period_start < announced_month
    group by clause_id, importer_iso3, supplier_iso3, commodity_code, month(period_start), era

),

-- Whether months of other goods are all that there is to compare with.
reported_before as (

    select
        clause_id,
        importer_iso3,
        supplier_iso3,
        commodity_code,
        calendar_month,
        {% for measure in measures %}
            sum({{ measure }}_observations) as {{ measure }}_months
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from baselines
    group by clause_id, importer_iso3, supplier_iso3, commodity_code, calendar_month

),

compared as (

    select
        chosen.*,
        {% for measure in measures %}
            baselines.{{ measure }} as baseline_{{ measure }},
            baselines.{{ measure }}_observations,
            reported_before.{{ measure }}_months,
        {% endfor %}
        chosen.value_usd / nullif(chosen.net_weight_kg, 0) as unit_value,
        baselines.unit_value as baseline_unit_value,
        {{ snapshots_together([
            'chosen.clause_snapshot_ids', 'chosen.snapshot_ids',
            'coalesce(baselines.snapshot_ids, [])',
        ]) }} as all_snapshot_ids
    from chosen
    left join baselines
        on
            chosen.clause_id = baselines.clause_id
            and chosen.importer_iso3 = baselines.importer_iso3
            and chosen.supplier_iso3 = baselines.supplier_iso3
            and chosen.commodity_code = baselines.commodity_code
            and month(chosen.period_start) = baselines.calendar_month
            and chosen.era is not distinct from baselines.era
            and chosen.period_start >= chosen.announced_month
    left join reported_before
        on
            chosen.clause_id = reported_before.clause_id
            and chosen.importer_iso3 = reported_before.importer_iso3
            and chosen.supplier_iso3 = reported_before.supplier_iso3
            and chosen.commodity_code = reported_before.commodity_code
            and month(chosen.period_start) = reported_before.calendar_month

),

measured as (

    {% for measure in measures %}
        select
            *,
            '{{ measure }}' as measure,
            {{ measure }} as amount,
            baseline_{{ measure }} as baseline_amount,
            coalesce({{ measure }}_observations, 0) as baseline_observations,
            coalesce({{ measure }}_months, 0) as months_before
        from compared
        where {{ measure }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select
    clause_id,
    importer_iso3,
    supplier_iso3,
    commodity_code,
    period_start,
    measure,
    amount,
    baseline_amount,
    cast(baseline_observations as integer) as baseline_observations,
    case
        when period_start < announced_month then 'before_announcement'
        when baseline_amount is null and months_before > 0 then 'across_a_break'
        when baseline_amount is null then 'not_reported'
    end as baseline_reason,
    1 - amount / nullif(baseline_amount, 0) as shortfall_share,
    unit_value,
    unit_value / nullif(baseline_unit_value, 0) - 1 as unit_value_change_share,
    cast(date_diff('month', effective_month, period_start) as integer) as months_since_effective,
    is_true_zero,
    is_provisional,
    is_decidable,
    source,
    flow,
    all_snapshot_ids as snapshot_ids
from measured
