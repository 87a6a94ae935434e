"""The settings section of exchange-traded funds: their files, and what their names promise."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.settings_sections import DataSetSection, Number, Section

_FACTORS_OF: Final = {model.name: model.factor_names for model in MODELS}


class EtfPromise(Section):
    """A fund's loading on ``factor`` in ``model`` is above, below or near ``level``."""

    ticker: Annotated[str, Field(min_length=1)]
    promise: str
    model: Literal["CAPM", "FF3", "Carhart", "FF5"] = "FF3"
    factor: Literal["MKT", "SMB", "HML", "UMD", "SMB_FF5", "RMW", "CMA"]
    relation: Literal["above", "below", "near"] = "above"
    level: Number = Field(default=0.0, ge=-5, le=5)

    @model_validator(mode="after")
    def _factor_is_of_the_model(self) -> Self:
        accepted = _FACTORS_OF[self.model]
        if self.factor not in accepted:
            raise ValueError(
                f'model "{self.model}" has no factor {self.factor}; its factors are '
                f"{', '.join(accepted)}"
            )
        return self


def _promise(ticker: str, promise: str, model: str, factor: str, **more: object) -> EtfPromise:
    return EtfPromise.model_validate(
        {"ticker": ticker, "promise": promise, "model": model, "factor": factor} | more
    )


PUBLIC_PROMISES: Final = (
    _promise("SPY", "the market", "CAPM", "MKT", relation="near", level=1.0),
    _promise("SPY", "large", "FF3", "SMB", relation="below"),
    _promise("VTV", "value", "FF3", "HML"),
    _promise("VUG", "large growth", "FF3", "HML", relation="below"),
    _promise("VUG", "large growth", "FF3", "SMB", relation="below"),
    _promise("MTUM", "momentum", "Carhart", "UMD"),
    _promise("QUAL", "quality", "FF5", "RMW"),
    _promise("USMV", "low volatility", "CAPM", "MKT", relation="below", level=1.0),
    _promise("IWM", "small", "FF3", "SMB"),
    _promise("IJS", "small value", "FF3", "SMB"),
    _promise("IJS", "small value", "FF3", "HML"),
    _promise("QMLF", "value and momentum", "Carhart", "HML"),
    _promise("QMLF", "value and momentum", "Carhart", "UMD"),
)
"""Funds that primers name for each factor."""

SIMULATED_PROMISES: Final = (
    _promise("SIMMKT", "the market", "CAPM", "MKT", relation="near", level=1.0),
    _promise("SIMVAL", "value", "FF3", "HML"),
    _promise("SIMGRO", "growth", "FF3", "HML", relation="below"),
    _promise("SIMMOM", "momentum", "Carhart", "UMD"),
    _promise("SIMQLT", "quality", "FF5", "RMW"),
    _promise("SIMLOV", "low volatility", "CAPM", "MKT", relation="below", level=1.0),
    _promise("SIMSML", "small", "FF3", "SMB"),
)
"""Funds of the embedded market."""

_DEFAULT_PROMISES: Final = {"simulated": SIMULATED_PROMISES, "yahoo": PUBLIC_PROMISES}


class EtfSettings(DataSetSection):
    """Exchange-traded funds; ``promises`` are those of the source's funds unless given."""

    source: Literal["simulated", "yahoo", "none"] = "simulated"
    promises: tuple[EtfPromise, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _promises_of_the_source(cls, section: object) -> object:
        if not isinstance(section, dict) or "promises" in section:
            return section
        source = section.get("source", "simulated")
        promises = _DEFAULT_PROMISES.get(source, ()) if isinstance(source, str) else ()
        return {**section, "promises": promises}

    @model_validator(mode="after")
    def _one_promise_per_loading(self) -> Self:
        loadings = [(one.ticker, one.model, one.factor) for one in self.promises]
        if repeated := sorted({one for one in loadings if loadings.count(one) > 1}):
            raise ValueError(f"promises has {' '.join(repeated[0])} twice; keep one of them")
        return self
