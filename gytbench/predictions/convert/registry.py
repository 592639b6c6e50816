"""The formats by name; a format's module is imported when it is used."""

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from gytbench.errors import InputError


class Format(NamedTuple):
    """A foreign format: what it is, its module, and whether it can be read and written."""

    summary: str
    module: str
    reads: bool = True
    writes: bool = True


FORMATS = {
    "csv": Format("boxes, points or intervals, a row each", "plain_csv"),
    "activitynet": Format("ActivityNet detection JSON", "activitynet"),
    "coco": Format("COCO results JSON, an image a second", "coco"),
    "answers": Format("answers of video language models", "answers", writes=False),
    "ava": Format("AVA CSV", "ava"),
    "tubedetr": Format("VidSTG and HC-STVG results of TubeDETR, JSON", "tubedetr"),
    "stcat": Format("VidSTG and HC-STVG results of STCAT, .pt", "stcat"),
    "vq2d": Format("Ego4D VQ2D challenge JSON", "vq2d"),
    "grove": Format("the pickle of GROVE on GroundingYouTube", "grove", writes=False),
    "mot": Format("MOTChallenge text, .txt or .zip", "mot"),
    "thumos": Format("THUMOS detection text", "thumos"),
}


def format_module(name: str, *, write: bool = False) -> ModuleType:
    """The module of a format.

    Raises `InputError` for a name that is none, and for a format that is only read.
    """
    if name not in FORMATS:
        from difflib import get_close_matches

        similar = get_close_matches(name, FORMATS, n=1)
        hint = f"; did you mean {similar[0]!r}?" if similar else ""
        raise InputError(f"no such format: {name!r}{hint}; known are {', '.join(FORMATS)}")
    found = FORMATS[name]
    if write and not found.writes:
        raise InputError(f"the format {name} is read, not written")
    return import_module(f"gytbench.predictions.convert.{found.module}")
