"""Every error this package raises on purpose; each message ends in what to do next."""

from dataclasses import dataclass


class FactorPipelineError(Exception):
    """Root of all deliberate failures."""


class SettingsError(FactorPipelineError):
    """The settings file, an option or an environment variable is wrong (exit code 2)."""


class DataError(FactorPipelineError):
    """Data break a rule; a rerun on the same input fails again."""


class SchemaError(DataError):
    """A frame does not match the declared table."""


class WarehouseBusyError(FactorPipelineError):
    """Another process holds the work file."""


class StoppedError(FactorPipelineError):
    """A person stopped the run (exit code 130)."""


class QueryError(FactorPipelineError):
    """A user's SQL could not be answered."""


class UnknownTableError(QueryError):
    """A query names a table that the published file does not have."""


@dataclass(frozen=True, slots=True)
class BadFileError(Exception):
    """A fetched file is not what its data set promises; it goes to quarantine as a whole.

    Attributes
    ----------
    rule
        Short name of the broken rule, such as ``api_error`` or ``truncated_zip``.
    reason
        One sentence a person can act on.
    row
        One-based line of the file the reason points at, where there is one.
    value
        The offending text, shortened.
    """

    rule: str
    reason: str
    row: int | None = None
    value: str | None = None

    def __str__(self) -> str:
        """Rule and reason on one line."""
        return f"{self.rule}: {self.reason}"
