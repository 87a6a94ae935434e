"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine is slow now and then; a test that takes long is not wrong.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def vendor_data() -> Path:
    """Folder with real vendor files; their terms do not allow shipping them."""
    folder = Path(os.environ.get("FACTOR_DATA", PROJECT.parent / "shared" / "data")).resolve()
    if (folder / "ken_french").is_dir():
        return folder
    reason = f"no vendor files at {folder}; set FACTOR_DATA to their folder"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
