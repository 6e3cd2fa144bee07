with claims as (

    select distinct
        claim_id,
        claimed_at,
        supplier_iso3,
        stage,
        period_start,
        unnest(minerals) as subject
    from {{ ref('stg_lake__claims') }}
    where test = 'production_share'

),

shares as (

    select
        source,
        material,
        stage,
        year,
        economy_iso3,
        share
    from {{ ref('production_shares') }}
    where share is not null

),

materials as (

    select distinct
        source,
        material,
        mineral
    from {{ ref('stg_lake__material_labels') }}
    where left_out is null

),

minerals as (

    select
        mineral,
        family
    from {{ ref('seed_minerals') }}

),

described as (

    select
        shares.source,
        shares.material,
        shares.stage,
        shares.year,
        shares.economy_iso3,
        shares.share,
        minerals.mineral,
        minerals.family
    from shares
    left join materials
        on
            shares.source = materials.source
            and shares.material = materials.material
    left join minerals on materials.mineral = minerals.mineral

),

-- A claim that names no year can be about any, up to the one it was made in.
matched as (

    select distinct
        claims.claim_id,
        claims.subject,
        coalesce(claims.subject = described.family, false) as is_family,
        described.source,
        described.year,
        described.material,
        described.share
    from claims
    inner join described
        on
            claims.supplier_iso3 = described.economy_iso3
            and claims.stage = described.stage
            and described.year
            between coalesce(year(claims.period_start), described.year)
            and year(coalesce(claims.period_start, claims.claimed_at))
            and claims.subject in (described.material, described.mineral, described.family)

),

alike as (

    select
        claim_id,
        subject,
        is_family,
        source,
        year,
        share,
        string_agg(material, ', ' order by material) as materials,
        count(*) as materials_alike,
        sum(count(*)) over (partition by claim_id, subject, source, year) as all_materials
    from matched
    group by claim_id, subject, is_family, source, year, share

),

-- A family whose members all have the same share is one subject. Where most have, the exceptions
-- are listed, and these are the others.
grouped as (

    select
        claim_id,
        source,
        year,
        share,
        case
            when materials_alike = all_materials and materials_alike > 1 then subject
            when is_family and materials_alike > 1 and 2 * materials_alike > all_materials
                then 'other ' || subject
            else materials
        end as subject
    from alike

),

-- A claim may name a family and one of its members.
found as (

    select distinct
        claim_id,
        subject || ', ' || source || ' ' || year as basis,
        share as value,
        'share_of_output' as unit,
        cast(year as varchar) as period,
        source,
        subject
    from grouped

),

not_found as (

    select
        claims.claim_id,
        claims.subject as basis,
        cast(null as double) as value,
        'share_of_output' as unit,
        strftime(claims.period_start, '%Y') as period,
        cast(null as varchar) as source,
        claims.subject
    from claims
    left join matched
        on
            claims.claim_id = matched.claim_id
            and claims.subject = matched.subject
    where matched.claim_id is null

),

evidence as (

    select * from found
    union all
    select * from not_found

)

select * from evidence
