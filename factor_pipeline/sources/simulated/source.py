"""The simulated market as a source of every data set."""

from dataclasses import dataclass, field
from threading import Lock
from typing import ClassVar

import polars as pl

from factor_pipeline.errors import SettingsError
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.sources.protocol import Offer, Parsed
from factor_pipeline.sources.simulated.data_sets import data_sets_of
from factor_pipeline.sources.simulated.market import simulate_market
from factor_pipeline.sources.simulated.names import ticker_spells
from factor_pipeline.sources.simulated.parameters import SimulationParameters
from factor_pipeline.sources.simulated.truth import truth, truth_of

FILE_NAME = "market.json"


@dataclass(frozen=True, slots=True)
class MarketFile:
    """The one file on offer: the parameters of a market, whose hash identifies the market."""

    parameters: SimulationParameters
    name: ClassVar[str] = FILE_NAME
    vintage: ClassVar[str | None] = None

    def read(self) -> bytes:
        """Return the parameters as canonical JSON."""
        return self.parameters.to_json()


@dataclass(frozen=True, slots=True)
class Simulated:
    """One data set of a simulated market; needs no network and no files.

    Attributes
    ----------
    data_set
        Key of ``schemas.raw.DATA_SETS``.
    parameters
        The market.

    Raises
    ------
    SettingsError
        When there is no such data set.
    """

    data_set: str
    parameters: SimulationParameters = field(default_factory=SimulationParameters)
    name: ClassVar[str] = "simulated"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.data_set not in DATA_SETS:
            raise SettingsError(
                f"the simulated market has no data set {self.data_set!r}; "
                f"choose one of {', '.join(DATA_SETS)}"
            )

    def files(self) -> list[MarketFile]:
        """Return the one file, the parameters."""
        return [MarketFile(self.parameters)]

    def parse(self, file: Offer, content: bytes) -> Parsed:  # noqa: ARG002 - there is one file
        """Generate the market that ``content`` describes and return this data set of it.

        The other data sets of the market wait in memory until they are asked for, so that nine
        data sets take one generation. Each is handed out once: asking again generates again.

        Raises
        ------
        BadFileError
            ``bad_parameters`` when ``content`` is not what ``MarketFile.read`` gives.
        """
        return Parsed(_WAITING.take(content, self.data_set))


def truth_behind(content: bytes) -> dict[str, pl.DataFrame]:
    """Return the ``truth`` of the market that ``content`` describes.

    It waits in memory since the data sets of that market were generated, for one taker; without
    them the market is generated for it.

    Raises
    ------
    BadFileError
        As ``Simulated.parse``.
    """
    return _WAITING.take_truth(content)


def release() -> None:
    """Forget what was generated but not asked for."""
    _WAITING.clear()


class _Waiting:
    """Data sets, and truth, of the market generated last that nobody has asked for yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._content = b""
        self._frames: dict[str, pl.DataFrame] = {}
        self._truth: dict[str, pl.DataFrame] = {}

    def take(self, content: bytes, data_set: str) -> pl.DataFrame:
        with self._lock:
            if content != self._content or data_set not in self._frames:
                parameters = SimulationParameters.from_json(content)
                # The old market goes before the new one comes: both may not fit.
                self._forget()
                market = simulate_market(parameters)
                spells = ticker_spells(market)
                self._truth = truth_of(market, spells)
                self._frames, self._content = data_sets_of(market, spells), content
            return self._frames.pop(data_set)

    def take_truth(self, content: bytes) -> dict[str, pl.DataFrame]:
        with self._lock:
            if content != self._content or not self._truth:
                # Other data sets of the market stay out of memory: nobody asks for them now.
                return truth(SimulationParameters.from_json(content))
            taken, self._truth = self._truth, {}
            return taken

    def clear(self) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._content, self._frames, self._truth = b"", {}, {}


_WAITING = _Waiting()
