-- Grain: one row per flag, the newest of all.
-- What the rules of data quality flagged last.
select
    rule,
    table_name,
    severity,
    subject,
    fault_date,
    known_date,
    figure,
    expected,
    detail
from quality.flag
order by known_date desc, fault_date desc, rule asc, subject asc
limit 20
