-- The output of a group of materials, of which a publisher prints two or more and no figure of the
-- group.
with materials_of_groups as (

    select
        slug as producer_group,
        unnest(string_split(materials, ' ')) as material
    from {{ ref('seed_materials_of_lists') }}
    where slug in ('rare_earths', 'platinum_group_metals')

),

members as (

    select
        groups.producer_group,
        shares.*
    from {{ ref('production_shares') }} as shares
    inner join materials_of_groups as groups on shares.material = groups.material

),

tables as (

    select
        producer_group,
        source,
        stage,
        year,
        material,
        any_value(world_total_t) as world_total_t,
        max(share_high) filter (where economy_iso3 = '_X') as rest_share_high,
        max(amount_high_t) filter (where economy_iso3 = '_X') as rest_high_t
    from members
    group by producer_group, source, stage, year, material
    window same_group as (partition by producer_group, source, stage, year)
    qualify
        count(*) over same_group > 1
        and not bool_or(material = producer_group) over same_group

),

economies as (

    select
        producer_group,
        source,
        stage,
        year,
        economy_iso3,
        max(governance_score) as governance_score,
        case when min(reference_period) = max(reference_period) then max(reference_period) end
            as reference_period,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from members
    group by producer_group, source, stage, year, economy_iso3

),

-- Whom a table does not list has nothing, or is in its rest.
listed as (

    select
        economies.*,
        tables.world_total_t,
        members.material is not null as is_listed,
        not is_listed and economies.economy_iso3 <> '_X' as may_be_in_rest,
        case when is_listed then members.amount_t else 0 end as amount_t,
        case when is_listed then members.amount_low_t else 0 end as amount_low_t,
        case when is_listed then members.amount_high_t else 0 end as amount_high_t,
        case when is_listed then coalesce(members.share_low, 0) else 0 end as share_low,
        case
            when is_listed then coalesce(members.share_high, 1)
            when may_be_in_rest then coalesce(tables.rest_share_high, 0)
            else 0
        end as share_high,
        case when may_be_in_rest then coalesce(tables.rest_high_t, 0) else 0 end as hidden_t
    from economies
    inner join tables
        on
            economies.producer_group = tables.producer_group
            and economies.source = tables.source
            and economies.stage = tables.stage
            and economies.year = tables.year
    left join members
        on
            tables.producer_group = members.producer_group
            and tables.source = members.source
            and tables.stage = members.stage
            and tables.year = members.year
            and tables.material = members.material
            and economies.economy_iso3 = members.economy_iso3

),

sums as (

    select
        producer_group,
        source,
        stage,
        year,
        economy_iso3,
        any_value(governance_score) as governance_score,
        any_value(reference_period) as reference_period,
        any_value(snapshot_ids) as snapshot_ids,
        case
            when count(*) = count(world_total_t) then {{ sum_in_order('world_total_t') }}
        end as world_total_t,
        {% for amount in ['amount_t', 'amount_low_t', 'amount_high_t'] -%}
            case when count(*) = count({{ amount }}) then {{ sum_in_order(amount) }} end
                as {{ amount }},
        {% endfor -%}
        {{ sum_in_order('hidden_t') }} as hidden_t,
        min(share_low) as share_low,
        max(share_high) as share_high
    from listed
    group by producer_group, source, stage, year, economy_iso3

),

others as (

    select
        *,
        bool_and(world_total_t is not null and amount_high_t is not null) over same_group
            as has_amounts,
        amount_t / world_total_t as printed_share,
        sum(amount_low_t) over same_group - amount_low_t as others_low_t,
        sum(amount_high_t) over same_group - amount_high_t as others_high_t
    from sums
    window same_group as (partition by producer_group, source, stage, year)

)

-- Of amounts the group is their sum. Of shares alone its share lies between those of its materials,
-- whatever the amounts are. A printed total may be less than its parts, and the share above theirs.
select
    source,
    producer_group as material,
    stage,
    year,
    economy_iso3,
    governance_score,
    reference_period,
    snapshot_ids,
    not has_amounts as is_of_shares_alone,
    case when has_amounts then amount_t end as amount_t,
    case when has_amounts then world_total_t end as world_total_t,
    case when has_amounts then printed_share end as share,
    case
        when has_amounts
            then
                least(
                    amount_low_t / nullif(amount_low_t + others_high_t, 0),
                    printed_share
                )
        else share_low
    end as share_low,
    case
        when has_amounts
            then
                least(
                    greatest(
                        (amount_high_t + hidden_t) / nullif(
                            amount_high_t + hidden_t + greatest(others_low_t - hidden_t, 0), 0
                        ),
                        printed_share
                    ),
                    1
                )
        else share_high
    end as share_high
from others
