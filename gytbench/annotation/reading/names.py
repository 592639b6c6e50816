"""Video, second and step from the name or address of an image."""

import re
from functools import lru_cache
from urllib.parse import parse_qs, unquote

from gytbench.annotation.reading.values import filled_name
from gytbench.benchmark.classes import normalise_label
from gytbench.benchmark.points import ImageName, parse_image_name
from gytbench.predictions.faults import quoted

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# Greedy, so that the last group of digits between underscores is the second.
_FRAME = re.compile(r"(?P<video>.+)_(?P<second>[0-9]{1,7})(?:_(?P<step>.+))?")
_SECOND = re.compile(r"(?P<second>[0-9]{1,7})(?:_(?P<step>.+))?")
# What counts frames, and does not name a video: frame_000012.jpg.
_COUNTERS = ("frame", "image", "img")
_GENERIC = ("", "action", "center", "centre", "keypoint", "point", "points")


def frame_of_image(value: object) -> ImageName:
    """The frame that an image's name tells; `ValueError` with the forms it may have.

    >>> frame_of_image("frames/some_video_12_pour%20milk.png")
    ImageName(video='some_video', second=12, step='pour_milk')
    >>> frame_of_image("some_video/12.jpg")
    ImageName(video='some_video', second=12, step='')
    """
    name = filled_name(value)
    frame = parse_name(name)
    if frame is None:
        raise ValueError(
            f"{quoted(name)} tells no frame; name images VIDEO_SECOND.jpg, "
            "VIDEO_SECOND_step_words.jpg or VIDEO/SECOND.jpg"
        )
    return frame


# The answers of one frame stand together; few names are met again much later.
@lru_cache(maxsize=1 << 16)
def parse_name(name: str) -> ImageName | None:
    """The frame that an image's name or address tells; None where it has no known form."""
    folder, _, file = _path_of(name).rpartition("/")
    stem = _EXTENSION.sub("", file)
    # An id of 11 characters is counted first: only so may a step have digits.
    frame = parse_image_name(f"{stem}.jpg")
    if frame is not None:
        return frame
    if found := _FRAME.fullmatch(stem):
        video = found["video"]
        if video.lower() in _COUNTERS:
            return None
    elif found := _SECOND.fullmatch(stem):
        video = folder.rpartition("/")[2]
    if not found or not video:
        return None
    return ImageName(video, int(found["second"]), normalise_label(found["step"] or ""))


def step_of_label(label: str) -> str:
    """The step that a label of a point names; "" for words such as "point"."""
    step = normalise_label(label)
    return "" if step in _GENERIC else step


def _path_of(name: str) -> str:
    """The decoded path in a name or address, with "/" between folders."""
    path, _, query = name.partition("?")
    # Label Studio serves local files as /data/local-files/?d=folder/name.jpg.
    local = parse_qs(query).get("d") if query else None
    return (local[0] if local else unquote(path)).replace("\\", "/")
