-- The European Commission's shares of 2023 sum to 0.90 (indium) to 1.02 (cobalt, praseodymium);
-- magnesium's repeated row counted twice would give 1.13. What is published otherwise is used as
-- it is.
{{ config(severity='warn') }}

select
    mineral,
    source,
    sum(use_share) as sum_of_shares
from {{ ref('end_uses') }}
group by mineral, source
having sum(use_share) not between 0.9 - 1e-9 and 1.05
