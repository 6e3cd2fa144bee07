with claims as (

    select distinct
        claim_id,
        nace2_code,
        unnest(minerals) as mineral
    from {{ ref('stg_lake__claims') }}
    where test = 'end_use_share'

),

uses as (

    select
        source,
        mineral,
        year,
        nace2_code,
        use_share,
        applications,
        snapshot_ids
    from {{ ref('int_reference__sum_end_uses') }}

),

assessed as (

    select
        source,
        mineral,
        year,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from uses
    group by source, mineral, year

),

-- A mineral whose uses are known, none of them in the sector, is used there to no part.
shares as (

    select
        claims.claim_id,
        claims.mineral,
        assessed.source,
        assessed.year,
        assessed.snapshot_ids,
        uses.applications,
        case when assessed.source is not null then coalesce(uses.use_share, 0) end as use_share
    from claims
    left join assessed on claims.mineral = assessed.mineral
    left join uses
        on
            assessed.source = uses.source
            and assessed.mineral = uses.mineral
            and claims.nace2_code = uses.nace2_code

),

evidence as (

    select
        claim_id,
        mineral || coalesce(', ' || source, '') as basis,
        use_share as value,
        'share_of_use' as unit,
        cast(year as varchar) as period,
        source,
        snapshot_ids,
        mineral as subject,
        lower(applications) as applications
    from shares

)

select * from evidence
