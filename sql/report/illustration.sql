-- Grain: one row per subject and metric of a widely quoted illustration.
-- What is quoted, and what the data say.
select
    subject,
    metric,
    quoted,
    ours,
    first_month,
    last_month,
    explanation
from backtest.illustration
