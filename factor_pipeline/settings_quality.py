"""Settings of data quality."""

from pydantic import Field

from factor_pipeline.settings_sections import Number, Section


class QualitySettings(Section):
    """When data are too broken to go on."""

    max_bad_file_share: Number = Field(default=0.05, ge=0, le=1)
