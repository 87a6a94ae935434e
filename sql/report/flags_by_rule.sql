-- Grain: one row per rule that flags rows.
-- What each rule looks for, and how many rows of how many subjects it has flagged.
select
    rule.table_name,
    rule.rule,
    rule.severity,
    rule.finds,
    rule.harm,
    rule.threshold,
    rule.unit,
    rule.why,
    count(flag.rule) as flags,
    count(distinct flag.subject) as subjects,
    max(flag.fault_date) as newest_fault
from quality.rule
left join quality.flag on rule.rule = flag.rule
where rule.kind = 'flag'
group by all
order by rule.table_name, rule.rule
