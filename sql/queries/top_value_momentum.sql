-- Grain: one row per stock.
-- Which stocks are cheap and rising at once?
-- The score is the mean of two z-scores, of the ranks of book_to_market and of momentum_12_2 among
-- the stocks that have both: what the strategy value_momentum trades on (Asness, Moskowitz and
-- Pedersen 2013). Equal scores are in order of security_id. Today is the newest month that has
-- both; all is known at the end of the month before (known_by): to test the ranking, join returns
-- of the SAME month_end. Market equity is in USD.
with settings as (
    select
        25 as stocks,
        true as members_only,
        (
            select max(month_end)
            from signal.characteristic
            where book_to_market is not null and momentum_12_2 is not null
        ) as month_end
),

names as (
    select
        security_id,
        max_by(name, valid_from) as company,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
),

eligible as (
    select
        characteristic.security_id,
        characteristic.month_end,
        characteristic.book_to_market,
        characteristic.momentum_12_2,
        characteristic.size,
        month_before.ticker,
        month_before.price,
        month_before.month_end as known_by
    from settings
    inner join signal.characteristic
        on settings.month_end = characteristic.month_end
    inner join panel.security_month as month_before
        on
            characteristic.security_id = month_before.security_id
            and month_before.month_end = last_day(characteristic.month_end - interval 1 month)
    where
        characteristic.book_to_market is not null
        and characteristic.momentum_12_2 is not null
        and (month_before.index_member or not settings.members_only)
),

-- Distance of each rank from the mean rank; equal values share the mean of their ranks.
ranked as (
    select
        *,
        count(*) over () as names_ranked,
        rank() over (order by book_to_market)
        + (count(*) over (partition by book_to_market) - 1) / 2
        - (count(*) over () + 1) / 2 as value_rank,
        rank() over (order by momentum_12_2)
        + (count(*) over (partition by momentum_12_2) - 1) / 2
        - (count(*) over () + 1) / 2 as momentum_rank
    from eligible
),

-- Ranks are multiples of one half, so these sums are exact in any order of rows.
scored as (
    select
        *,
        coalesce(
            value_rank
            / sqrt(nullif(sum(value_rank * value_rank) over (), 0) / (names_ranked - 1)),
            0
        ) as value_z,
        coalesce(
            momentum_rank
            / sqrt(nullif(sum(momentum_rank * momentum_rank) over (), 0) / (names_ranked - 1)),
            0
        ) as momentum_z
    from ranked
)

-- Rounded, as equal sums of ranks may differ in their last bit.
select
    scored.ticker,
    names.company,
    names.sector,
    scored.value_z,
    scored.momentum_z,
    scored.book_to_market,
    scored.momentum_12_2,
    scored.price,
    scored.size as firm_market_equity,
    scored.known_by,
    scored.month_end,
    (scored.value_z + scored.momentum_z) / 2 as score,
    row_number() over (
        order by round(scored.value_z + scored.momentum_z, 9) desc, scored.security_id asc
    ) as place
from scored
inner join names
    on scored.security_id = names.security_id
cross join settings
qualify place <= settings.stocks
order by place
