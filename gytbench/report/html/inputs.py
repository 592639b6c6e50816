"""What the report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gytbench.diagnosis.model import Diagnosis
from gytbench.evaluation import Result


class Span(NamedTuple):
    """A class over a stretch of a video, in seconds."""

    start: float
    end: float
    label: str
    score: float | None = None


class GalleryItem(NamedTuple):
    """A drawn frame of a video."""

    caption: str
    """The picture in words, for who cannot see it."""
    svg: str
    """A whole SVG document. It is shown as an image, so nothing in it can run."""
    kind: Literal["best", "worst", "typical"]
    verdict: str
    video: str = ""
    second: int = 0


@dataclass(frozen=True)
class VideoView:
    """What the page shows of a video when it is opened, besides its scores."""

    duration: float
    """Seconds that the time axis spans."""
    truth: tuple[Span, ...] = ()
    predicted: tuple[Span, ...] = ()
    """What is predicted second by second, in runs of one label."""
    ignored: tuple[tuple[float, float], ...] = ()
    """Stretches that no metric counts."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Seconds by verdict."""
    gallery: tuple[GalleryItem, ...] = ()


@dataclass(frozen=True)
class ReportInputs:
    """Everything that the page shows."""

    title: str
    result: Result
    """With its intervals, where they are to be shown."""
    references: Mapping[str, Result | str] = field(default_factory=dict)
    """The floor first, the ceiling last; a text in place of a result says why there is none."""
    diagnosis: Diagnosis | None = None
    videos: Mapping[str, VideoView] = field(default_factory=dict)
    gallery: tuple[GalleryItem, ...] = ()
    """The best, worst and most typical frames of all videos."""
