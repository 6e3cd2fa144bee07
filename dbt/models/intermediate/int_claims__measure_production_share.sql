with claims as (

    select
        claim_id,
        claimed_at,
        claimed_low,
        claimed_high,
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
    from {{ ref('int_production__compute_shares') }}
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
        name,
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
        minerals.family,
        coalesce(lower(minerals.name), {{ subject_name('shares.material') }}) as name
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
        claims.claimed_low,
        claims.claimed_high,
        described.source,
        described.year,
        described.name,
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
        claimed_low,
        claimed_high,
        source,
        year,
        share,
        regexp_replace(string_agg(name, ', ' order by name), ', ([^,]+)$', ' and \1') as names,
        count(*) as members,
        sum(count(*)) over (partition by claim_id, subject, source, year) as all_members
    from matched
    group by
        claim_id, subject, is_family, claimed_low, claimed_high, source, year, share

),

-- Members of a family are told in one word where all have the same share. Where most have, the
-- exceptions are told by their names, and these are the others.
named as (

    select
        claim_id,
        subject,
        claimed_low,
        claimed_high,
        source,
        year,
        share,
        case
            when members = all_members and members > 1 then {{ subject_name('subject') }}
            when is_family and members > 1 and 2 * members > all_members
                then 'other ' || {{ subject_name('subject') }}
            else names
        end as name
    from alike

),

found as (

    select
        claim_id,
        name || ', ' || source || ' ' || year as basis,
        share as computed_value,
        name
        || ' ('
        || {{ as_percent_within('share', 'claimed_low', 'claimed_high') }}
        || '; '
        || {{ publisher_name('source') }}
        || ' '
        || year
        || ')' as finding
    from named

),

not_found as (

    select
        claims.claim_id,
        claims.subject as basis,
        cast(null as double) as computed_value,
        {{ subject_name('claims.subject') }} as finding
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
