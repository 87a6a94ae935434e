"""Charts as pictures: what shows them where no script runs."""

import base64
import json
import re
from functools import cache

import vl_convert

from factor_pipeline.reporting.blocks import Spec
from factor_pipeline.reporting.charts import POINTED_AT
from factor_pipeline.reporting.palette import LIGHT, in_light

_WIDTH = 720


def svg(spec: Spec, *, width: int = _WIDTH) -> str:
    """Draw a chart in the light colours, as a data URI."""
    seen: dict[str, int] = {}
    drawn = vl_convert.vegalite_to_svg(in_light(json.dumps(_still(spec, width))))
    # Vega counts clip paths over all charts a process draws: the same chart would differ.
    drawn = re.sub(r"\bclip\d+", lambda clip: f"clip{seen.setdefault(clip[0], len(seen))}", drawn)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


@cache
def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that needs no network."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # Inside a page, these would end the script or change how it is read.
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _still(spec: Spec, width: int) -> Spec:
    """Return the chart on a ground of its own, without what answers to a pointer."""
    still = {**spec, "width": width, "background": LIGHT["page"]}
    if "layer" in spec:
        still["layer"] = [layer for layer in spec["layer"] if layer.get("name") != POINTED_AT]
        still["params"] = [param for param in spec["params"] if "views" not in param]
    return still
