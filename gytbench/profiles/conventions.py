"""What a profile is made of: one small object for each kind of metric, all choices named.

A part says what it measures and how; `scoring` does it. Every choice of a part stands in
the signature, under the name of the metric.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from gytbench.metrics.precision_rules import Rule
from gytbench.predictions import Task

TUBE_THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.4, 0.5)
TIME_THRESHOLDS: Final = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True)
class Ranking:
    """From overlaps to average precision.

    ties: order of equal scores: `file`, that of the file, or `reversed`.
    match: `next-best`: a prediction whose best truth is taken goes on to the next;
    `first-choice`: it is wrong; `per-truth`: each truth, in the order of the ground truth,
    takes the free prediction of highest overlap, whatever its score.
    strict: an overlap equal to the threshold is too little.
    ap: the rule of average precision. classes: which are averaged: those `with-truth`,
    those `with-both` truth and predictions, or all that are `named` by an instance, 0 where
    none of it has a box.
    """

    ap: Rule
    match: Literal["next-best", "first-choice", "per-truth"]
    ties: Literal["file", "reversed"] = "file"
    strict: bool = False
    classes: Literal["with-truth", "with-both", "named"] = "with-truth"

    def text(self) -> str:
        """The choices, for the signature."""
        reach = "above" if self.strict else "at-least"
        return f"{self.match},{reach},{self.ap},ties-{self.ties},classes-{self.classes}"


@dataclass(frozen=True)
class TubePrecision:
    """AP over whole tubes. overlap: `product`, IoU in time x mean IoU of the boxes over
    inclusive seconds, or `volumetric`. suppression: a tube falls to a better one of its
    video and class of higher tube IoU than this."""

    metric: ClassVar = "video_map"
    ranking: Ranking
    overlap: Literal["product", "volumetric"]
    pixel: Literal[0, 1] = 0
    suppression: float | None = None

    def text(self) -> str:
        """The choices, for the signature."""
        fallen = "" if self.suppression is None else f",nms-{self.suppression:g}"
        return f"{self.overlap},pixel+{self.pixel}{fallen},{self.ranking.text()}"


@dataclass(frozen=True)
class FramePrecision:
    """AP over boxes, frame by frame. frames: whose predictions count: of `all` seconds,
    of the `annotated` ones, or of those that show the `class`. top: the best so many of a
    frame, or of each class of a frame. suffix: what tells the metric from another of the
    same profile."""

    metric: ClassVar = "frame_map"
    ranking: Ranking
    pixel: Literal[0, 1] = 0
    frames: Literal["all", "annotated", "class"] = "all"
    top: int | None = None
    top_of: Literal["frame", "class"] = "frame"
    suffix: str = ""

    def text(self) -> str:
        """The choices, for the signature."""
        each = "" if self.top_of == "frame" else "-of-class"
        best = "" if self.top is None else f",top-{self.top}{each}"
        return f"pixel+{self.pixel},frames-{self.frames}{best},{self.ranking.text()}"


@dataclass(frozen=True)
class TimePrecision:
    """AP over labelled intervals in continuous time; where they happen plays no part."""

    metric: ClassVar = "temporal_map"
    ranking: Ranking
    thresholds: tuple[float, ...] = ()
    """Besides those of 0.1 to 0.5, averaged under a name of their own."""

    def text(self) -> str:
        """The choices, for the signature."""
        return f"continuous,{self.ranking.text()}"


@dataclass(frozen=True)
class AnswerOverlap:
    """Mean overlap of one tube for each description. union: the seconds that an IoU is
    divided by, in the span of both tubes: `every`, or those that are `sampled`, where either
    tube has a box. interpolate: boxes between two predicted ones lie on a straight line.
    unanswered: an instance without a tube is `refused`, or `left-out` of the mean."""

    metric: ClassVar = "viou"
    union: Literal["every", "sampled"]
    interpolate: bool
    unanswered: Literal["refused", "left-out"]

    def text(self) -> str:
        """The choices, for the signature."""
        between = "linear" if self.interpolate else "none"
        return f"union-{self.union},between-{between},above,unanswered-{self.unanswered}"


@dataclass(frozen=True)
class Pointing:
    """The pointing game. last: `padded`, a clip ends before its last second. shift: the
    predicted second for a true one lies so much earlier. rounded: corners of true boxes
    are rounded to whole pixels. heatmap: a heatmap points at its first highest `cell`,
    or at the first highest `pixel` when it is resized to the frame."""

    metric: ClassVar = "pointing_accuracy"
    last: Literal["own", "padded"] = "own"
    shift: int = 0
    rounded: bool = False
    heatmap: Literal["cell", "pixel"] = "cell"

    def text(self) -> str:
        """The choices, for the signature."""
        box = "rounded" if self.rounded else "as-released"
        return (
            f"second{self.shift:+d},last-{self.last},heatmap-{self.heatmap},box-{box},"
            "videos-left-out"
        )


@dataclass(frozen=True)
class TimeAverage:
    """IoU and IoD as `gytbench evaluate --average` has them, at a frame rate."""

    metric: ClassVar = "iou"
    average: Literal["isba", "videogem"]
    fps: float

    def text(self) -> str:
        """The choices, for the signature."""
        return f"{self.average},{self.fps:g}fps"


Part = TubePrecision | FramePrecision | TimePrecision | AnswerOverlap | Pointing | TimeAverage


@dataclass(frozen=True)
class Profile:
    """The conventions of one public evaluator.

    used_by: whose numbers are computed like this. parts: what it measures, by the task that
    it applies to. faults: what is wrong in the tool and has changed published numbers; each
    is part of the profile. limits: what neither predictions nor benchmark can give, and what
    is taken in its place.
    """

    name: str
    used_by: str
    parts: Mapping[Task, tuple[Part, ...]]
    faults: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
