"""What becomes of a data set whose source does not deliver."""

from collections.abc import Sequence

from factor_pipeline.errors import DataError, FactorPipelineError


def reason_of(error: Exception, bad: Sequence[str], offered: int) -> str:
    """Say why nothing was taken from a source that has delivered before.

    It is published, and names no folder; the error itself does.

    Parameters
    ----------
    error
        What listing, reading or counting its files raised.
    bad, offered
        Its bad files, and how many it offered.
    """
    if isinstance(error, DataError):
        return f"{len(bad)} of {offered} files are bad, the first is {bad[0]}"
    if isinstance(error, OSError):
        return "files of it cannot be read"
    return "files of it are not there"


def as_refusal(error: Exception, data_set: str) -> FactorPipelineError:
    """Return the error that ends a run in which a data set has no rows to go on with."""
    if isinstance(error, FactorPipelineError):
        return error
    return DataError(f"{data_set}: {error}; check {data_set}.path in the settings")
