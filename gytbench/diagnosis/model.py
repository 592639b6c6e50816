"""What a diagnosis holds: which error costs what, and where a system is weak."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from gytbench.metrics.arrays import Floats, Ints

CAUSES: Final = (
    "background",
    "wrong label",
    "wrong time",
    "wrong place",
    "time and place",
    "duplicate",
    "missed",
)
"""Causes of errors; the last is that of instances, the others are those of tubes."""


class Cause(NamedTuple):
    """One cause of errors of the task `st`."""

    name: str
    total: int
    """False tubes with this cause; of "missed": instances that no tube was near."""
    gain: float
    """What video mAP at the threshold of the diagnosis would gain (0 to 1) if all of these,
    and nothing else, were mended."""


class Factors(NamedTuple):
    """IoU+Point taken apart: 2 TP / (G + D) = time x label x place, and IoU = F / (2 - F).

    Each is a fraction; NaN where nothing is left to be right or wrong.
    """

    time: float
    """2 |G n D| / (G + D): seconds that are covered and predicted."""
    label: float
    """L / |G n D|: of those, the share whose label is right."""
    place: float
    """TP / L: of those, the share whose point is in the box."""
    iou_point: float
    """As scored; equal to what the factors give."""


class Bin(NamedTuple):
    """The instances of one range of a property."""

    name: str
    instances: int
    label_found: float
    """Share of their seconds with a box at which the label is right; NaN without one."""
    point_found: float
    """Share of those seconds at which label and point are right."""
    tube_found: float
    """Share of the instances with a box that a tube takes at the threshold; NaN without regions."""


class Calibration(NamedTuple):
    """Tubes of one range of scores: a calibrated score is the share that is right."""

    low: float
    high: float
    tubes: int
    mean_score: float
    right: float
    """Share of the tubes that take an instance at the threshold."""


@dataclass(frozen=True)
class TauSweep:
    """IoU+Point (and its parts) when only seconds whose score is at least tau are predicted."""

    tau: Floats
    """Ascending (k); the first keeps everything."""
    iou_point: Floats
    label_iou: Floats
    tubes: Ints
    """How many tubes still predict a second (k)."""

    @property
    def best(self) -> int:
        """The index of the best IoU+Point. It is chosen on the test set: no result."""
        return int(np.nanargmax(self.iou_point)) if not np.isnan(self.iou_point).all() else 0


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of one prediction file for the task `st`."""

    threshold: float
    """Tube IoU from which a tube is right."""
    video_map: float | None
    """Video mAP at the threshold; None where no tube has a region: causes are then empty."""
    tubes: int
    """Tubes that are ranked: right ones and false ones."""
    right: int
    instances: int
    """Instances with a box: those that a tube takes, and the others."""
    causes: tuple[Cause, ...]
    factors: Factors
    sensitivity: Mapping[str, tuple[Bin, ...]]
    """By property: "length", "box size", "annotator spread", "class frequency", "position"."""
    calibration: tuple[Calibration, ...]
    tau: TauSweep
