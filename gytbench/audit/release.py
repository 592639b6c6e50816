"""What an annotation release holds, read leniently: files may be missing, faults may be many."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gytbench.audit.explanation import Explanation, explain
from gytbench.benchmark import BOX_FILES, AnnotatedPoint, Box, ClassMap, normalise_label
from gytbench.benchmark.box_files import Boxes, StepBox, read_boxes
from gytbench.benchmark.checks import unknown_step, unknown_videos
from gytbench.benchmark.data_files import folder_classes
from gytbench.benchmark.decoding import Second, Size, decode_file, read_bytes
from gytbench.benchmark.groundingyoutube import SegmentRow
from gytbench.benchmark.points import FIRST_ROUND, SECOND_ROUND, read_points
from gytbench.benchmark.releases import Checked, find_data, place, verify
from gytbench.errors import Fault, InputError

SEGMENTS = "seg.json"
FRAMES = "id2wh_new.json"
NATIVE = "id2wh.json"
POINT_FILES = (NATIVE, FIRST_ROUND, SECOND_ROUND)
STEPPED = BOX_FILES["published"]
"""The box file that names a step with every box."""

Place = tuple[str, int]
"""Video and second."""

Sizes = Mapping[str, tuple[float, float]]
"""Width and height in pixels, by video."""


class Segment(NamedTuple):
    """A row of seg.json: the seconds from first to last, both included."""

    video: str
    id: int
    first: int
    last: int
    step: str
    """The raw step name, normalised."""
    written: str
    """The same as it stands in the file."""


@dataclass(frozen=True, eq=False)
class Release:
    """The files of one data folder, as far as they are there."""

    folder: Path
    present: frozenset[str]
    """The names of the files that are there, of those that rules read."""
    classes: ClassMap
    frames: Sizes
    segments: tuple[Segment, ...]
    boxes: Mapping[str, Boxes]
    """By file name; videos and seconds are sorted."""
    box_steps: Mapping[Place, str]
    """The step that `STEPPED` names, as it stands there, by video and second."""
    native: Sizes
    """The videos' own sizes; empty where that file is missing."""
    points: tuple[AnnotatedPoint, ...] | None
    """By video, second and round; None where a file of `POINT_FILES` is missing."""

    @cached_property
    def instances(self) -> tuple[Segment, ...]:
        """The segments that cover time: those that count."""
        return tuple(segment for segment in self.segments if segment.last > segment.first)

    @cached_property
    def covering(self) -> Mapping[Place, list[Segment]]:
        """The instances that cover a second, by video and second."""
        covering: dict[Place, list[Segment]] = {}
        for segment in self.instances:
            for second in range(segment.first, segment.last + 1):
                covering.setdefault((segment.video, second), []).append(segment)
        return covering

    @cached_property
    def points_at(self) -> Mapping[Place, list[AnnotatedPoint]]:
        """The mean points of a second, by video and second; empty without points."""
        points_at: dict[Place, list[AnnotatedPoint]] = {}
        for point in self.points or ():
            points_at.setdefault((point.video, point.second), []).append(point)
        return points_at

    @cached_property
    def checked(self) -> list[Checked]:
        """The state of every released file."""
        return verify(self.folder)

    @cached_property
    def explanations(self) -> Mapping[str, Explanation]:
        """By box file, how the mean points explain its boxes; without points, none does."""
        points = self.points or ()
        return {file: explain(boxes, points, self.frames) for file, boxes in self.boxes.items()}


def read_release(data: Path | None = None) -> Release:
    """The release in a data folder (default: as `find_data` has it).

    Raises `InputError` where seg.json or id2wh_new.json is missing, and for any
    file that is there and malformed.
    """
    folder = find_data(data)
    names = (SEGMENTS, FRAMES, *POINT_FILES, *BOX_FILES.values())
    present = frozenset(name for name in names if _path(folder, name).is_file())
    classes = folder_classes(folder)
    frames = decode_file(_path(folder, FRAMES), dict[str, Size])
    steps: dict[Place, str] = {}
    boxes = {
        name: _boxes(_path(folder, name), frames, steps)
        for name in BOX_FILES.values()
        if name in present
    }
    native = decode_file(_path(folder, NATIVE), dict[str, Size]) if NATIVE in present else {}
    points = None
    if present.issuperset(POINT_FILES):
        points = tuple(sorted(read_points(folder, classes, frames), key=_when))
    return Release(
        folder=folder,
        present=present,
        classes=classes,
        frames=frames,
        segments=_segments(_path(folder, SEGMENTS), classes, frames),
        boxes=boxes,
        box_steps=steps,
        native=native,
        points=points,
    )


def _when(point: AnnotatedPoint) -> tuple[str, int, int]:
    return point.video, point.second, point.round


def _path(folder: Path, name: str) -> Path:
    return place(folder, f"groundingyoutube/{name}")


def _segments(path: Path, classes: ClassMap, frames: Container[str]) -> tuple[Segment, ...]:
    videos = decode_file(path, dict[str, list[SegmentRow]])
    faults: list[Fault] = unknown_videos(videos, frames, str(path))
    faults += [
        unknown_step(row.sentence, classes, f'{path}: $["{video}"][{position}].sentence')
        for video, rows in videos.items()
        for position, row in enumerate(rows)
        if classes.index(row.sentence) is None
    ]
    if faults:
        raise InputError(faults)
    return tuple(
        Segment(video, row.id, *row.segment, normalise_label(row.sentence), row.sentence)
        for video, rows in videos.items()
        for row in rows
    )


def _boxes(
    path: Path, frames: Container[str], steps: dict[Place, str]
) -> dict[str, dict[int, Box]]:
    """The boxes of a file, sorted; the steps that it names are put into `steps`."""
    boxes: dict[str, dict[int, Box]]
    if path.name == STEPPED:
        rows = decode_file(path, dict[str, dict[Second, StepBox]])
        boxes = {
            video: {second: row.box for second, row in by_second.items()}
            for video, by_second in rows.items()
        }
        for video, by_second in rows.items():
            steps.update({(video, second): row.step for second, row in by_second.items()})
    else:
        boxes = read_boxes(read_bytes(path), path)
    faults = unknown_videos(boxes, frames, str(path))
    if faults:
        raise InputError(faults)
    return {video: dict(sorted(rows.items())) for video, rows in sorted(boxes.items())}
