{# Acts go before reports of them: the order of precedence among publishers of one act. #}
{% set publishers = ['mofcom', 'federal_register', 'gta', 'screening_list', 'oecd_restrictions'] %}

with notices as (

    select * from {{ ref('int_exposure__date_notices') }}

),

numbered as (

    select
        source,
        notice_id,
        known_at,
        acts[1] as own_act,
        unnest(acts) as act_number
    from notices

),

-- Publishers speak of one act if they share a number of it.
named as (

    select
        act_number,
        own_act
    from numbered
    qualify
        row_number() over (
            partition by act_number
            order by
                list_position({{ publishers }}, source) asc,
                known_at asc,
                notice_id asc
        ) = 1

)

-- A notice with several numbers is of the act that its first one names.
select
    numbered.source,
    numbered.notice_id,
    arg_min(named.own_act, list_position(notices.acts, numbered.act_number)) as act,
    list(distinct numbered.act_number order by numbered.act_number) as act_numbers
from numbered
inner join named on numbered.act_number = named.act_number
inner join notices
    on numbered.source = notices.source and numbered.notice_id = notices.notice_id
group by numbered.source, numbered.notice_id
