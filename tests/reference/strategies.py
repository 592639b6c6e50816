"""Hypothesis strategies: small random ground truths with prediction files that are valid but nasty.

A case is a (Truth, file) pair, so small that pixel loops stay fast, in which ties, edges and gaps
are common: coordinates lie on a half-pixel grid, times on a quarter-second grid, scores come from
a handful. Every number is a short binary fraction, and every frame size is either a power of two
or the annotation frame times a power of two, so that scaling is exact in doubles too.
"""

import base64
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import cycle, islice
from typing import Any

from hypothesis import strategies as st

from .model import Cue, Frame, Instance, RawBox, Truth, whole_seconds
from .reading import File
from .regions import STRUCT_CODES

FRAMES: tuple[Frame, ...] = ((8, 6), (6, 8))
"""640x480 and 480x640, scaled down."""

VIDEOS = ("aaaaaaaaaaa", "-b_bbbbbbbb", "Ccccccccccc")
LABELS = ("mix_egg", "add_egg", "cut_egg")
LAST_SECOND = 12
SCORES = (0.25, 0.5, 0.5, 0.9, 1.0, 1, 0.0, 3.5)
HEATMAP_SHAPES = ((1, 1), (1, 3), (2, 2), (3, 2), (4, 5), (7, 7), (6, 8), (12, 9), (9, 16))
HEATMAP_VALUES = (0.0, 0.25, 0.5, 1.0, 1, 2.0, 4.0, -0.5)
HEATMAP_BYTES = (0, 1, 2, 4, 255)
RARELY = st.sampled_from((False, False, False, False, True))
MASK_SIZES = ((6, 8), (8, 6), (1, 1), (3, 4), (5, 7), (12, 16))


# --- ground truth -----------------------------------------------------------------------------


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Instances and boxes in one to three videos, at least one instance with a box."""
    truth = Truth(frames=draw(frames()))
    for number, video in enumerate(truth.frames):
        certain = number == 0
        truth.instances += draw(instances(video, certain))
        without = draw(st.sets(st.integers(0, LAST_SECOND + 2), max_size=LAST_SECOND))
        if certain:
            without.discard(int(truth.instances[0].start))
        frame = truth.frames[video]
        boxes = cycle(draw(st.lists(released_boxes(frame), min_size=1, max_size=4)))
        seconds = set(range(LAST_SECOND + 3)) - without
        truth.boxes[video] = {second: next(boxes) for second in sorted(seconds)}
    return truth


@st.composite
def frames(draw: st.DrawFn) -> dict[str, Frame]:
    """One to three videos, landscape or portrait."""
    count = draw(st.integers(1, len(VIDEOS)))
    return {video: draw(st.sampled_from(FRAMES)) for video in VIDEOS[:count]}


@st.composite
def instances(draw: st.DrawFn, video: str, certain: bool) -> list[Instance]:
    """Up to four instances that touch, share a boundary second, overlap or leave a gap.

    Each covers at least two seconds, as in the released rows.
    """
    count = draw(st.sampled_from((1, 2, 3, 4, 4) if certain else (1, 2, 3, 4, 0)))
    found: list[Instance] = []
    start = draw(st.integers(0, 4))
    for identifier in range(count):
        end = start + draw(st.integers(2, 4))
        label = draw(st.sampled_from(LABELS))
        found.append(Instance(video, identifier, start, end, label))
        start = max(0, end + draw(st.sampled_from((-1, 0, 0, 2, -2, -3))))
    return found


def half_grid(low: int, high: int) -> st.SearchStrategy[float]:
    """Multiples of one half from low to high."""
    return st.integers(2 * low, 2 * high).map(lambda n: n / 2)


@st.composite
def released_boxes(draw: st.DrawFn, frame: Frame) -> RawBox:
    """A box that may leave the frame; some are degenerate, even turned inside out."""
    width, height = frame
    x1, x2 = draw(half_grid(-1, width + 2)), draw(half_grid(-1, width + 2))
    y1, y2 = draw(half_grid(-1, height + 2)), draw(half_grid(-1, height + 2))
    if draw(RARELY):
        return (x1, y1, x2, y2)
    x1, x2 = min(x1, x2), max(x1, x2)
    y1, y2 = min(y1, y2), max(y1, y2)
    return (x1, y1, x2 + (x1 == x2), y2 + (y1 == y2))


@st.composite
def cues(draw: st.DrawFn, video: str, certain: bool) -> list[Cue]:
    """Up to four cues on the quarter-second grid, which may touch, overlap, or repeat a label."""
    count = draw(st.integers(int(certain), 4))
    found = []
    for _ in range(count):
        start = draw(st.integers(0, 4 * LAST_SECOND)) / 4
        end = start + draw(st.sampled_from((0.25, 0.5, 1, 2, 2.75)))
        found.append(Cue(video, start, end, draw(st.sampled_from(LABELS))))
    return found


# --- what a tube says in a second ---------------------------------------------------------------


def raw_coordinate(value: float, extent: int, size: float) -> float:
    """A coordinate of the annotation frame in pixels of a frame size.

    Where that is no short binary fraction, the nearest sixteenth of the frame is taken instead.
    """
    scaled = Fraction(value) * Fraction(size) / extent
    if scaled.denominator & (scaled.denominator - 1):
        scaled = round(Fraction(value) * 16 / extent) * Fraction(size) / 16
    return float(scaled)


def raw_coordinates(values: Sequence[float], frame: Frame, size: Sequence[float]) -> list[float]:
    """x, y, x, y, ... of the annotation frame in pixels of a frame size."""
    return [raw_coordinate(v, frame[k % 2], size[k % 2]) for k, v in enumerate(values)]


@st.composite
def points(draw: st.DrawFn, frame: Frame, box: RawBox | None) -> list[float]:
    """Anywhere in or near the frame, or a corner or the centre of the released box."""
    if box is None or draw(RARELY):
        return [draw(half_grid(-1, frame[0] + 1)), draw(half_grid(-1, frame[1] + 1))]
    x1, y1, x2, y2 = (float(value) for value in box)
    xs, ys = ((x1 + x2) / 2, x1, x2, x1 - 0.5), ((y1 + y2) / 2, y1, y2, y2 + 0.5)
    return [draw(st.sampled_from(xs)), draw(st.sampled_from(ys))]


@st.composite
def predicted_boxes(draw: st.DrawFn, frame: Frame, box: RawBox | None) -> list[float]:
    """A box anywhere, possibly without area, or the released box, possibly shifted or grown."""
    if box is None or draw(RARELY):
        xs = [draw(half_grid(-1, frame[0] + 1)) for _ in range(2)]
        ys = [draw(half_grid(-1, frame[1] + 1)) for _ in range(2)]
    else:
        shifts = st.sampled_from((0.0, 0.0, 0.0, 0.5, -0.5, 1.0))
        xs = [float(box[0]) + draw(shifts), float(box[2]) + draw(shifts)]
        ys = [float(box[1]) + draw(shifts), float(box[3]) + draw(shifts)]
    return [min(xs), min(ys), max(xs), max(ys)]


@st.composite
def heatmaps(draw: st.DrawFn) -> Any:
    """A heatmap as rows or as {"shape", "dtype", "data"}, some without a positive value."""
    rows, columns = draw(st.sampled_from(HEATMAP_SHAPES))
    dtype = draw(st.sampled_from((None, *STRUCT_CODES)))
    pool = HEATMAP_BYTES if dtype == "uint8" else HEATMAP_VALUES
    pattern = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=7))
    flat = list(islice(cycle(pattern), rows * columns))
    if dtype is None:
        return [flat[i * columns : (i + 1) * columns] for i in range(rows)]
    data = struct.pack(f"<{len(flat)}{STRUCT_CODES[dtype]}", *flat)
    return {
        "shape": [rows, columns],
        "dtype": dtype,
        "data": base64.b64encode(data).decode("ascii"),
    }


@st.composite
def masks(draw: st.DrawFn) -> dict[str, Any]:
    """A COCO RLE at a size of its own, its runs as a list or compressed; it may be empty."""
    height, width = draw(st.sampled_from(MASK_SIZES))
    left = height * width
    counts = []
    for run in draw(st.lists(st.integers(1, 40), max_size=8)):
        counts.append(min(run, left))
        left -= counts[-1]
        if not left:
            break
    if left:
        counts.append(left)
    if draw(st.booleans()):
        counts.insert(0, 0)
    compressed = draw(st.booleans())
    return {"size": [height, width], "counts": rle_string(counts) if compressed else counts}


def rle_string(counts: Sequence[int]) -> str:
    """The run lengths as a compressed COCO string; see regions.rle_counts for the code."""
    text = ""
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        while True:
            bits = value & 31
            value >>= 5
            done = value == (-1 if bits & 16 else 0)
            text += chr(48 + (bits if done else bits | 32))
            if done:
                break
    return text


# --- tubes and files ----------------------------------------------------------------------------


@st.composite
def frame_sizes(draw: st.DrawFn, frame: Frame) -> list[int] | None:
    """None (the file's), the annotation frame times a power of two, or powers of two."""
    width, height = frame
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return None
    if kind == 1:
        return [draw(st.sampled_from((1, 16, 32))), draw(st.sampled_from((1, 8, 64)))]
    times = draw(st.sampled_from((1, 1, 2, 4, 16)))
    return [times * width, times * height]


@st.composite
def intervals(draw: st.DrawFn, truth: Truth, video: str) -> tuple[float, float]:
    """That of an instance, or any on the quarter-second grid; some cover no integer second."""
    known = [instance for instance in truth.instances if instance.video == video]
    if draw(st.booleans()) and known:
        instance = draw(st.sampled_from(known))
        return float(instance.start), float(instance.end)
    start = draw(st.integers(0, 4 * LAST_SECOND)) / 4
    return start, start + draw(st.sampled_from((0.25, 0.5, 1, 1, 2, 3.25, 5)))


@st.composite
def tubes(
    draw: st.DrawFn,
    truth: Truth,
    video: str,
    label: str,
    interval: tuple[float, float],
    file_size: Sequence[int] | None,
    mixtures: Sequence[tuple[str, ...]],
) -> dict[str, Any]:
    """A valid tube that says any mixture of things about some or all of its seconds."""
    start, end = interval
    frame = truth.frames[video]
    tube: dict[str, Any] = {"video": video, "label": label, "start": start, "end": end}
    if draw(st.booleans()):
        tube["score"] = draw(st.sampled_from(SCORES))
    times = list(whole_seconds(start, end))
    if draw(st.booleans()):
        times = [second for second in times if not draw(RARELY)]
        tube["times"] = times
    if (own_size := draw(frame_sizes(frame))) is not None:
        tube["frame_size"] = own_size
    size = own_size or file_size or [1, 1]
    released = truth.boxes.get(video, {})
    makers: dict[str, Callable[[int], st.SearchStrategy[Any]]] = {
        "points": lambda t: points(frame, released.get(t)).map(
            lambda point: raw_coordinates(point, frame, size)
        ),
        "boxes": lambda t: predicted_boxes(frame, released.get(t)).map(
            lambda box: raw_coordinates(box, frame, size)
        ),
        "heatmaps": lambda _: heatmaps(),
        "masks": lambda _: masks(),
    }
    for name in draw(st.sampled_from(mixtures)):
        maker = makers[name]
        tube[name] = [None if draw(RARELY) else draw(maker(t)) for t in times]
    if draw(RARELY):
        tube["scores"] = [draw(st.sampled_from(SCORES)) for _ in times]
    return tube


def prediction_file(
    task: str, found: Sequence[dict[str, Any]], size: Sequence[int] | None
) -> dict[str, Any]:
    """The tubes as a parsed file."""
    head: dict[str, Any] = {
        "format": "gytbench-predictions/1",
        "task": task,
        "model": {"name": "random"},
    }
    if size is not None:
        head["frame_size"] = list(size)
    return {**head, "tubes": list(found)}


MIXTURES = (
    ("boxes",),
    ("points", "boxes"),
    ("masks",),
    ("heatmaps",),
    ("points", "heatmaps"),
    ("points", "boxes", "heatmaps", "masks"),
    ("boxes", "masks"),
    ("boxes", "heatmaps"),
    ("points",),
    (),
)
POINTS_ONLY = (("points",), ())
COUNTS = st.sampled_from((1, 2, 3, 4, 5, 6, 6, 0))
FILE_SIZES = st.sampled_from((None, (1, 1), (8, 8), (16, 32)))


def st_cases() -> st.SearchStrategy[tuple[Truth, File]]:
    """Cases of the task `st`: of every kind, or with a crowd to be matched."""
    return st.one_of(mixed_cases(), mixed_cases(), crowded_cases())


@st.composite
def crowded_cases(draw: st.DrawFn) -> tuple[Truth, File]:
    """Instances of one class on top of each other, and tubes that could take several of them."""
    video, label, frame = VIDEOS[0], LABELS[0], FRAMES[0]
    starts = draw(st.lists(st.integers(0, 3), min_size=2, max_size=4))
    truth = Truth(frames={video: frame})
    for identifier, start in enumerate(starts):
        end = start + draw(st.integers(2, 4))
        truth.instances.append(Instance(video, identifier, start, end, label))
    without = draw(st.sampled_from((None, None, None, *range(min(starts) + 1, 6))))
    boxes = cycle(draw(st.lists(st.sampled_from(CROWD_BOXES), min_size=1, max_size=3)))
    truth.boxes[video] = {second: next(boxes) for second in range(8) if second != without}
    found = []
    for _ in range(draw(st.integers(2, 6))):
        start = draw(st.sampled_from(starts))
        end = start + draw(st.integers(1, 4))
        said = [draw(st.sampled_from(("box", "half", None))) for _ in range(start, end)]
        regions = [
            _crowd_region(kind, truth.boxes[video].get(second))
            for kind, second in zip(said, range(start, end), strict=True)
        ]
        found.append(
            {
                "video": video,
                "label": label,
                "start": start,
                "end": end,
                "score": draw(st.sampled_from((0.5, 0.5, 0.75))),
                "boxes": regions,
            }
        )
    return truth, prediction_file("st", draw(st.permutations(found)), frame)


CROWD_BOXES: tuple[RawBox, ...] = ((0, 0, 4, 4), (0, 0, 4, 4), (2, 1, 6, 3))


def _crowd_region(kind: str | None, box: RawBox | None) -> list[float] | None:
    """The released box, its upper half, or nothing; a constant where no box is released."""
    if kind is None:
        return None
    x1, y1, x2, y2 = (float(value) for value in box or (1, 1, 3, 3))
    return [x1, y1, x2, y2 if kind == "box" else (y1 + y2) / 2]


@st.composite
def mixed_cases(draw: st.DrawFn) -> tuple[Truth, File]:
    """Some tubes that say anything, some of them twice, in any order, or none."""
    truth = draw(truths())
    size = draw(FILE_SIZES)
    mixtures = POINTS_ONLY if draw(RARELY) else MIXTURES
    found = []
    for _ in range(draw(COUNTS)):
        target = draw(st.sampled_from(truth.instances))
        video, label, interval = (
            target.video,
            target.label,
            (float(target.start), float(target.end)),
        )
        if draw(RARELY):
            video = draw(st.sampled_from(sorted(truth.frames)))
        if draw(RARELY):
            label = draw(st.sampled_from(LABELS))
        if draw(st.booleans()):
            interval = draw(intervals(truth, video))
        found.append(draw(tubes(truth, video, label, interval, size, mixtures)))
    again = [tube for tube in found if draw(RARELY)]
    return truth, prediction_file("st", draw(st.permutations(found + again)), size)


@st.composite
def spatial_cases(draw: st.DrawFn) -> tuple[Truth, File]:
    """A case of the task `spatial`: at most one tube for each instance, with its label."""
    truth = draw(truths())
    size = draw(FILE_SIZES)
    mixtures = POINTS_ONLY if draw(RARELY) else MIXTURES
    found = []
    for instance in truth.instances:
        if draw(RARELY):
            continue
        interval = (float(instance.start), float(instance.end))
        if draw(RARELY):
            interval = draw(intervals(truth, instance.video))
        tube = draw(tubes(truth, instance.video, instance.label, interval, size, mixtures))
        found.append({**tube, "instance": instance.id})
    return truth, prediction_file("spatial", draw(st.permutations(found)), size)


@st.composite
def temporal_cases(draw: st.DrawFn) -> tuple[Truth, File]:
    """A case of the task `temporal`: cues in at least one video, tubes in any."""
    truth = Truth(frames=draw(frames()))
    for number, video in enumerate(truth.frames):
        truth.cues += draw(cues(video, certain=number == 0))
    found = []
    for _ in range(draw(COUNTS)):
        cue = draw(st.sampled_from(truth.cues))
        exact_answer = draw(st.booleans())
        video = cue.video if exact_answer else draw(st.sampled_from(sorted(truth.frames)))
        label = cue.label if exact_answer else draw(st.sampled_from(LABELS))
        start, end = draw(intervals(truth, video))
        if exact_answer:
            start, end = float(cue.start), float(cue.end)
        tube: dict[str, Any] = {"video": video, "label": label, "start": start, "end": end}
        if draw(st.booleans()):
            tube["score"] = draw(st.sampled_from(SCORES))
        found.append(tube)
    again = [tube for tube in found if draw(RARELY)]
    return truth, prediction_file("temporal", draw(st.permutations(found + again)), None)
