"""Every fault the warehouse is known to meet, and what it does with it."""

from tests.faults.bad_prices import BAD_PRICES
from tests.faults.bad_results import BAD_RESULTS
from tests.faults.bad_rows import BAD_ROWS
from tests.faults.bad_series import BAD_SERIES
from tests.faults.bad_statements import BAD_STATEMENTS
from tests.faults.damaged_files import DAMAGED_FILES
from tests.faults.fault import Fault

CHAPTERS: dict[str, tuple[Fault, ...]] = {
    "Files that are not what was asked for": DAMAGED_FILES,
    "Rows that no true row can be": BAD_ROWS,
    "Prices": BAD_PRICES,
    "Annual statements": BAD_STATEMENTS,
    "Library, index, benchmarks, macro series, listings": BAD_SERIES,
    "What only the results show": BAD_RESULTS,
}
CORPUS: tuple[Fault, ...] = tuple(fault for faults in CHAPTERS.values() for fault in faults)
