"""Frames of videos as small pictures that a page can carry in itself."""

import io
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gytbench.audit.release import Place
from gytbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDTH = 320
"""Pixels across a picture."""

_QUALITY = 70

_ALL_IMAGES = 3_500_000
"""Characters of all pictures together, at most."""

_TOO_MANY = "no frame shown: the page would grow too large"


class VideoFolder:
    """The videos of a folder by id: VIDEO.mp4 and the like, or a folder VIDEO of images."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where the folder cannot be read or PyAV is missing."""
        try:
            import av  # noqa: F401
            import PIL.Image  # noqa: F401
        except ImportError:
            raise InputError(
                "--videos needs PyAV and Pillow: pip install 'gytbench[video]'"
            ) from None
        self._paths: dict[str, list[Path]] = {}
        try:
            for path in sorted(folder.iterdir()):
                self._paths.setdefault(path.stem, []).append(path)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None

    def __contains__(self, video: str) -> bool:
        return video in self._paths

    def images(
        self, places: Collection[Place], frames: Mapping[str, tuple[float, float]]
    ) -> tuple[dict[Place, str], dict[Place, str]]:
        """Pictures as data: addresses, and for the other places why there is none.

        frames: the annotation frames, into which the pictures are stretched.
        """
        images: dict[Place, str] = {}
        notes: dict[Place, str] = {}
        room = _ALL_IMAGES
        for video in sorted({video for video, _ in places}):
            seconds = sorted(second for other, second in places if other == video)
            for second, found in self._of_video(video, seconds, frames[video]):
                if not found.startswith("data:"):
                    notes[video, second] = found
                elif len(found) > room:
                    notes[video, second] = _TOO_MANY
                else:
                    images[video, second] = found
                    room -= len(found)
        return images, notes

    def _of_video(
        self, video: str, seconds: list[int], size: tuple[float, float]
    ) -> Iterable[tuple[int, str]]:
        """Each second with its picture, or with the reason why there is none."""
        from gytbench.videos import open_frames

        source, reason = None, "no video of it in the folder"
        for path in self._paths.get(video, ()):
            try:
                source = open_frames(path)
                break
            except InputError as error:
                reason = error.faults[0].reason
        for second in seconds:
            try:
                pictures = list(source.frames([second])) if source else []
            except InputError as error:
                pictures, reason = [], error.faults[0].reason
            yield second, _address(pictures[0][1], size) if pictures else f"no frame: {reason}"


def _address(image: "Image", size: tuple[float, float]) -> str:
    """The image as a JPEG in a data: address, in the shape of its annotation frame."""
    content = io.BytesIO()
    height = max(1, min(round(_WIDTH * size[1] / size[0]), 4 * _WIDTH))
    image.resize((_WIDTH, height)).save(content, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + b64encode(content.getvalue()).decode()
