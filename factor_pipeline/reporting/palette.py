"""Colours that people with any colour vision can tell apart, for light and dark pages.

Series follow Okabe and Ito, darkened or lightened until they stand out from the page by 3 to 1;
levels run from red over the page's own colour to blue (ColorBrewer's RdBu).
"""

from typing import Final

SERIES: Final = 8
"""Number of series a chart can tell apart."""
LEVELS: Final = 4
"""Number of shades on either side of zero."""

LIGHT: Final = {
    "page": "#ffffff",
    "panel": "#f5f6f8",
    "ink": "#1b1f24",
    "muted": "#59636e",
    "line": "#d5d9de",
    "accent": "#0059b3",
    "banner": "#8a3b00",
    "s0": "#30363d",
    "s1": "#0072b2",
    "s2": "#cc4c00",
    "s3": "#00835f",
    "s4": "#b0508a",
    "s5": "#a87400",
    "s6": "#6f5bd0",
    "s7": "#7a5c3e",
    "n4": "#b2182b",
    "n3": "#de6c58",
    "n2": "#f4a582",
    "n1": "#fbe0d1",
    "p1": "#d9e8f2",
    "p2": "#92c5de",
    "p3": "#4393c3",
    "p4": "#2166ac",
    "on_strong": "#ffffff",
}
DARK: Final = {
    "page": "#14171c",
    "panel": "#1e232a",
    "ink": "#e6e9ed",
    "muted": "#a3acb7",
    "line": "#363d47",
    "accent": "#79b8ff",
    "banner": "#9c4a0a",
    "s0": "#d7dbe2",
    "s1": "#56b4e9",
    "s2": "#ff8a4c",
    "s3": "#2fc99a",
    "s4": "#e59ac6",
    "s5": "#f2b84b",
    "s6": "#a99bff",
    "s7": "#c7a27c",
    "n4": "#c8384a",
    "n3": "#94323a",
    "n2": "#642b32",
    "n1": "#38242a",
    "p1": "#1f2d3d",
    "p2": "#234b70",
    "p3": "#265f95",
    "p4": "#2f78bb",
    "on_strong": "#ffffff",
}


def variable(name: str) -> str:
    """CSS variable of a colour, which follows the theme of the page."""
    return f"var(--{name})"


def in_light(text: str) -> str:
    """Put the light colours where ``text`` has variables, for pictures outside the page."""
    for name, colour in LIGHT.items():
        text = text.replace(variable(name), colour)
    return text
