"""Portfolio formation: from what is known before a month to the weights it starts with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.compute.accounting import Book, Floats, Integers
from factor_pipeline.compute.breakpoints import DEFAULT_BREAKPOINT_RULE, BreakpointRule
from factor_pipeline.compute.legs import chosen, leg_size, leg_weights
from factor_pipeline.compute.ordering import codes_in
from factor_pipeline.compute.ranking import Candidates, Ranking, Score
from factor_pipeline.compute.strategies import Strategy, require_distinct

TARGET_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "weight": pl.Float64(),
    }
)


@dataclass(frozen=True, slots=True)
class Formation:
    """Forms the targets of strategies month by month, knowing what they hold.

    Attributes
    ----------
    securities
        Identifiers of the candidates, ascending.
    rankings
        The ranking of each score.
    """

    securities: pl.Series
    rankings: Mapping[Score, Ranking]

    @classmethod
    def of(
        cls,
        candidates: pl.DataFrame,
        strategies: Sequence[Strategy],
        *,
        cap_rule: BreakpointRule = DEFAULT_BREAKPOINT_RULE,
    ) -> "Formation":
        """Rank ``candidates`` for ``strategies``; see `targets` for parameters and errors.

        ``cap_rule`` says how the cap of ``capped`` weights is drawn.
        """
        require_distinct(strategies)
        rows = Candidates.of(candidates)
        months = rows.frame["month_end"].unique().sort().to_list()
        due: dict[Score, set[date]] = {}
        for strategy in strategies:
            rows.require(strategy)
            dates = (month for month in months if strategy.rebalances_in(month))
            due.setdefault(Score.of(strategy), set()).update(dates)
        rankings = {
            score: rows.ranking(score, sorted(dates), cap_rule) for score, dates in due.items()
        }
        return cls(rows.securities, rankings)

    def former(
        self, strategies: Sequence[Strategy], securities: pl.Series
    ) -> Callable[[date, Book], Book]:
        """Return what forms the targets of ``strategies``, which share a score, in a month.

        Parameters
        ----------
        strategies
            In the order of the books.
        securities
            What the security codes of the books stand for, ascending; holds all candidates.

        Returns
        -------
        Callable
            From the last day of a month and the positions held before it to the positions wanted;
            a strategy that does not rebalance has none.
        """
        codes = codes_in(securities, self.securities)
        (score,) = {Score.of(strategy) for strategy in strategies}
        ranking = self.rankings[score].with_codes(codes)

        def form(month_end: date, opening: Book) -> Book:
            rows = ranking.rows.get(month_end)
            if rows is None:
                return Book.empty(len(strategies))
            parts = [
                _target(strategy, ranking, rows, opening.of_strategy(place))
                if strategy.rebalances_in(month_end)
                else _NOTHING
                for place, strategy in enumerate(strategies)
            ]
            return Book(
                np.array([security.size for security, _ in parts], dtype=np.int64),
                np.concatenate([security for security, _ in parts]),
                np.concatenate([weight for _, weight in parts]),
            )

        return form


_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0))


def _target(
    strategy: Strategy, ranking: Ranking, rows: slice, holds: tuple[Integers, Floats]
) -> tuple[Integers, Floats]:
    """Security codes and weights one strategy wants; nothing where a leg has too few names."""
    position, security = ranking.position[rows], ranking.security[rows]
    mass, sector = ranking.mass[rows], ranking.sector[rows]
    size = leg_size(strategy, position.size)
    if size < strategy.min_names:
        return _NOTHING
    legs: list[Integers] = []
    weights: list[Floats] = []
    for side in (1.0, -1.0) if strategy.kind == "long_short" else (1.0,):
        place = position
        if side < 0:
            # The short leg is that of the ranking turned round, less what is long already.
            place = position.size - 1 - position
            place[legs[0]] = position.size
        held = None
        if strategy.turnover_buffer:
            held = np.isin(security, holds[0][np.sign(holds[1]) == side])
        leg = np.flatnonzero(chosen(place, size, strategy, held=held, sector=sector))
        if leg.size < strategy.min_names:
            return _NOTHING
        legs.append(leg)
        weights.append(side * leg_weights(mass[leg], sector[leg], strategy))
    if len(legs) == 1:
        return security[legs[0]], weights[0]
    both, weight = np.concatenate(legs), np.concatenate(weights)
    order = np.argsort(both, kind="stable")
    return security[both[order]], weight[order]


def targets(candidates: pl.DataFrame, strategies: Sequence[Strategy]) -> pl.DataFrame:
    r"""Weights each strategy wants at the start of its rebalance months when it holds nothing.

    A security can be chosen when it is in the strategy's universe on the formation date and has
    every signal of the strategy (and what it is weighted by, above 0). The ``n`` such securities of
    a month are ranked on the score below, best first; equal scores are ordered by ``security_id``.
    The long leg is the first ``k = floor(top_share * n)`` (or ``names``), the short leg the last
    ``k``. A leg's weights sum to 1 (long) or -1 (short), to less where ``sector_cap`` leaves cash.
    With a ``turnover_buffer`` targets depend on what is held: `Formation` knows it.

    Parameters
    ----------
    candidates
        Unique ``security_id``, ``month_end`` (the month the weights are for) with ``member``
        (Boolean, index member on the last day of the month before; null is no member),
        ``lagged_market_equity`` (currency, end of the month before) and every signal column;
        ``exchange`` for ``capped`` weights, ``volatility_252d`` for ``inverse_volatility``,
        ``sector`` for a ``sector_cap``. All values known before the month begins; null and
        non-finite values count as missing. Months before the ones wanted serve ``lag_months``.
    strategies
        What to form; names are unique.

    Returns
    -------
    pl.DataFrame
        ``strategy``, ``security_id``, ``month_end``, ``weight`` (share of capital, never 0),
        sorted by strategy, month and security; only rebalance months in which a leg has at least
        the strategy's ``min_names``.

    Raises
    ------
    DataError
        When a candidate has two rows in a month.
    SettingsError
        When a strategy names a column that ``candidates`` lacks, or two share a name.

    Notes
    -----
    With average ranks :math:`R_{ik}` of signal k among the eligible securities of the month,

    .. math:: s_i = \sum_k w_k z_{ik}, \qquad
              z_{ik} = \frac{R_{ik} - (n + 1) / 2}{\operatorname{sd}(R_k)},

    the standard deviation with n - 1. A signal that is equal for all gives z = 0. Ranks are
    multiples of one half, so all their sums are exact and the order of rows changes no bit.

    References
    ----------
    Asness, Moskowitz and Pedersen (2013), *Journal of Finance* 68(3).
    """
    formation = Formation.of(candidates, strategies)
    parts = [pl.DataFrame(schema=TARGET_SCHEMA)]
    for strategy in sorted(strategies, key=lambda one: one.name):
        form = formation.former([strategy], formation.securities)
        months = formation.rankings[Score.of(strategy)].rows
        books = {month: form(month, Book.empty(1)) for month in months}
        parts += [
            pl.DataFrame(
                {
                    "strategy": pl.repeat(strategy.name, book.security.size, eager=True),
                    "security_id": formation.securities.gather(book.security),
                    "month_end": pl.repeat(month, book.security.size, eager=True),
                    "weight": book.weight,
                },
                schema=TARGET_SCHEMA,
            )
            for month, book in books.items()
        ]
    return pl.concat(parts)
