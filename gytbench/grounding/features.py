"""Features of videos: made once, from pixels or by asking, and kept by content."""

import hashlib
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zipfile import BadZipFile

import msgspec
import numpy as np

from gytbench.errors import InputError
from gytbench.grounding.contract import (
    Asked,
    Features,
    Reader,
    ReadsFiles,
    Request,
    Sampling,
    Stretch,
)
from gytbench.grounding.systems import Loaded
from gytbench.predictions import Task
from gytbench.writing import open_whole

if TYPE_CHECKING:
    from gytbench.videos import FrameSource

_T = TypeVar("_T")

_SECONDS = "seconds of the video"
"""The entry of a stored file that says how long its video is."""

_AHEAD = 2
"""Batches that are decoded while the model is busy."""


@dataclass
class Watch:
    """Where the time goes, in seconds of work by kind."""

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def on(self, kind: str) -> Iterator[None]:
        """Counts the time that the block takes."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[kind] += time.perf_counter() - start


@dataclass
class Video:
    """One video while it is grounded; its file is opened and hashed at most once."""

    id: str
    path: Path
    watch: Watch
    reader: ReadsFiles | None = None
    """What reads its file, where that is no video."""

    @cached_property
    def source(self) -> "FrameSource":
        """Its frames; raises `InputError` where it cannot be decoded."""
        from gytbench.videos import open_frames

        with self.watch.on("decoding"):
            return open_frames(self.path)

    @cached_property
    def content(self) -> str:
        """A checksum of its bytes."""
        from gytbench.videos import content_hash

        with self.watch.on("decoding"):
            return content_hash(self.path)

    @cached_property
    def seconds(self) -> range:
        """Its whole seconds, from 0."""
        if self.reader is not None:
            return self.reader.seconds(self.path)
        return range(self.source.seconds[-1] + 1)


Span = tuple[int, int]
"""First second and the one after the last."""


class StoreError(InputError):
    """Features cannot be kept: no video of the run will do better."""


@dataclass(frozen=True)
class Store:
    """A folder of features, one file for each video and everything that they depend on."""

    folder: Path

    def path(self, loaded: Loaded, video: Video, spans: Sequence[Span] | None) -> Path:
        """Where the features of a video, or of spans of it, belong."""
        key = msgspec.json.encode([loaded.identity, video.content, spans])
        return self.folder / f"{hashlib.sha256(key).hexdigest()}.npz"

    def read(self, path: Path) -> dict[str, np.ndarray] | None:
        """What is stored, or None; a file that is damaged counts as none."""
        with (
            suppress(OSError, ValueError, EOFError, BadZipFile, KeyError),
            path.open("rb") as file,
            np.load(file, allow_pickle=False) as stored,
        ):
            return {name: stored[name] for name in stored.files}
        return None

    def write(self, path: Path, features: Features) -> None:
        """Store features; raises `StoreError` where the folder takes no more."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open_whole(path) as file:
                np.savez(file, **features)  # type: ignore[arg-type]
        except OSError as error:
            raise StoreError(f"cannot be made: {error.strerror}", str(self.folder)) from None
        except InputError as error:
            raise StoreError(error.faults) from None


@dataclass(frozen=True)
class Looker:
    """Gets features: how many clips at once, and where they are kept."""

    batch_size: int = 16
    store: Store | None = None

    def whole(self, loaded: Loaded, video: Video, task: Task, queries: Sequence[str]) -> Stretch:
        """The features of the whole video; a system that reads is asked all the queries."""
        if isinstance(loaded.grounder, Reader):
            return _read(loaded, video, task, [Asked(query, video.seconds) for query in queries])
        features = self._features(loaded, video, None)
        seconds = range(int(features.pop(_SECONDS)))
        return Stretch(features, seconds, loaded.grounder.sampling.stride)

    def each(
        self, loaded: Loaded, video: Video, task: Task, asked: Sequence[Asked]
    ) -> list[Stretch]:
        """The features for each thing asked, in order; all of them in one pass."""
        if not asked:
            return []
        if isinstance(loaded.grounder, Reader):
            whole = _read(loaded, video, task, asked)
        elif loaded.grounder.sampling.trimmed and task == "spatial":
            return self._trimmed(loaded, video, asked)
        else:
            whole = self.whole(loaded, video, task, ())
        return [whole.part(each.seconds) for each in asked]

    def _trimmed(self, loaded: Loaded, video: Video, asked: Sequence[Asked]) -> list[Stretch]:
        """Each of the asked seconds as clips of its own, from its first second on."""
        spans = sorted({(each.seconds.start, each.seconds.stop) for each in asked})
        features = self._features(loaded, video, spans)
        stride, first = loaded.grounder.sampling.stride, 0
        stretches = {}
        for span in spans:
            rows = slice(first, first + len(range(*span, stride)))
            own = {name: features[name][rows] for name in features if name != _SECONDS}
            stretches[span] = Stretch(own, range(*span), stride)
            first = rows.stop
        return [stretches[each.seconds.start, each.seconds.stop] for each in asked]

    def _features(
        self, loaded: Loaded, video: Video, spans: Sequence[Span] | None
    ) -> dict[str, np.ndarray]:
        """The features of the clips of a video, or of its spans one after the other.

        Beside them `_SECONDS`, how long the video is: with a store, a video whose
        features are there is hashed, but not decoded.
        """
        path = self.store.path(loaded, video, spans) if self.store else None
        stored = self.store.read(path) if self.store and path else None
        if stored is not None and _SECONDS in stored:
            return stored
        made = self._encoded(loaded, video, spans or [(0, len(video.seconds))])
        made[_SECONDS] = np.array(len(video.seconds))
        if self.store and path:
            with video.watch.on("writing"):
                self.store.write(path, made)
        return made

    def _encoded(
        self, loaded: Loaded, video: Video, spans: Sequence[Span]
    ) -> dict[str, np.ndarray]:
        from gytbench.videos.clips import batched

        sampling: Sampling = loaded.grounder.sampling
        clips = [(start, end) for span in spans for start, end in _clips(span, sampling)]
        order = sorted(range(len(clips)), key=lambda number: clips[number])
        pixels = _pixels(video, [clips[number] for number in order], sampling)
        parts: dict[str, list[np.ndarray]] = defaultdict(list)
        for batch in _ahead(batched(pixels, self.batch_size)):
            with video.watch.on("model"):
                for name, values in loaded.grounder.encode(batch).items():
                    _check_rows(loaded, name, values, len(batch))
                    parts[name].append(values)
        back = np.argsort(order)
        return {name: np.concatenate(values)[back] for name, values in parts.items()}


def _read(loaded: Loaded, video: Video, task: Task, asked: Sequence[Asked]) -> Stretch:
    request = Request(video.id, video.path, video.seconds, task, asked)
    with video.watch.on("model"):
        features = loaded.grounder.read(request)
    for name, values in features.items():
        _check_rows(loaded, name, values, len(video.seconds))
    return Stretch(features, video.seconds)


def _check_rows(loaded: Loaded, name: str, values: np.ndarray, expected: int) -> None:
    if len(values) != expected:
        reason = f"its features {name!r} have {len(values)} rows, not {expected}"
        raise InputError(reason, where=loaded.name)


def _clips(span: Span, sampling: Sampling) -> Iterator[tuple[int, float]]:
    """The start of each clip of a span, and from when on its frames are black."""
    for start in range(*span, sampling.stride):
        yield start, (span[1] if sampling.black_after else float("inf"))


def _pixels(
    video: Video, clips: Sequence[tuple[int, float]], sampling: Sampling
) -> Iterator[np.ndarray]:
    """The frames of each clip (frames x height x width x 3), clips by start."""
    from gytbench.videos.clips import clips as decoded

    offsets = [(number - sampling.lead) / sampling.fps for number in range(sampling.frames)]
    starts, ends = zip(*clips, strict=True)
    frames = decoded(video.source, starts, offsets, sampling.size, ends=ends)
    while True:
        with video.watch.on("decoding"):
            clip = next(frames, None)
        if clip is None:
            return
        yield clip


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The items, made in a thread of their own a little ahead of their use."""
    made: queue.Queue[tuple[_T | None, BaseException | None]] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def make() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not _put(made, (item, None), stopped):
                    return
        except BaseException as caught:
            error = caught
        _put(made, (None, error), stopped)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        thread.join()


def _put(made: "queue.Queue[_T]", item: _T, stopped: threading.Event) -> bool:
    """Whether the item was taken before the reader stopped."""
    while not stopped.is_set():
        with suppress(queue.Full):
            made.put(item, timeout=0.1)
            return True
    return False
