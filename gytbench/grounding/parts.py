"""The folder of a run: one file for each video, whole or not there, until all are merged."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
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


class _Verdict(msgspec.Struct):
    """Of a part, what is needed of it most often."""

    failed: str = ""


_T = TypeVar("_T", bound=msgspec.Struct)


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
        return self._decoded(video, Part)

    def verdicts(self, videos: Iterable[str]) -> dict[str, str]:
        """Of the videos that have a whole part, why each failed; empty where it did not."""
        found = ((video, self._decoded(video, _Verdict)) for video in videos)
        return {video: verdict.failed for video, verdict in found if verdict is not None}

    def _decoded(self, video: str, kind: type[_T]) -> _T | None:
        text = self._bytes(self._path(video))
        with suppress(msgspec.DecodeError):
            return None if text is None else msgspec.json.decode(text, type=kind)
        return None

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
