"""The annotators' mean centre points, as the two annotation rounds were released.

The first round was drawn on the videos' own pixels, the second in the
annotation frame; both are given in the annotation frame here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gytbench.benchmark.checks import unknown_step
from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.decoding import Coordinate, Size, decode_file
from gytbench.benchmark.model import AnnotatedPoint
from gytbench.benchmark.releases import place
from gytbench.errors import Fault, InputError


class FirstRoundRow(msgspec.Struct):
    """A row of the first round, in the video's own pixels."""

    image_url: str
    x: Coordinate | None = msgspec.field(name="mean_x")
    y: Coordinate | None = msgspec.field(name="mean_y")
    mean_dist: Coordinate | None


class SecondRoundRow(msgspec.Struct):
    """A row of the second round, in the annotation frame."""

    image_url: str
    x: Coordinate | None
    y: Coordinate | None
    mean_dist: Coordinate | None


class ImageName(NamedTuple):
    """What the name of an annotated frame says."""

    video: str
    second: int
    step: str


FIRST_ROUND = "pumpkin_youtube_annotation_full_agg_subset.json"
SECOND_ROUND = "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json"

# An id has 11 characters, "_" and "-" among them; so it is counted, not searched for.
_IMAGE = re.compile(r"(?P<video>[\w-]{11})_(?P<second>\d{1,7})_(?P<step>.+)\.jpg")


def parse_image_name(url: str) -> ImageName | None:
    """Video, second and step of an image address; None where it has another form.

    >>> parse_image_name("https://host/folder/-1okAudsnAc_101_beat_mixture.jpg")
    ImageName(video='-1okAudsnAc', second=101, step='beat_mixture')
    """
    match = _IMAGE.fullmatch(url.rpartition("/")[2])
    if match is None:
        return None
    # One file lost the backslash of an escaped letter.
    step = match["step"].replace("u00e9", "é")
    return ImageName(match["video"], int(match["second"]), normalise_label(step))


def read_points(
    folder: Path, classes: ClassMap, frames: Mapping[str, tuple[float, float]]
) -> tuple[AnnotatedPoint, ...]:
    """The points of both rounds, first round first; frames without agreement are left out.

    Raises `InputError` for a row whose image name, video or step is not known.
    """
    native_path = place(folder, "groundingyoutube/id2wh.json")
    native = decode_file(native_path, dict[str, Size])
    missing = [video for video in frames if video not in native]
    if missing:
        raise InputError(f"has no size of video {missing[0]}", where=str(native_path))
    scales = {
        video: (width / native[video][0], height / native[video][1])
        for video, (width, height) in frames.items()
    }
    unscaled = dict.fromkeys(frames, (1.0, 1.0))
    first = place(folder, f"groundingyoutube/{FIRST_ROUND}")
    second = place(folder, f"groundingyoutube/{SECOND_ROUND}")
    first_rows = decode_file(first, list[FirstRoundRow])
    second_rows = decode_file(second, list[SecondRoundRow])
    return (
        *_points(first_rows, 1, scales, classes, first),
        *_points(second_rows, 2, unscaled, classes, second),
    )


def count_frames(folder: Path) -> tuple[int, int]:
    """How many frames were annotated in the first and in the second round, agreed on or not."""
    first = place(folder, f"groundingyoutube/{FIRST_ROUND}")
    second = place(folder, f"groundingyoutube/{SECOND_ROUND}")
    return (
        len(decode_file(first, list[FirstRoundRow])),
        len(decode_file(second, list[SecondRoundRow])),
    )


def _points(
    rows: Sequence[FirstRoundRow | SecondRoundRow],
    number: int,
    scales: Mapping[str, tuple[float, float]],
    classes: ClassMap,
    path: Path,
) -> Iterator[AnnotatedPoint]:
    """The points of one round, times the scale of their video."""
    for position, row in enumerate(rows):
        name = parse_image_name(row.image_url)
        fault = _fault(name, scales, classes, f"{path}: $[{position}].image_url")
        if fault:
            raise InputError([fault])
        if name and row.x is not None and row.y is not None and row.mean_dist is not None:
            across, down = scales[name.video]
            place = row.x * across, row.y * down
            yield AnnotatedPoint(*name, number, *place, row.mean_dist, (across, down))


def _fault(
    name: ImageName | None, videos: Mapping[str, tuple[float, float]], classes: ClassMap, where: str
) -> Fault | None:
    if name is None:
        return Fault(where, "does not end in VIDEO_SECOND_step_words.jpg", "image name")
    if name.video not in videos:
        return Fault(where, f"video {name.video} is not in id2wh_new.json", "unknown video")
    return None if name.step in classes.lookup else unknown_step(name.step, classes, where)
