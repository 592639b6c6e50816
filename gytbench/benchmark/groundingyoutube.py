"""GroundingYouTube (CVPR 2024) from its released files.

Sources: github.com/brian7685/GroundingYouTube and github.com/brian7685/STG.
The files, and which of them hold which boxes, are described in
``annotations/releases.toml``.
"""

import hashlib
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from gytbench.benchmark.box_files import encode_boxes, read_boxes
from gytbench.benchmark.checks import unknown_step, unknown_videos
from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.data_files import DataFile, class_map, origin, read_class_file, read_file
from gytbench.benchmark.datasets import Choice
from gytbench.benchmark.decoding import Second, Size, decode
from gytbench.benchmark.miningyoutube import read_cues
from gytbench.benchmark.model import Benchmark, Box, Cues, Instance
from gytbench.benchmark.points import read_points
from gytbench.benchmark.releases import local_name
from gytbench.errors import Fault, InputError


class SegmentRow(msgspec.Struct):
    """A row of the segment files: the seconds of one action, both ends included."""

    segment: tuple[Second, Second]
    id: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    sentence: str


BOX_FILES = {
    "published": "GoundingYouTubeBox.json",
    "readme": "id2xy_box.json",
    "full": "id2xy_box_new_s.json",
}
"""The released boxes and the file that each release is read from."""

SUBSETS = {"all": "seg.json", "3to20": "ground_seg_3to20.json"}
"""The subsets and the file that the instances of each are read from."""


def _read(folder: Path, name: str) -> DataFile:
    return read_file(folder, f"groundingyoutube/{name}")


def read(folder: Path, choice: Choice) -> Benchmark:
    """The ground truth of a data folder; raises as `load_benchmark` does."""
    boxes, subset = choice.boxes, choice.subset
    segment_file, frame_file = (_read(folder, name) for name in (SUBSETS[subset], "id2wh_new.json"))
    class_file = read_class_file(folder)
    classes = class_map(class_file, choice.classes)
    frames = decode(frame_file.data, dict[str, Size], frame_file.path)
    instances, dropped = _instances(segment_file, classes, frames)
    release = _release(boxes, folder, classes, frames)
    return Benchmark(
        classes=classes,
        frames=frames,
        instances=instances,
        boxes=release.boxes,
        data=origin("groundingyoutube", segment_file, frame_file, class_file),
        release=boxes,
        release_sha256=release.sha256,
        subset=subset,
        dropped=dropped,
        estimated=release.estimated,
        folder=folder,
        read_cues=lambda: _cues(folder, class_file, classes, frames),
        read_points=lambda: read_points(folder, classes, frames),
        read_pools=lambda: _pools(folder, classes, frames),
    )


class _Release(NamedTuple):
    """The boxes of a release, and the checksum of their file."""

    boxes: dict[str, dict[int, Box]]
    sha256: str
    estimated: frozenset[tuple[str, int]] = frozenset()


def _instances(
    file: DataFile, classes: ClassMap, frames: Container[str]
) -> tuple[tuple[Instance, ...], frozenset[tuple[str, int]]]:
    """The instances, and (video, id) of the rows that cover no time."""
    videos = decode(file.data, dict[str, list[SegmentRow]], file.path)
    faults = unknown_videos(videos, frames, str(file.path))
    instances: list[Instance] = []
    dropped: set[tuple[str, int]] = set()
    for video, rows in videos.items():
        if len({row.id for row in rows}) < len(rows):
            faults.append(Fault(f'{file.path}: $["{video}"]', "two rows have the same id", "id"))
        for position, row in enumerate(rows):
            step = normalise_label(row.sentence)
            index = classes.lookup.get(step)
            first, last = row.segment
            if index is None:
                where = f'{file.path}: $["{video}"][{position}].sentence'
                faults.append(unknown_step(row.sentence, classes, where))
            elif last <= first:
                dropped.add((video, row.id))
            else:
                label = classes.names[index]
                instances.append(Instance(video, row.id, float(first), last + 1.0, step, label))
    if faults:
        raise InputError(faults)
    return tuple(instances), frozenset(dropped)


def _release(
    name: str, folder: Path, classes: ClassMap, frames: Mapping[str, tuple[float, float]]
) -> _Release:
    """The boxes of a release; `repaired` has the checksum of the file it would be written to."""
    if name == "repaired":
        from gytbench.benchmark.repaired import repair_boxes

        full = _release("full", folder, classes, frames)
        mended = repair_boxes(full.boxes, read_points(folder, classes, frames), frames)
        checksum = hashlib.sha256(encode_boxes(mended.boxes)).hexdigest()
        return _Release(mended.boxes, checksum, mended.estimated)
    file = _read(folder, BOX_FILES[name])
    boxes = read_boxes(file.data, file.path)
    faults = unknown_videos(boxes, frames, str(file.path))
    if faults:
        raise InputError(faults)
    return _Release(boxes, file.sha256)


def _cues(folder: Path, class_file: DataFile, classes: ClassMap, frames: Container[str]) -> Cues:
    """The cues; they are MiningYouTube's own only when read with the packaged class map."""
    cues = read_cues(folder, classes, frames)
    if origin("groundingyoutube", class_file) == "groundingyoutube":
        return cues
    return cues._replace(data=local_name([cues.data, class_file.sha256]))


def _pools(folder: Path, classes: ClassMap, frames: Container[str]) -> dict[str, tuple[str, ...]]:
    """The steps of vid2step.json by video, without the background at the end."""
    file = _read(folder, "vid2step.json")
    pools = decode(file.data, dict[str, list[str]], file.path)
    faults = unknown_videos(pools, frames, str(file.path))
    faults += [
        unknown_step(step, classes, f'{file.path}: $["{video}"][{position}]')
        for video, steps in pools.items()
        for position, step in enumerate(steps)
        if step != "background" and classes.index(step) is None
    ]
    if faults:
        raise InputError(faults)
    return {
        video: tuple(normalise_label(step) for step in steps if step != "background")
        for video, steps in pools.items()
    }
