"""The folder of a run: one file for each video, whole or not there, until all are merged."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from gytbench.errors import InputError
from gytbench.predictions import Tube
from gytbench.writing import write_whole

_PLAN = "plan.json"
_PART = "video {}.json"


class Part(msgspec.Struct, omit_defaults=True):
    """What a run says of one video."""

    video: str
    tubes: list[Tube] = []
    failed: str = ""
    """Why the video could not be answered; else empty."""
    spent: dict[str, float] = {}
    """Seconds of work by kind: decoding, model, writing."""


class RunFolder:
    """The parts of a run, beside the file that they become.

    A run that is killed at any moment leaves whole parts, and goes on from them. Several
    shards of one run may write to one folder.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        """Make the folder, or take up the one there.

        plan: everything that decides the predictions, as plain values. Raises
        `InputError` where the folder holds parts of another plan.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot be made: {error.strerror}", where=str(folder)) from None
        text = msgspec.json.encode(plan)
        known = self._bytes(folder / _PLAN)
        if known is None or not any(self.folder.glob(_PART.format("*"))):
            write_whole(folder / _PLAN, text)
        elif known != text:
            changed = ", ".join(_changes(known, plan)) or "its plan cannot be read"
            raise InputError(
                f"holds the parts of another run ({changed}); remove the folder to start anew, "
                "or name another output",
                where=str(folder),
            )

    def read(self, video: str) -> Part | None:
        """The part of a video; None where there is none that is whole."""
        text = self._bytes(self._path(video))
        with suppress(msgspec.DecodeError):
            return None if text is None else msgspec.json.decode(text, type=Part)
        return None

    def parts(self, videos: Iterable[str]) -> Iterator[Part | None]:
        """The part of each video, in order."""
        return (self.read(video) for video in videos)

    def has(self, video: str) -> bool:
        """Whether there is a part, without reading all of it."""
        return self._path(video).is_file()

    def write(self, part: Part) -> None:
        """Put down the part of a video; raises `InputError` where the disk takes no more."""
        write_whole(self._path(part.video), msgspec.json.encode(part))

    def remove(self) -> None:
        """Remove the folder, whose parts are merged."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, video: str) -> Path:
        # An id may hold anything that a JSON key can; it begins with a dash quite often.
        return self.folder / _PART.format(quote(video, safe=""))

    def _bytes(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _changes(known: bytes, plan: Mapping[str, Any]) -> Iterator[str]:
    """What differs between the plan of the folder and this one, in words."""
    try:
        before = msgspec.json.decode(known, type=dict[str, Any])
    except msgspec.DecodeError:
        return
    now = msgspec.to_builtins(plan)
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield f"{name} {_short(before.get(name))}, now {_short(now.get(name))}"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 40 else f"{text[:37]}..."
