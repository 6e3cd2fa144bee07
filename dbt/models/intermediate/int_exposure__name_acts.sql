with notices as (

    select * from {{ ref('int_exposure__date_notices') }}

),

numbered as (

    select
        source,
        notice_id,
        corrects,
        acts[1] as first_number,
        unnest(list_distinct(acts)) as act_number
    from notices

),

-- A publisher of acts prints several numbers of one: its document and its page, on which another
-- document may begin. Who reports acts may print those of several.
named as (

    select
        act_number,
        min(first_number) as act
    from numbered
    where
        list_contains({{ publishers_of_acts() }}, source)
        and corrects is null
    group by act_number
    having count(distinct first_number) = 1

)

select
    numbered.source,
    numbered.notice_id,
    numbered.act_number,
    coalesce(named.act, numbered.act_number) as act,
    numbered.act_number = numbered.first_number as is_first
from numbered
left join named on numbered.act_number = named.act_number
