"""Another machine publishes the same tables bit for bit, and so does another Python.

The other machine is this one without the processor's vector units, with which exponentials, sums
and linear algebra take other paths. The other Python is one you name; it needs the package's
dependencies only:

    FACTOR_OTHER_PYTHON=/path/to/venv/bin/python pytest tests/pipeline/test_another_machine.py

Where a table differs, look for what went through BLAS or LAPACK (``compute.rounding`` is for
that), through a function of NumPy that is not exact (exp, log, power), or through an order of rows
that nobody sorted.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from tests.pipeline.conftest import make_home, published_tables

OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Nehalem",
}
PROJECT = Path(__file__).parents[2]


@pytest.mark.slow
def test_another_machine_publishes_the_same_tables(built, tmp_path):
    home = make_home(tmp_path)
    environment = home.environment | OLD_PROCESSOR | {"PYTHONPATH": str(PROJECT)}
    python = os.environ.get("FACTOR_OTHER_PYTHON", sys.executable)
    command = [python, "-m", "factor_pipeline.cli", "run"]
    run = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    ours, theirs = built.tables(), published_tables(home.published)
    assert ours.keys() == theirs.keys()
    assert sum(frame.height for frame in ours.values()) > 100_000
    for name, frame in ours.items():
        assert_frame_equal(frame, theirs[name], check_exact=True)
