"""Frames with their features and classes, from files, in an order to learn from."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gytbench.benchmark import normalise_label
from gytbench.errors import InputError
from gytbench.metrics.arrays import Bools, Ints
from gytbench.models.frame_features import (
    SIZE,
    Singles,
    entry_of,
    features_by_id,
    open_features,
    opened_hdf5,
    text_lines,
)

LABEL_SUFFIXES = (".gt", ".txt")
"""Of files with one class a line, a line for each frame."""

POOL = 250_000
"""Frames that are in memory at once, 8 KiB each."""

_READ = 4096
"""Frames that are read at once."""
_LABELS = "labels"
"""Of an HDF5 file, where the classes of its clip are."""

Targets = Callable[[int, int], Bools]
"""From a first frame and the one after the last, which classes are there: frames x classes."""


class Pool(NamedTuple):
    """Frames that are in memory."""

    features: Singles
    """Frames x SIZE."""
    there: Bools
    """Which classes each frame has: frames x classes."""


class LabelledFrames:
    """The frames of all files that have features and labels.

    features: a folder of files that `open_features` reads. labels: a folder with ID.gt or
    ID.txt for each, one class a line, and 1, 2, 3 ... lines for each frame of features, of
    which the first counts (2, where features are of every second frame). Or a file like
    MiningYouTube's mapping_without_meta.txt, lines of a number and a class: then the entry
    `labels` of each HDF5 file has the numbers of what all of its frames show.
    """

    def __init__(
        self, features: Path, labels: Path, classes: Sequence[str], pool: int = POOL
    ) -> None:
        """Lists the files; raises `InputError` where there is nothing to learn from."""
        self._index = {name: number for number, name in enumerate(classes)}
        self.classes = len(classes)
        self._pool = pool
        found = features_by_id(features)
        self._numbered: dict[int, int] | None = None
        self._labels: dict[str, Path] = {}
        if labels.is_dir():
            self._labels = _label_files(labels)
        else:
            self._numbered = self._numbers(labels)
            found = {id_: path for id_, path in found.items() if path.suffix.lower() != ".npy"}
            self._labels = dict.fromkeys(found, labels)
        self.files = [(id_, path) for id_, path in found.items() if id_ in self._labels]
        if not self.files:
            what = "HDF5 files" if self._numbered is not None else "files that labels are named for"
            raise InputError(f"holds no {what} in {labels}", where=str(features))

    def pools(
        self, generator: np.random.Generator, read: Callable[[], object] = lambda: None
    ) -> Iterator[Pool]:
        """All frames, the files in random order; what is given is overwritten by the next.

        read: called after each file. Raises `InputError` for a file that does not serve.
        """
        features = np.empty((self._pool, SIZE), dtype=np.float32)
        there = np.empty((self._pool, self.classes), dtype=np.bool_)
        filled = 0
        for number in generator.permutation(len(self.files)).tolist():
            for part in self._parts(*self.files[number]):
                if filled + len(part.there) > self._pool:
                    yield Pool(features[:filled], there[:filled])
                    filled = 0
                rows = slice(filled, filled + len(part.there))
                features[rows], there[rows] = part
                filled = rows.stop
            read()
        yield Pool(features[:filled], there[:filled])

    def _parts(self, id_: str, path: Path) -> Iterator[Pool]:
        """The frames of a file, a few at a time."""
        with open_features(path) as features:
            targets = self._targets(id_, path, features.frames)
            step = min(_READ, self._pool)
            for start in range(0, features.frames, step):
                stop = min(start + step, features.frames)
                yield Pool(features.part(start, stop), targets(start, stop))

    def _targets(self, id_: str, path: Path, frames: int) -> Targets:
        if self._numbered is None:
            return self._of_frames(self._labels[id_], frames)
        row = self._of_clip(path)
        return lambda start, stop: np.broadcast_to(row, (stop - start, len(row)))

    def _of_frames(self, path: Path, frames: int) -> Targets:
        """One class for each frame, from a file of lines."""
        rows = np.array([self._number(line, path, n) for n, line in text_lines(path)])
        every = max(1, round(len(rows) / frames))
        if abs(len(rows) - every * frames) > max(every, 0.01 * len(rows)):
            reason = f"{len(rows)} labels do not fit {frames} frames of features"
            raise InputError(f"{reason}: there are 1, 2, 3 ... for each frame", where=str(path))
        known: Ints = rows[np.minimum(np.arange(frames) * every, len(rows) - 1)]
        return lambda start, stop: known[start:stop, None] == np.arange(self.classes)

    def _of_clip(self, path: Path) -> Bools:
        """The classes of all frames, from an HDF5 file."""
        assert self._numbered is not None
        there = np.zeros(self.classes, dtype=np.bool_)
        with opened_hdf5(path) as file:
            stored = entry_of(file, _LABELS, path)
            if stored.dtype.kind not in "iuf" or not 1 <= stored.size <= self.classes:
                raise InputError(f"its {_LABELS!r} are no numbers of classes", where=str(path))
            numbers = np.asarray(stored[()]).ravel().tolist()
        for number in numbers:
            if number not in self._numbered:
                raise InputError(f"has class {number}, which has no name", where=str(path))
            there[self._numbered[number]] = True
        return there

    def _numbers(self, path: Path) -> dict[int, int]:
        """From the numbers of a file of numbers and classes to those of the dictionary."""
        numbered: dict[int, int] = {}
        for line, text in text_lines(path):
            number, _, name = text.partition(" ")
            if not number.isdecimal() or len(number) > 6 or not name:
                hint = "give mapping_without_meta.txt, or a folder of labels"
                raise InputError(f"not a number and a class; {hint}", where=f"{path}: line {line}")
            numbered[int(number)] = self._number(name, path, line)
        return numbered

    def _number(self, name: str, path: Path, line: int) -> int:
        index = self._index.get(normalise_label(name))
        if index is None:
            raise InputError(f"the dictionary has no {name!r}", where=f"{path}: line {line}")
        return index


def _label_files(folder: Path) -> dict[str, Path]:
    """The files of labels in a folder by the id that each is named for."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    return {path.stem: path for path in paths if path.suffix.lower() in LABEL_SUFFIXES}
