"""V-HICO: humans, and the objects of their actions, in single frames of short videos.

Source: Li et al., "Weakly Supervised Human-Object Interaction Detection in Video via
Contrastive Spatiotemporal Regions" (ICCV 2021), github.com/ShuangLI59/
weakly-supervised-human-object-detection-video. The two annotation files are pickles,
whatever their names say: {"annos": {action: {video: [entry]}}}, an entry being one frame:
its `path` (.../action/video/frame.jpg), a `label` "verb object", the boxes of the `human`
and of the `object` (x1, y1, x2, y2 in pixels of the frame), `width` and `height`.

How they are read:
- An instance is one label in one video; `id` counts the labels of a video from 0. Its times
  are frame numbers, the last number in the name of the frame's file, and it reaches from
  its first annotated frame to its last; frames between that have no entry have no box.
- A video has the name that the file gives it, or "action/video" where several actions have
  a video of that name.
- A label and its plural ("cracking egg", "cracking eggs") are one class, named by the
  plural; the publisher's evaluator has a table of such names. "folding bikes folding bikes"
  is "folding bikes" there, and here.
- The pairs of a frame are every human with every object, as the publisher's evaluator
  makes them, the objects of the first human first.
- `boxes`: "enclosing" is the smallest box around all boxes of the entry, "human" and
  "object" the smallest around all of the one kind.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.data_files import DataFile, origin, read_file
from gytbench.benchmark.datasets import Choice
from gytbench.benchmark.model import Benchmark, Box, FrameClock, Instance, Pair
from gytbench.benchmark.plain_values import MAX_PIXEL, MAX_TIME, Value
from gytbench.plain_pickle import unpickled

FILES = {"test": "vhico/gt_bbox_test.json", "unseen": "vhico/gt_bbox_unseen.json"}
"""The subsets and the file that each is read from."""
RATE = 30.0
"""Frames a second: those of Moments in Time's videos as the annotators had them."""
MAX_ENTRIES = 500_000
MAX_PAIRS = 5_000_000
MAX_COVERED = 20_000_000
"""Frames that all instances may cover together."""

_NUMBER = re.compile(r"[0-9]+")
_TWICE = re.compile(r"(.+)_\1")
_IRREGULAR = {"foot": "feet", "tooth": "teeth"}


class _Entry(NamedTuple):
    """The annotation of one frame."""

    video: str
    step: str
    frame: int
    humans: tuple[Box, ...]
    objects: tuple[Box, ...]


def read(folder: Path, choice: Choice) -> Benchmark:
    """One subset; raises `InputError` with file and place of what is not as described."""
    file = read_file(folder, FILES[choice.subset])
    entries, frames = _entries(file)
    classes = _classes({entry.step for entry in entries})
    groups: dict[tuple[str, str], dict[int, _Entry]] = defaultdict(dict)
    for entry in entries:
        groups[entry.video, entry.step][entry.frame] = entry
    instances: list[Instance] = []
    count: Counter[str] = Counter()
    for (video, step), by_frame in groups.items():
        first, last = min(by_frame), max(by_frame)
        label = classes.name_of(step) or step
        instances.append(Instance(video, count[video], float(first), last + 1.0, step, label))
        count[video] += 1
    if sum(len(each.seconds()) for each in instances) > MAX_COVERED:
        Value(None, file).fail(f"the instances cover more than {MAX_COVERED:,} frames together")
    keys = [(each.video, each.id) for each in instances]
    found = list(zip(keys, groups.values(), strict=True))
    return Benchmark(
        classes=classes,
        frames=frames,
        instances=tuple(instances),
        boxes={},
        dataset="vhico",
        data=origin("vhico", file),
        release=choice.boxes,
        release_sha256=file.sha256,
        subset=choice.subset,
        instance_boxes={
            key: {frame: _box(entry, choice.boxes) for frame, entry in by_frame.items()}
            for key, by_frame in found
        },
        pairs={
            key: {frame: _pairs(entry) for frame, entry in by_frame.items()}
            for key, by_frame in found
        },
        clocks=dict.fromkeys(frames, FrameClock(RATE)),
        folder=folder,
    )


def _entries(file: DataFile) -> tuple[list[_Entry], dict[str, tuple[float, float]]]:
    """Every entry in the file's order, and the frame of every video."""
    annotations = Value(unpickled(file.data, str(file.path)), file).member("annos")
    listed = [
        (action, video, rows.entries(MAX_ENTRIES))
        for action, videos in annotations.members()
        for video, rows in videos.members()
    ]
    actions = Counter(video for _, video, _ in listed)
    entries: list[_Entry] = []
    frames: dict[str, tuple[float, float]] = {}
    seen: set[tuple[str, str, int]] = set()
    pairs = 0
    for action, video, rows in listed:
        name = f"{action}/{video}" if actions[video] > 1 else video
        for row in rows:
            entry = _entry(row, name)
            if entry[:3] in seen:
                row.fail(f"a second entry of frame {entry.frame} under the same label")
            seen.add(entry[:3])
            size = _size(row)
            if frames.setdefault(name, size) != size:
                row.fail("`width` and `height` are not those of the video's other entries")
            entries.append(entry)
            pairs += len(entry.humans) * len(entry.objects)
        if len(entries) > MAX_ENTRIES or pairs > MAX_PAIRS:
            annotations.fail(f"more than {MAX_ENTRIES:,} entries, or {MAX_PAIRS:,} pairs")
    return entries, frames


def _entry(row: Value, video: str) -> _Entry:
    path = row.member("path")
    digits = _NUMBER.findall(PurePosixPath(path.text()).stem)
    if not digits or len(digits[-1]) > 9 or int(digits[-1]) > MAX_TIME:
        path.fail("the file's name has no frame number, as .../action/video/000012.jpg has")
    step = normalise_label(" ".join(row.member("label").text().split()))
    twice = _TWICE.fullmatch(step)
    step = twice[1] if twice else step
    return _Entry(video, step, int(digits[-1]), *(_some(row, kind) for kind in ("human", "object")))


def _some(row: Value, kind: str) -> tuple[Box, ...]:
    value = row.member(kind)
    boxes = value.boxes()
    if not boxes:
        value.fail("must hold at least one box")
    return boxes


def _size(row: Value) -> tuple[float, float]:
    width, height = (row.member(side).number(1, MAX_PIXEL) for side in ("width", "height"))
    return width, height


def _pairs(entry: _Entry) -> tuple[Pair, ...]:
    return tuple((human, thing) for human in entry.humans for thing in entry.objects)


def _box(entry: _Entry, which: str) -> Box:
    """The smallest box around the boxes of a choice."""
    chosen = {"human": entry.humans, "object": entry.objects}
    x1, y1, x2, y2 = zip(*chosen.get(which, entry.humans + entry.objects), strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def _classes(steps: set[str]) -> ClassMap:
    """A step of which the plural is a step too is scored under it; predictions may say
    either form of every class."""
    scored = {
        step: next((plural for plural in _plurals(step) if plural in steps), step) for step in steps
    }
    names = tuple(sorted(set(scored.values())))
    index = {name: number for number, name in enumerate(names)}
    lookup = {form: number for name, number in index.items() for form in _forms(name)}
    return ClassMap("triplet", names, lookup | {step: index[scored[step]] for step in steps})


def _plurals(step: str) -> Iterator[str]:
    """How the plural of a label may be written."""
    verb, _, noun = step.rpartition("_")
    if noun in _IRREGULAR:
        yield f"{verb}_{_IRREGULAR[noun]}"
    yield f"{step}s"
    yield f"{step}es"


def _forms(name: str) -> Iterator[str]:
    """The label, its plural, and what it may be the plural of."""
    verb, _, noun = name.rpartition("_")
    singular = {many: one for one, many in _IRREGULAR.items()}.get(noun)
    candidates = [f"{verb}_{singular}"] if singular else []
    candidates += [name.removesuffix(end) for end in ("s", "es") if name.endswith(end)]
    yield from (one for one in candidates if name in _plurals(one))
    yield from _plurals(name)
    yield name
