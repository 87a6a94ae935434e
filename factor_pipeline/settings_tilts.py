"""Tilts in the settings file: their keys, defaults and accepted values."""

from typing import Literal, Self

from pydantic import Field, model_validator

from factor_pipeline.compute.tilts import Tilt
from factor_pipeline.errors import SettingsError
from factor_pipeline.settings_sections import Number, Section, Whole


class BetaBounds(Section):
    """Numbers betas must be above, or below; a beta that is not named may be anything."""

    beta_mkt: Number | None = None
    beta_smb: Number | None = None
    beta_hml: Number | None = None
    beta_umd: Number | None = None
    beta_rmw: Number | None = None
    beta_cma: Number | None = None


RankedBeta = Literal[
    "beta_mkt",
    "beta_smb",
    "beta_hml",
    "beta_umd",
    "beta_rmw",
    "beta_cma",
    "-beta_mkt",
    "-beta_smb",
    "-beta_hml",
    "-beta_umd",
    "-beta_rmw",
    "-beta_cma",
]


class TiltSettings(Section):
    """A filter on betas and a ranking by them, as `compute.tilts.Tilt` explains."""

    name: str
    model: Literal["CAPM", "FF3", "Carhart", "FF5"] = "FF3"
    above: BetaBounds = BetaBounds()
    below: BetaBounds = BetaBounds()
    rank_by: tuple[RankedBeta, ...] = Field(min_length=1)
    top: Whole | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _makes_a_rule(self) -> Self:
        try:
            self.rule()
        except SettingsError as error:
            raise ValueError(str(error)) from None
        return self

    def rule(self) -> Tilt:
        """Return the tilt as the computation takes it."""
        return Tilt(
            name=self.name,
            model=self.model,
            above=self.above.model_dump(exclude_none=True),
            below=self.below.model_dump(exclude_none=True),
            rank_by=self.rank_by,
            top=self.top,
        )


DEFAULT_TILTS = (
    TiltSettings(
        name="small_value",
        above=BetaBounds(beta_smb=0.0, beta_hml=0.0),
        rank_by=("beta_smb", "beta_hml"),
        top=100,
    ),
    TiltSettings(
        name="large_growth",
        below=BetaBounds(beta_smb=0.0, beta_hml=0.0),
        rank_by=("-beta_smb", "-beta_hml"),
        top=100,
    ),
    TiltSettings(name="high_beta", above=BetaBounds(beta_mkt=1.0), rank_by=("beta_mkt",), top=100),
    TiltSettings(name="defensive", below=BetaBounds(beta_mkt=1.0), rank_by=("-beta_mkt",), top=100),
)
