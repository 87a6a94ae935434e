-- Grain: one row per (subject, fault_date).
-- Days on which the number of index members is not about what it was a month before.
-- Parameters: $threshold (share of the members).
with changes as (
    select
        start_date as changed_on,
        1 as step
    from raw.index_member
    union all
    select
        end_date as changed_on,
        -1 as step
    from raw.index_member
    where end_date is not null
),

counts as (
    select
        changed_on,
        sum(sum(step)) over (order by changed_on) as members
    from changes
    group by changed_on
),

compared as (
    select
        counts.changed_on,
        counts.members,
        earlier.members as earlier_members
    from counts
    asof inner join counts as earlier
        on counts.changed_on - 31 >= earlier.changed_on
)

select
    'members' as subject,
    changed_on as fault_date,
    changed_on as known_date,
    cast(members as double) as figure,
    cast(earlier_members as double) as expected,
    'members, against those of a month before' as detail,
    cast(null as varchar) as file
from compared
where abs(members - earlier_members) > greatest($threshold * earlier_members, 5)
