"""Frames of videos as small pictures that a page can carry in itself."""

from collections.abc import Collection, Iterable, Mapping

from gytbench.audit.release import Place
from gytbench.errors import InputError
from gytbench.scenes.folder import VideoFolder
from gytbench.videos.pictures import data_address

_ALL_IMAGES = 3_500_000
"""Characters of all pictures together, at most."""

_TOO_MANY = "no frame shown: the page would grow too large"


def images_of(
    folder: VideoFolder, places: Collection[Place], frames: Mapping[str, tuple[float, float]]
) -> tuple[dict[Place, str], dict[Place, str]]:
    """Pictures as data: addresses, and for the other places why there is none.

    frames: the annotation frames, into which the pictures are stretched.
    """
    images: dict[Place, str] = {}
    notes: dict[Place, str] = {}
    room = _ALL_IMAGES
    for video in sorted({video for video, _ in places}):
        seconds = sorted(second for other, second in places if other == video)
        for second, found in _of_video(folder, video, seconds, frames[video]):
            if not found.startswith("data:"):
                notes[video, second] = found
            elif len(found) > room:
                notes[video, second] = _TOO_MANY
            else:
                images[video, second] = found
                room -= len(found)
    return images, notes


def _of_video(
    folder: VideoFolder, video: str, seconds: list[int], size: tuple[float, float]
) -> Iterable[tuple[int, str]]:
    """Each second with its picture, or with the reason why there is none."""
    source, reason = None, ""
    try:
        source = folder.open(video)
    except InputError as error:
        reason = error.faults[0].reason
    for second in seconds:
        try:
            pictures = list(source.frames([second])) if source else []
        except InputError as error:
            pictures, reason = [], error.faults[0].reason
        yield second, data_address(pictures[0][1], size) if pictures else f"no frame: {reason}"
