with claims as (

    select
        claim_id,
        supplier_iso3,
        stage,
        period_start,
        unnest(minerals) as subject
    from {{ ref('int_claims__select_known_claims') }}
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
    from {{ ref('int_reference__select_material_labels') }}
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

-- Where the claim names no year, each source's newest figure on the material counts.
matched as (

    select distinct
        claims.claim_id,
        claims.subject,
        described.source,
        described.year,
        described.name,
        described.share
    from claims
    inner join described
        on
            claims.supplier_iso3 = described.economy_iso3
            and claims.stage = described.stage
            and year(coalesce(claims.period_start, make_date(described.year, 1, 1)))
            = described.year
            and claims.subject in (described.material, described.mineral, described.family)
    qualify
        rank() over (
            partition by claims.claim_id, claims.subject, described.source, described.material
            order by described.year desc
        ) = 1

),

-- Members of a family are told in one word where all have the same share, else by their names.
alike as (

    select
        claim_id,
        subject,
        source,
        year,
        share,
        string_agg(name, ', ' order by name) as names,
        count(*) as members,
        count(*) over (partition by claim_id, subject, source) as different_shares
    from matched
    group by claim_id, subject, source, year, share

),

named as (

    select
        claim_id,
        subject,
        source,
        year,
        share,
        case
            when different_shares = 1 and members > 1 then {{ subject_name('subject') }}
            else names
        end as name
    from alike

),

found as (

    select
        claim_id,
        name || ', ' || source as basis,
        share as computed_value,
        name
        || ' ('
        || {{ as_percent('share') }}
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
