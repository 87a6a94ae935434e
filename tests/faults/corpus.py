"""Every fault the warehouse is known to meet, and what it does with it."""

from tests.faults.bad_prices import BAD_PRICES
from tests.faults.bad_rows import BAD_ROWS
from tests.faults.bad_series import BAD_SERIES
from tests.faults.bad_statements import BAD_STATEMENTS
from tests.faults.damaged_files import DAMAGED_FILES

CORPUS = (*DAMAGED_FILES, *BAD_ROWS, *BAD_PRICES, *BAD_STATEMENTS, *BAD_SERIES)
