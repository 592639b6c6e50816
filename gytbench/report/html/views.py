"""What the page shows of each video, made from predictions and the ground truth."""

from collections import defaultdict
from collections.abc import Callable, Mapping
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
_ALL_PICTURES: Final = 7_500_000
"""Characters that the galleries of all videos may take together."""
_IGNORED: Final = VERDICTS.index("ignored")
_SHOWN: Final = tuple(name for name in VERDICTS if name != "background")

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
        gallery=_gallery(scenes, frame, room),
    )


def _stretches(seconds: Ints) -> tuple[tuple[float, float], ...]:
    """Runs of seconds that follow one another, each with its end."""
    runs = np.split(seconds, np.flatnonzero(np.diff(seconds) != 1) + 1)
    return tuple((float(run[0]), float(run[-1] + 1)) for run in runs if run.size)


def _gallery(scenes: VideoScenes, frame: FrameOf, room: int) -> tuple[GalleryItem, ...]:
    """Pictures of every kind by turns, as far as there is room; each scene once."""
    items: list[GalleryItem] = []
    seen: set[tuple[int, int | None]] = set()
    for kind, scene in _by_turns(scenes):
        place = scene.second, scene.instance
        if place in seen:
            continue
        svg = _drawn(scene, frame, room)
        if len(svg) <= room:
            seen.add(place)
            room -= len(svg)
            items.append(GalleryItem(summary(scene), svg, kind, scene.verdict))
    return tuple(items)


def _drawn(scene: Scene, frame: FrameOf, room: int) -> str:
    """The scene on its frame, or on a blank canvas where that takes too much room."""
    address = frame(scene)
    svg = scene_svg(scene, address, _WIDTH)
    return scene_svg(scene, None, _WIDTH) if address and len(svg) > room else svg


_Kind = Literal["best", "worst", "typical"]


def _by_turns(scenes: VideoScenes) -> list[tuple[_Kind, Scene]]:
    picks = pick(scenes, PICTURES)
    kinds: tuple[_Kind, ...] = ("best", "worst", "typical")
    turns = zip_longest(picks.best, picks.worst, picks.typical)
    return [
        (kind, scene)
        for turn in turns
        for kind, scene in zip(kinds, turn, strict=True)
        if scene is not None
    ]
