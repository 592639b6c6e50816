"""What the page shows of each video, made from predictions and the ground truth."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Final, Literal

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.evaluation import Protocol
from gytbench.metrics.arrays import Ints
from gytbench.predictions import PackedTubes
from gytbench.report.html.inputs import GalleryItem, Span, VideoView
from gytbench.scenes import VERDICTS, Scene, VideoScenes, pick, scene_svg, scenes_of
from gytbench.scenes.captions import summary

PICTURES: Final = 3
"""Frames of each kind (best, worst, typical) in the gallery of a video."""

_WIDTH: Final = 240
_ALL_VIDEOS: Final = 6
"""Frames of each kind in the gallery of the whole file."""
_ONE_GALLERY: Final = 500_000
"""Characters that it may take."""
_ALL_PICTURES: Final = 7_000_000
"""Characters that the galleries of all videos may take together."""
_IGNORED: Final = VERDICTS.index("ignored")
_SHOWN: Final = tuple(name for name in VERDICTS if name != "background")

_Kind = Literal["best", "worst", "typical"]

FrameOf = Callable[[Scene], str | None]
"""The address (data:) of a scene's frame; None draws it on a blank canvas."""


def video_views(
    packed: PackedTubes,
    benchmark: Benchmark,
    protocol: Protocol,
    frame: FrameOf | None = None,
) -> dict[str, VideoView]:
    """The views of all videos, for any task.

    packed: for `protocol.task`. frame: where the pictures have their frames from; a
    frame that would make the page too large is left out.
    """
    if protocol.task == "temporal":
        return _timelines(packed, benchmark)
    scenes = scenes_of(packed, benchmark, protocol)
    views: dict[str, VideoView] = {}
    left = _ALL_PICTURES
    for name, of in scenes.items():
        # What one video leaves of its share is for those after it.
        share = left // (len(scenes) - len(views))
        views[name] = _view(of, frame or (lambda _: None), share)
        left -= sum(len(each.svg) for each in views[name].gallery)
    return views


def overall_gallery(
    packed: PackedTubes,
    benchmark: Benchmark,
    protocol: Protocol,
    frame: FrameOf | None = None,
) -> tuple[GalleryItem, ...]:
    """The best, worst and most typical frames of the whole file; none in the task temporal."""
    if protocol.task == "temporal":
        return ()
    scenes = scenes_of(packed, benchmark, protocol).values()
    return _gallery(_by_turns(scenes, _ALL_VIDEOS), frame or (lambda _: None), _ONE_GALLERY)


def _timelines(packed: PackedTubes, benchmark: Benchmark) -> dict[str, VideoView]:
    """Views of the task temporal, which has no places: the tubes as they are."""
    truth: dict[str, list[Span]] = defaultdict(list)
    for each in benchmark.cues:
        truth[each.video].append(Span(each.start, each.end, each.label))
    predicted: dict[str, list[Span]] = defaultdict(list)
    columns = (packed.video, packed.start, packed.end, packed.label, packed.score)
    for video, start, end, label, score in zip(*(c.tolist() for c in columns), strict=True):
        span = Span(start, end, benchmark.classes.names[label], score)
        predicted[benchmark.videos[video]].append(span)
    return {
        video: VideoView(
            duration=_last(truth[video] + predicted[video]),
            truth=tuple(sorted(truth[video], key=_when)),
            predicted=tuple(sorted(predicted[video], key=_when)),
        )
        for video in sorted(truth.keys() | predicted.keys())
    }


def _when(span: Span) -> tuple[float, float]:
    return span.start, span.end


def _last(spans: list[Span]) -> float:
    return max((span.end for span in spans), default=0.0)


def _view(scenes: VideoScenes, frame: FrameOf, room: int) -> VideoView:
    truth = [Span(each.start, each.end, each.label) for each in scenes.truth]
    predicted = [Span(*each) for each in scenes.predicted]
    counts: Mapping[str, int] = scenes.counts
    return VideoView(
        duration=_last(truth + predicted),
        truth=tuple(truth),
        predicted=tuple(predicted),
        ignored=_stretches(np.unique(scenes.seconds[scenes.verdicts == _IGNORED])),
        counts={name: counts[name] for name in _SHOWN if counts[name]},
        gallery=_gallery(_by_turns(scenes, PICTURES), frame, room),
    )


def _stretches(seconds: Ints) -> tuple[tuple[float, float], ...]:
    """Runs of seconds that follow one another, each with its end."""
    runs = np.split(seconds, np.flatnonzero(np.diff(seconds) != 1) + 1)
    return tuple((float(run[0]), float(run[-1] + 1)) for run in runs if run.size)


def _gallery(
    turns: Sequence[tuple[_Kind, Scene]], frame: FrameOf, room: int
) -> tuple[GalleryItem, ...]:
    """Pictures of scenes, as far as there is room; each scene once."""
    items: list[GalleryItem] = []
    seen: set[tuple[str, int, int | None]] = set()
    for kind, scene in turns:
        place = scene.video, scene.second, scene.instance
        if place in seen:
            continue
        svg = _drawn(scene, frame, room)
        if len(svg) <= room:
            seen.add(place)
            room -= len(svg)
            items.append(
                GalleryItem(summary(scene), svg, kind, scene.verdict, scene.video, scene.second)
            )
    return tuple(items)


def _drawn(scene: Scene, frame: FrameOf, room: int) -> str:
    """The scene on its frame, or on a blank canvas where that takes too much room."""
    address = frame(scene)
    svg = scene_svg(scene, address, _WIDTH)
    return scene_svg(scene, None, _WIDTH) if address and len(svg) > room else svg


def _by_turns(
    scenes: VideoScenes | Iterable[VideoScenes], number: int
) -> list[tuple[_Kind, Scene]]:
    """So many scenes of every kind, the first of each first."""
    picks = pick(scenes, number)
    kinds: tuple[_Kind, ...] = ("best", "worst", "typical")
    turns = zip_longest(picks.best, picks.worst, picks.typical)
    return [
        (kind, scene)
        for turn in turns
        for kind, scene in zip(kinds, turn, strict=True)
        if scene is not None
    ]
