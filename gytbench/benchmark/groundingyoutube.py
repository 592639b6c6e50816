"""GroundingYouTube (CVPR 2024) from its released files.

Sources: github.com/brian7685/GroundingYouTube and github.com/brian7685/STG.
The files, and which of them hold which boxes, are described in
``annotations/releases.toml``.
"""

import hashlib
from collections.abc import Collection, Container, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from gytbench.benchmark.box_files import encode_boxes, read_boxes
from gytbench.benchmark.checks import unknown_step, unknown_videos
from gytbench.benchmark.classes import ClassMap, normalise_label, read_classes
from gytbench.benchmark.decoding import Second, Size, decode, read_bytes
from gytbench.benchmark.miningyoutube import read_cues
from gytbench.benchmark.model import Benchmark, Box, Cues, Instance
from gytbench.benchmark.points import read_points
from gytbench.benchmark.releases import find_data, local_name, place, released_sha256
from gytbench.errors import Fault, InputError
from gytbench.resources import annotations_folder


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

RELEASES = (*BOX_FILES, "repaired")
"""The box releases; `repaired` is computed from `full` and the mean points."""

SUBSETS = {"all": "seg.json", "3to20": "ground_seg_3to20.json"}
"""The subsets and the file that the instances of each are read from."""


class _File(NamedTuple):
    """A file read once, for its content and its checksum."""

    path: Path
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def load_benchmark(
    *,
    boxes: str = "published",
    classes: str = "mining512",
    subset: str = "all",
    data: Path | str | None = None,
) -> Benchmark:
    """The ground truth of GroundingYouTube.

    `boxes` names the release ("published", "readme", "full", "repaired"), `classes` the
    class list ("mining512" or "step"), `subset` the instances ("all" or
    "3to20"). `data` is the data folder; without it GYTBENCH_DATA, then the
    cache. Raises `InputError` for an unknown name, a file that is missing or
    malformed, a video without a frame size, or a step that is no class.
    """
    _choose(boxes, RELEASES, "box release")
    _choose(subset, SUBSETS, "subset")
    folder = find_data(None if data is None else Path(data))
    segment_file, frame_file = (_read(folder, name) for name in (SUBSETS[subset], "id2wh_new.json"))
    class_file = _class_file(folder)
    class_map = _class_map(class_file, classes)
    frames = decode(frame_file.data, dict[str, Size], frame_file.path)
    instances, dropped = _instances(segment_file, class_map, frames)
    release = _release(boxes, folder, class_map, frames)
    return Benchmark(
        classes=class_map,
        frames=frames,
        instances=instances,
        boxes=release.boxes,
        data=_origin(segment_file, frame_file, class_file),
        release=boxes,
        release_sha256=release.sha256,
        subset=subset,
        dropped=dropped,
        estimated=release.estimated,
        folder=folder,
        read_cues=lambda: _cues(folder, class_file, class_map, frames),
        read_points=lambda: read_points(folder, class_map, frames),
        read_pools=lambda: _pools(folder, class_map, frames),
    )


class _Release(NamedTuple):
    """The boxes of a release, and the checksum of their file."""

    boxes: dict[str, dict[int, Box]]
    sha256: str
    estimated: frozenset[tuple[str, int]] = frozenset()


def _choose(name: str, known: Collection[str], what: str) -> None:
    if name in known:
        return
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"no such {what}: {name!r}; known are {', '.join(known)}{hint}")


def _read(folder: Path, name: str) -> _File:
    path = place(folder, f"groundingyoutube/{name}")
    return _File(path, read_bytes(path))


def _class_file(folder: Path) -> _File:
    """The folder's own class map where it has one (another benchmark's), else the package's."""
    own = place(folder, "groundingyoutube/classes.tsv")
    path = own if own.is_file() else _packaged_classes()
    return _File(path, read_bytes(path))


def folder_classes(folder: Path, kind: str = "mining512") -> ClassMap:
    """The class map that the files of a data folder are read with; raises as `read_classes`."""
    return _class_map(_class_file(folder), kind)


def _class_map(file: _File, kind: str) -> ClassMap:
    return read_classes(_text(file), kind, file.path)


def _packaged_classes() -> Path:
    return annotations_folder() / "classes.tsv"


def _text(file: _File) -> str:
    try:
        return file.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: byte {error.start}", where=str(file.path)) from None


def _origin(*files: _File) -> str:
    """ "groundingyoutube" where all files are the released ones, else a name for what they are."""
    if all(file.sha256 == _expected_sha256(file.path.name) for file in files):
        return "groundingyoutube"
    return local_name(file.sha256 for file in files)


def _expected_sha256(name: str) -> str:
    if name == "classes.tsv":
        return hashlib.sha256(_packaged_classes().read_bytes()).hexdigest()
    return released_sha256(f"groundingyoutube/{name}")


def _instances(
    file: _File, classes: ClassMap, frames: Container[str]
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


def _cues(folder: Path, class_file: _File, classes: ClassMap, frames: Container[str]) -> Cues:
    """The cues; they are MiningYouTube's own only when read with the packaged class map."""
    cues = read_cues(folder, classes, frames)
    if _origin(class_file) == "groundingyoutube":
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
