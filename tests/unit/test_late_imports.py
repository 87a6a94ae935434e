import os
import subprocess
import sys

# Seconds of every command, and hundreds of megabytes of a run.
LATE = ("great_expectations", "statsmodels", "altair")


def test_what_is_slow_to_import_waits_until_it_is_needed(tmp_path):
    code = (
        "import sys\n"
        "import factor_pipeline.cli, factor_pipeline.definitions, factor_pipeline.quality_state\n"
        "import factor_pipeline.checks.data_docs, factor_pipeline.checks.catalogue\n"
        f"print(sorted(set({LATE}) & set(sys.modules)))"
    )
    environment = os.environ | {"FACTOR_HOME": str(tmp_path), "FACTOR_CONFIG": ""}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
