{# A list of snapshots, as it is published: known ones, without duplicates, in alphabetical order,
   and at least one unless it may be empty. Returns the lists that are not. #}
{% test leads_to_snapshots(model, column_name, may_be_empty=false) %}
    with lists as (

        select distinct {{ column_name }} as snapshot_ids
        from {{ model }}

    ),

    listed as (

        select
            snapshot_ids,
            unnest(snapshot_ids) as snapshot_id
        from lists

    ),

    unknown as (

        select snapshot_ids
        from listed
        where snapshot_id not in (select known.snapshot_id from {{ ref('snapshots') }} as known)

    )

    select snapshot_ids
    from lists
    where
        snapshot_ids <> list_sort(list_distinct(snapshot_ids))
        or snapshot_ids in (select unknown.snapshot_ids from unknown)
        {% if not may_be_empty %}or len(snapshot_ids) = 0{% endif %}
{% endtest %}
