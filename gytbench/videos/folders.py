"""Frames that lie as images in a folder, one a second (or fewer).

The names are those of the released frames, VIDEO_SECOND_step_words.jpg, with an
id of 11 characters, or anything that ends in _SECOND or is just SECOND.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from gytbench.errors import InputError
from gytbench.videos.sources import (
    ROUNDING,
    EncodedImage,
    check_seconds,
    check_times,
    image_paths,
)

_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}

# The step has a letter, so that clip_name_x_3_76 is a second and not the step "76".
_WITH_STEP = re.compile(r"(?P<video>[\w-]{11})_(?P<second>\d{1,7})_(?P<step>.*[^\W\d_].*)", re.A)
_WITHOUT = re.compile(r"(?:.*_)?(?P<second>\d{1,7})", re.A)


class _Name(NamedTuple):
    """What the name of an image says: the video and step where it has them."""

    second: int
    step: str | None
    video: str | None
    path: Path


class ImageFolder:
    """The images of a folder; see `gytbench.videos.FrameSource`.

    The id of the video is the one that the images' names carry, and else the
    name of the folder. `steps` has the steps of the images' names.
    """

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` for names, sizes or images that do not fit; decodes no pixels."""
        self._folder = folder
        names = _names(folder)
        self.video = _video(names) or folder.resolve().name
        self._paths: dict[int, Path] = {}
        steps: dict[int, list[str]] = {}
        for name in names:
            self._paths.setdefault(name.second, name.path)
            if name.step:
                steps.setdefault(name.second, []).append(name.step)
        self.steps: Mapping[int, Sequence[str]] = steps
        self.seconds: Sequence[int] = sorted(self._paths)
        self.size = _common_size([name.path for name in names])

    def image(self, second: int) -> EncodedImage:
        """The file of a second as it is; raises `InputError` where it is missing or broken."""
        check_seconds([second], self.seconds, self._folder)
        path = self._paths[second]
        with _opened(path) as image:
            image.load()
            content_type = _CONTENT_TYPES[image.format or "JPEG"]
            return EncodedImage(content_type, path.read_bytes())

    def frames(self, seconds: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
        """Each of the seconds with its image in RGB."""
        check_seconds(seconds, self.seconds, self._folder)
        for second in seconds:
            yield second, _upright(self._paths[second])

    def sampled(self, times: Sequence[float], size: tuple[int, int]) -> Iterator[np.ndarray]:
        """The image of the last second not after each time, or the first; see `FrameSource`."""
        check_times(times)
        shown, pixels = -1, np.empty(0)
        for time in times:
            index = max(bisect_right(self.seconds, time + ROUNDING) - 1, 0)
            if index != shown:
                image = _upright(self._paths[self.seconds[index]])
                pixels = np.array(image.resize(size, Image.Resampling.BICUBIC))
                shown = index
            yield pixels


def _names(folder: Path) -> list[_Name]:
    """The images of the folder by second and step. Raises `InputError` for names that clash."""
    seen: dict[tuple[int, str | None], _Name] = {}
    for path in image_paths(folder):
        name = _parse(path)
        other = seen.setdefault((name.second, name.step), name)
        if other is not name:
            reason = f"is of the same second as {other.path.name}; keep one of the two"
            raise InputError(reason, where=str(path))
    return sorted(seen.values(), key=lambda name: (name.second, name.step or ""))


def _parse(path: Path) -> _Name:
    with_step = _WITH_STEP.fullmatch(path.stem)
    if with_step:
        return _Name(int(with_step["second"]), with_step["step"], with_step["video"], path)
    without = _WITHOUT.fullmatch(path.stem)
    if without is None:
        reason = "its name says no second; name it VIDEO_SECOND_step_words.jpg or NAME_SECOND.jpg"
        raise InputError(reason, where=str(path))
    return _Name(int(without["second"]), None, None, path)


def _video(names: Sequence[_Name]) -> str | None:
    """The video that the names carry. Raises `InputError` where they carry two."""
    by_video = {name.video: name.path.name for name in names if name.video}
    if len(by_video) > 1:
        both = " and ".join(list(by_video.values())[:2])
        reason = f"has images of several videos ({both}); give each video a folder of its own"
        raise InputError(reason, where=str(names[0].path.parent))
    return next(iter(by_video), None)


def _common_size(paths: Sequence[Path]) -> tuple[int, int]:
    """The size of all the images, turned as shown. Raises `InputError` where two differ."""
    first = _size(paths[0])
    for path in paths[1:]:
        size = _size(path)
        if size != first:
            reason = "is {}x{}, but {} is {}x{}; all images of a folder must have one size"
            reason = reason.format(*size, paths[0].name, *first)
            raise InputError(reason, where=str(path))
    return first


def _size(path: Path) -> tuple[int, int]:
    with _opened(path) as image:
        width, height = image.size
        sideways = image.getexif().get(0x0112, 1) >= 5  # the EXIF orientations 5 to 8
        return (height, width) if sideways else (width, height)


def _upright(path: Path) -> Image.Image:
    """The image in RGB, turned as its EXIF orientation says."""
    with _opened(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image; faults of decoding, here or in the block, become `InputError`."""
    try:
        with Image.open(path, formats=tuple(_CONTENT_TYPES)) as image:
            yield image
    # Pillow's decoders raise what they like for a broken file.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if "cannot identify" in reason:
            reason = "not a JPEG, PNG or WebP file"
        raise InputError(f"cannot be decoded as an image: {reason}", where=str(path)) from None
