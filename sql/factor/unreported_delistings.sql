-- Grain: one row per (security_id, month_end).
-- Months that end in a delisting after bad performance whose return nobody reports: another
-- imputation gives them another return. compounded is the imputed return that ret contains, if any.
-- Months that have no return for other reasons (not over yet, disputed, excluded) are left out.
with delistings as (
    select
        security_id,
        delisting_reason,
        delisting_return
    from panel.security
    qualify row_number() over (partition by security_id order by valid_from) = 1
),

delisted as (
    select
        *,
        string_split(flags, ',') as named
    from panel.security_month
    where flags is not null
)

select
    delisted.security_id,
    delisted.month_end,
    delisted.ret,
    delisted.price,
    delisted.exchange,
    delisted.delisting_return as compounded,
    delistings.delisting_reason,
    delistings.delisting_return
from delisted
inner join delistings on delisted.security_id = delistings.security_id
where
    list_contains(delisted.named, 'delisted')
    and not list_has_any(delisted.named, ['partial_month', 'excluded'])
    and not (list_contains(delisted.named, 'disputed_return') and delisted.ret is null)
    and delistings.delisting_reason = 'performance'
    and delistings.delisting_return is null
order by delisted.month_end, delisted.security_id
