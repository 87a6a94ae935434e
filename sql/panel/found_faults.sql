-- Grain: one row per (security_id, month_end, rule).
-- Dated flags of prices and statements, in the month in which each became known.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select distinct
    securities.security_id,
    flags.rule,
    last_day(flags.known_date) as month_end
from quality.flag as flags
inner join quality.rule as rules
    on
        flags.rule = rules.rule
        and rules.dated
asof inner join panel.security as securities
    on
        flags.subject = securities.vendor_id
        and flags.known_date >= securities.valid_from
where
    flags.stage = 'data'
    and flags.table_name in ('raw.price_daily', 'raw.fundamental')
    and flags.known_date >= $month_start
    and flags.known_date < $month_end
order by securities.security_id, month_end, flags.rule
