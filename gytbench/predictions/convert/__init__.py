"""Predictions from and to the formats of other tools; one module per format.

`registry.FORMATS` lists them. What a format cannot carry is counted in a `Report`.
"""

from gytbench.predictions.convert.contract import Coordinates, Image, Options, Query, Report
from gytbench.predictions.convert.converting import convert_from, convert_to
from gytbench.predictions.convert.registry import FORMATS

__all__ = [
    "FORMATS",
    "Coordinates",
    "Image",
    "Options",
    "Query",
    "Report",
    "convert_from",
    "convert_to",
]
