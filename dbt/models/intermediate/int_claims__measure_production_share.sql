with minerals as (

    select * from {{ ref('seed_minerals') }}

),

shares_then as (

    select * from {{ ref('int_claims__list_shares_known_then') }}

),

materials as (

    select distinct
        source,
        material,
        mineral
    from {{ ref('stg_lake__material_labels') }}
    where left_out is null

),

subjects as (

    select distinct
        claim_id,
        supplier_iso3,
        stage,
        case
            when stage in ('reserves', 'capacity') then 'share_of_' || stage
            else 'share_of_output'
        end as unit,
        period_start,
        unnest(minerals) as subject
    from {{ ref('stg_lake__claims') }}
    where test = 'production_share'

),

claims as (

    select
        *,
        {{ one_row_per_moment('period_start') }} as moment
    from subjects

),

shares as (

    select
        cast(null as varchar) as claim_id,
        source,
        material,
        stage,
        year,
        reference_period,
        economy_iso3,
        share,
        snapshot_ids
    from {{ ref('production_shares') }}
    union all by name
    select * from shares_then

),

described as (

    select
        shares.claim_id,
        shares.source,
        shares.material,
        shares.stage,
        shares.year,
        -- A study prints averages of the years before it.
        coalesce(shares.reference_period, cast(shares.year as varchar)) as period,
        shares.economy_iso3,
        shares.share,
        shares.snapshot_ids,
        minerals.mineral,
        minerals.family
    from shares
    left join materials
        on
            shares.source = materials.source
            and shares.material = materials.material
    left join minerals on materials.mineral = minerals.mineral
    where shares.share is not null

),

-- A claim that names no year is about the newest one known of each material.
matched as (

    select distinct
        claims.claim_id,
        claims.moment,
        claims.unit,
        claims.subject,
        coalesce(claims.subject = described.family, false) as is_family,
        described.source,
        described.year,
        described.period,
        described.material,
        described.share,
        described.snapshot_ids
    from claims
    inner join described
        on
            claims.supplier_iso3 = described.economy_iso3
            and claims.stage = described.stage
            and described.claim_id is not distinct from
            case when claims.moment = 'then' then claims.claim_id end
            and claims.subject in (described.material, described.mineral, described.family)
    where described.year = coalesce(year(claims.period_start), described.year)

),

newest as (

    select *
    from matched
    qualify
        moment is null
        or year = max(year) over (partition by claim_id, moment, subject, material)

),

alike as (

    select
        claim_id,
        moment,
        unit,
        subject,
        is_family,
        source,
        year,
        period,
        share,
        string_agg(material, ', ' order by material) as materials,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids,
        count(*) as materials_alike,
        sum(count(*)) over (partition by claim_id, moment, subject, source, year)
            as all_materials
    from newest
    group by claim_id, moment, unit, subject, is_family, source, year, period, share

),

-- A family whose members all have the same share is one subject. Where most have, the exceptions
-- are listed, and these are the others.
grouped as (

    select
        claim_id,
        moment,
        unit,
        source,
        year,
        period,
        share,
        snapshot_ids,
        case
            when materials_alike = all_materials and materials_alike > 1 then subject
            when is_family and materials_alike > 1 and 2 * materials_alike > all_materials
                then 'other ' || subject
            else materials
        end as subject
    from alike

),

-- A claim may name a family and one of its members.
shares_measured as (

    select distinct
        claim_id,
        moment,
        {{ basis_at("subject || ', ' || source || ' ' || year", 'moment') }} as basis,
        share as value,
        unit,
        period,
        source,
        snapshot_ids,
        subject,
        year
    from grouped

),

not_found as (

    select
        claims.claim_id,
        claims.moment,
        {{ basis_at('claims.subject', 'claims.moment') }} as basis,
        cast(null as double) as value,
        claims.unit,
        strftime(claims.period_start, '%Y') as period,
        cast(null as varchar) as source,
        claims.subject,
        cast(null as integer) as year
    from claims
    left join matched
        on
            claims.claim_id = matched.claim_id
            and claims.moment is not distinct from matched.moment
            and claims.subject = matched.subject
    where matched.claim_id is null

),

evidence as (

    select * from shares_measured
    union all by name
    select * from not_found

)

select * from evidence
