"""Which functions are signals."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.signals.known import Known

Floats = NDArray[np.float64]

SignalFunction = Callable[[Known], Floats]
"""Values of a signal for each row of what is known; NaN or infinite where there is none."""

SIGNALS: Final[dict[str, SignalFunction]] = {}
"""Functions by the column they fill; all are there once the package is imported."""


def signal(function: SignalFunction) -> SignalFunction:
    """Make ``function`` the signal of its name."""
    SIGNALS[function.__name__] = function
    return function
