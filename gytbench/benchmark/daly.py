"""DALY: daily actions in long videos, boxes of the actor at keyframes.

Source: Weinzaepfel, Martin and Schmid, "Human Action Localization with Sparse Spatial
Supervision" (2016), thoth.inrialpes.fr/daly: daly1.1.0.pkl, a pickle of Python 2. Its
keys: `splits` (lists of videos: the first is the test split), `labels` (ten actions),
`metadata` {video: {fps, ...}}, `annot` {video: {annot: {action: [instance]}}}; an instance
has `beginTime` and `endTime` in seconds and `keyframes`, each with a `frameNumber` and a
`boundingBox`, an array (1, 4) of x1, y1, x2, y2 as fractions of the frame.

How it is read:
- A video has its file's name without ".mp4". An instance is one of the file's, whatever its
  flags: those that mark it as small, occluded, ambiguous, out of view and so on leave out
  nothing, so every keyframe with a box is scored, as VideoGEM does.
- Times are frame numbers, which count from 1. The interval is beginTime to endTime times
  the video's fps, made longer where a keyframe lies outside. Frames that are no keyframe
  have no box.
- The size of the videos is not in the file. The annotation frame is 1000 x 1000, so
  coordinates are thousandths of the frame: regions of heatmaps and masks are counted in its
  pixels, of which a frame of 1 x 1 would have one.
- "BrushingTeeth" is the class "brushing_teeth".
"""

import re
from collections.abc import Iterator
from math import floor
from pathlib import Path
from typing import NamedTuple

from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.data_files import origin, read_file
from gytbench.benchmark.datasets import Choice
from gytbench.benchmark.model import Benchmark, Box, FrameClock, Instance
from gytbench.benchmark.plain_values import MAX_TIME, Value
from gytbench.plain_pickle import unpickled

FILE = "daly/daly1.1.0.pkl"
SIDE = 1000.0
"""Width and height of the annotation frame."""
MAX_INSTANCES = 200_000
MAX_COVERED = 20_000_000
"""Frames that all instances may cover together."""

# A box may be drawn a little past the border; larger numbers would be pixels.
_LEAST, _MOST = -0.5, 1.5
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class _Found(NamedTuple):
    """An instance with the boxes of its keyframes, and whether it covers any time."""

    instance: Instance
    boxes: dict[int, Box]
    covers: bool


def read(folder: Path, choice: Choice) -> Benchmark:
    """One subset; raises `InputError` with file and place of what is not as described."""
    file = read_file(folder, FILE)
    root = Value(unpickled(file.data, str(file.path), "latin1"), file)
    classes = _classes(root.member("labels"))
    videos = _videos(root, choice.subset)
    rates = dict(root.member("metadata").members())
    found: list[_Found] = []
    clocks: dict[str, FrameClock] = {}
    for video, annotation in videos.items():
        name = video.removesuffix(".mp4")
        if video not in rates:
            annotation.fail("the video is not in `metadata`, which has its frame rate")
        fps = rates[video].member("fps").number(1, 1000)
        clocks[name] = FrameClock(fps, first=1)
        found += _instances(annotation.member("annot"), name, fps, classes)
        if len(found) > MAX_INSTANCES:
            root.fail(f"more than {MAX_INSTANCES:,} instances")
    kept = [each for each in found if each.covers]
    if sum(each.instance.end - each.instance.start for each in kept) > MAX_COVERED:
        root.fail(f"the instances cover more than {MAX_COVERED:,} frames together")
    return Benchmark(
        classes=classes,
        frames={video.removesuffix(".mp4"): (SIDE, SIDE) for video in videos},
        instances=tuple(each.instance for each in kept),
        boxes={},
        dataset="daly",
        data=origin("daly", file),
        release=choice.boxes,
        release_sha256=file.sha256,
        subset=choice.subset,
        instance_boxes={(each.instance.video, each.instance.id): each.boxes for each in kept},
        dropped=frozenset(
            (each.instance.video, each.instance.id) for each in found if not each.covers
        ),
        clocks=clocks,
        folder=folder,
    )


def _classes(labels: Value) -> ClassMap:
    """The ten actions; predictions may also write them as the file does."""
    raw = [entry.text() for entry in labels.entries(1000)]
    names = tuple(_label(name) for name in raw)
    if len(set(names)) < len(names):
        labels.fail("two labels are the same")
    lookup = {normalise_label(name): index for index, name in enumerate(raw)}
    return ClassMap("action", names, lookup | {name: index for index, name in enumerate(names)})


def _label(name: str) -> str:
    return normalise_label(_CAPITAL.sub(" ", name))


def _videos(root: Value, subset: str) -> dict[str, Value]:
    """The annotation of each video of the subset, in the file's order."""
    annotations = dict(root.member("annot").members())
    splits = root.member("splits").entries(1000)
    if not splits:
        root.member("splits").fail("holds no split; the first is the test split")
    tested = {entry.text(): entry for entry in splits[0].entries()}
    for video, entry in tested.items():
        if video not in annotations:
            entry.fail("this video is not in `annot`")
    names = {video.removesuffix(".mp4") for video in annotations}
    if len(names) < len(annotations):
        root.member("annot").fail("two videos differ in nothing but .mp4")
    return {
        video: annotation
        for video, annotation in annotations.items()
        if subset == "all" or (subset == "test") == (video in tested)
    }


def _instances(actions: Value, video: str, fps: float, classes: ClassMap) -> Iterator[_Found]:
    """The instances of a video; `id` counts them from 0 in the file's order."""
    number = 0
    for action, rows in actions.members():
        if _label(action) not in classes.lookup:
            rows.fail("this action is not in `labels`")
        for row in rows.entries():
            boxes = _keyframes(row.member("keyframes"))
            # Frame n, counted from 1, begins (n - 1) / fps seconds into the video.
            ends = (row.member(name).number(0, 1e6) * fps for name in ("beginTime", "endTime"))
            start, end = (1 + floor(min(end, MAX_TIME)) for end in ends)
            covers = end > start or bool(boxes)
            start, end = min([start, *boxes]), max([end, *(frame + 1 for frame in boxes)])
            label = _label(action)
            instance = Instance(video, number, float(start), float(end), label, label)
            yield _Found(instance, boxes, covers)
            number += 1


def _keyframes(keyframes: Value) -> dict[int, Box]:
    """The box of each keyframe, in the annotation frame."""
    found: dict[int, Box] = {}
    for row in keyframes.entries():
        frame = row.member("frameNumber").frame_number()
        value = row.member("boundingBox")
        boxes = value.boxes(_LEAST, _MOST)
        if len(boxes) != 1:
            value.fail(f"must be one box, an array (1, 4), not {len(boxes)}")
        if frame in found:
            row.fail(f"a second keyframe at frame {frame}")
        x1, y1, x2, y2 = (SIDE * side for side in boxes[0])
        found[frame] = (x1, y1, x2, y2)
    return found
