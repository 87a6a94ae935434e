"""Every fault the warehouse is known to meet, and what it does with it."""

from tests.faults.bad_rows import BAD_ROWS
from tests.faults.damaged_files import DAMAGED_FILES

CORPUS = (*DAMAGED_FILES, *BAD_ROWS)
