"""YouCook2-Interactions (Tan et al. 2021): boxes in 254 segments of validation videos.

Source: github.com/brian7685/GroundingYouTube, data/Youcook2, which republishes the two
pickles; how their boxes are to be read is from the evaluators of CoMMA and VideoGEM.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.data_files import DataFile, origin, read_file
from gytbench.benchmark.datasets import Choice
from gytbench.benchmark.decoding import Second, Size, decode
from gytbench.benchmark.model import Benchmark, Box, Instance
from gytbench.benchmark.plain_values import MAX_PIXEL, MAX_TIME, Value
from gytbench.benchmark.releases import place
from gytbench.errors import Fault, InputError
from gytbench.plain_pickle import unpickled

BOXES = "youcook-interactions/final_dataset_annotations.pkl"
SEGMENTS = "youcook-interactions/final_dataset_segments.pkl"
SENTENCES = "youcook-interactions/youcookii_annotations_trainval.json"
SIZES = "youcook-interactions/sizes.json"
"""Optional, and in no release: {video: [width, height]} of the original videos."""

LEFT_OUT = (
    *("2HsWZdKKBGg", "9ekEjxd-A_Y", "DrXVuj1Qowo", "FliMoBfG72Y"),
    *("HF49t8uVJOE", "OpURFOTdycE", "btikV_DUoCM"),
)
"""The videos that VideoGEM leaves out when it filters: the subset `videogem` is without them."""

ANNOTATED: Size = (640.0, 360.0)
"""The frame that most videos were scaled into for annotation."""

STANDARD: tuple[Size, ...] = (
    ANNOTATED,
    (640.0, 480.0),
    (854.0, 480.0),
    (1280.0, 720.0),
    (1920.0, 1080.0),
)
"""What a video without a known size is taken to be: the first that holds all its boxes."""

_ALWAYS_SCALED = "Re46osq_NkI"
"""The one video that was scaled although only one of its sides is longer than `ANNOTATED`'s."""

_MAX_BYTES = 16 << 20
"""Of a pickle; the released ones have 84 kB."""
_MAX_ALL = 100_000
"""Boxes of all videos, and seconds of all segments, of which the released files have 2,570 and
6,238: references to one dictionary make a small file hold any number."""
_ROUNDING = 1.0
"""Pixels that a box may reach beyond its frame: frames were rounded when they were scaled."""

_Boxes = dict[str, dict[int, Box]]
_Segment = tuple[str, int, int]
"""Video, first and last second."""


class _Annotation(msgspec.Struct):
    """A step of a YouCook2 recipe."""

    segment: tuple[Second, Second]
    sentence: str


class _Recipe(msgspec.Struct):
    """A video of YouCook2."""

    subset: str
    annotations: list[_Annotation]


def read(folder: Path, choice: Choice) -> Benchmark:
    """The ground truth of a data folder; raises as `load_benchmark` does.

    An instance is a segment. Its `id` is its position, from 0, among the segments of its
    video sorted by start, then end; it covers its first to its last second, both included;
    its label is the sentence that YouCook2 has for it. The subset `videogem` lacks
    instances and boxes of `LEFT_OUT`; videos, ids and classes are the same.

    `coordinates`: in "official" each side of a frame is at most that of 640x360, whatever
    the boxes reach, so what lies beyond can be hit by no point inside the frame. In "fixed"
    a frame holds its boxes, as `fixed_frame` says.
    """
    box_file, segment_file, sentence_file = (
        read_file(folder, name, _MAX_BYTES) for name in (BOXES, SEGMENTS, SENTENCES)
    )
    boxes = _boxes(box_file)
    segments = _segments(segment_file, boxes)
    instances = _instances(segments, sentence_file)
    size_file = read_file(folder, SIZES, _MAX_BYTES) if place(folder, SIZES).exists() else None
    sizes = _sizes(size_file, boxes) if size_file else {}
    described = [file for file in (segment_file, sentence_file, size_file) if file]
    names = tuple(sorted({instance.label for instance in instances}))
    out = LEFT_OUT if choice.subset == "videogem" else ()
    return Benchmark(
        classes=ClassMap("sentence", names, {name: index for index, name in enumerate(names)}),
        frames=_frames(boxes, sizes, choice.coordinates, box_file.path),
        instances=tuple(instance for instance in instances if instance.video not in out),
        boxes={video: found for video, found in boxes.items() if video not in out},
        dataset="youcook-interactions",
        data=origin("youcook-interactions", *described),
        release=choice.boxes,
        release_sha256=box_file.sha256,
        subset=choice.subset,
        coordinates=choice.coordinates,
        folder=folder,
    )


def _boxes(file: DataFile) -> _Boxes:
    """By video and second, in the pixels that they were drawn in."""
    found: _Boxes = {}
    count = 0
    for video, value in _content(file).members():
        if not isinstance(value.content, dict):
            value.fail("must be a dictionary of seconds")
        count += len(value.content)
        if count > _MAX_ALL:
            value.fail(f"more than {_MAX_ALL:,} boxes in all")
        found[video] = {
            _second(Value(second, file, f"a key of {value.place}")): _box(
                Value(corners, file, f"{value.place}[{second!r}]")
            )
            for second, corners in value.content.items()
        }
    return found


def _segments(file: DataFile, boxes: _Boxes) -> list[_Segment]:
    """All segments, sorted."""
    root = _content(file)
    if not isinstance(root.content, set):
        root.fail("must be a set of segments (video, first second, last second)")
    found = [_segment(Value(each, file, repr(each)[:100]), boxes) for each in root.content]
    if sum(last - first + 1 for _, first, last in found) > _MAX_ALL:
        root.fail(f"the segments have more than {_MAX_ALL:,} seconds in all")
    return sorted(found)


def _segment(value: Value, boxes: _Boxes) -> _Segment:
    parts = value.entries(3)
    if len(parts) != 3:
        value.fail("must be (video, first second, last second)")
    video, first, last = parts[0].text(), _second(parts[1]), _second(parts[2])
    if last < first:
        value.fail("must not end before it starts")
    if video not in boxes:
        value.fail("its video is not in final_dataset_annotations.pkl")
    return video, first, last


def _second(value: Value) -> int:
    if type(value.content) is not int:
        value.fail("must be a whole number of seconds")
    return int(value.number(0, MAX_TIME))


def _box(value: Value) -> Box:
    sides = value.entries(4)
    if len(sides) != 4:
        value.fail("must be a box of 4 numbers: x1, y1, x2, y2")
    x1, y1, x2, y2 = (side.number(-MAX_PIXEL, MAX_PIXEL) for side in sides)
    return x1, y1, x2, y2


def _instances(segments: Iterable[_Segment], file: DataFile) -> list[Instance]:
    """The segments with the sentence of the validation step of the same start and end."""
    content = decode(file.data, dict[str, dict[str, _Recipe]], file.path)
    if "database" not in content:
        raise InputError('expected the key "database"', where=str(file.path))
    steps = {
        (video, *step.segment): normalise_label(step.sentence)
        for video, recipe in content["database"].items()
        if recipe.subset == "validation"
        for step in recipe.annotations
    }
    seen: Counter[str] = Counter()
    instances, faults = [], []
    for video, first, last in segments:
        sentence = steps.get((video, first, last))
        if sentence:
            interval = float(first), last + 1.0
            instances.append(Instance(video, seen[video], *interval, sentence, sentence))
        else:
            where = f'{file.path}: $["database"]["{video}"].annotations'
            reason = f"no sentence for the segment from {first} to {last} in its validation steps"
            faults.append(Fault(where, reason, "segment without a sentence"))
        seen[video] += 1
    if faults:
        raise InputError(faults)
    return instances


def _sizes(file: DataFile, boxes: _Boxes) -> dict[str, Size]:
    """Width and height of the original videos, as far as they are known."""
    sizes = decode(file.data, dict[str, Size], file.path)
    faults = [
        Fault(f'{file.path}: $["{video}"]', "no video of this dataset", "unknown video")
        for video in sizes
        if video not in boxes
    ]
    if faults:
        raise InputError(faults)
    return sizes


def _frames(boxes: _Boxes, sizes: Mapping[str, Size], rule: str, where: Path) -> dict[str, Size]:
    """By video, width and height of the frame that its boxes are scored in."""
    if rule == "official":
        most_wide, most_high = ANNOTATED
        known = ((video, sizes.get(video, ANNOTATED)) for video in boxes)
        return {video: (min(w, most_wide), min(h, most_high)) for video, (w, h) in known}
    frames, faults = {}, []
    for video, by_second in boxes.items():
        size, reach = sizes.get(video), _reach(by_second.values())
        found = fixed_frame(video, reach, size)
        if found:
            frames[video] = found
        else:
            told = f"sizes.json says {_by(size)}" if size else f"no size is known in {SIZES}"
            reason = f"its boxes reach {_by(reach)}, but {told}: give its original size there"
            faults.append(Fault(f"{where}: [{video!r}]", reason, "frame"))
    if faults:
        raise InputError(faults)
    return frames


def _reach(boxes: Iterable[Box]) -> Size:
    """How far right and how far down any of the boxes goes."""
    ends = [(max(x1, x2), max(y1, y2)) for x1, y1, x2, y2 in boxes]
    return max((x for x, _ in ends), default=0.0), max((y for _, y in ends), default=0.0)


def fixed_frame(video: str, reach: Size, size: Size | None) -> Size | None:
    """The frame that a video's boxes were drawn in, as well as its original size tells it.

    reach: how far right and how far down its boxes go. With a size, it is the size that
    VideoGEM scales frames to: where both sides are longer than those of 640x360, or the
    video is Re46osq_NkI, scaled to fit into 640x360 (the shape kept, sides rounded); else
    the original. Where the scaled frame does not hold the boxes, they were drawn on the
    original: so it is with the seven videos that VideoGEM names, and with no other. Without
    a size, it is a guess: the first of `STANDARD` that holds the boxes. None where no such
    frame holds them.
    """
    for frame in STANDARD if size is None else (_scaled(video, size), size):
        if all(end <= side + _ROUNDING for end, side in zip(reach, frame, strict=True)):
            return frame
    return None


def _scaled(video: str, size: Size) -> Size:
    """A frame of VideoGEM."""
    factors = [most / side for most, side in zip(ANNOTATED, size, strict=True)]
    if max(factors) < 1 or (video == _ALWAYS_SCALED and min(factors) < 1):
        width, height = (max(1.0, float(round(side * min(factors)))) for side in size)
        return width, height
    return size


def _content(file: DataFile) -> Value:
    """What a pickle holds; raises as `unpickled`."""
    return Value(unpickled(file.data, str(file.path)), file)


def _by(size: Iterable[float]) -> str:
    return "x".join(f"{side:g}" for side in size)
