-- Grain: one row, or none without a library.
-- Vintage that is used where the settings say 'latest': of those that have most of the factors of
-- the models the newest, as no model may mix vintages. Momentum comes in a file of its own, so that
-- the newest vintage of the other files may lack it.
select vintage
from factor.factor_return
where
    source = 'library'
    and factor in ('RF', 'MKT', 'SMB', 'SMB_FF5', 'HML', 'UMD', 'RMW', 'CMA')
group by vintage
order by count(distinct factor) desc, vintage desc
limit 1
