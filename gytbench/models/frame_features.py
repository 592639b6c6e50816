"""Features of the frames of a video, as MiningYouTube publishes them, and its dictionary.

Source: hildekuehne/Mining_YouTube_dataset. Of each frame the global pooling of a Temporal
Segment Network's two BNInceptions, 1024 numbers of flow and 1024 of RGB.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gytbench.benchmark import normalise_label
from gytbench.errors import InputError
from gytbench.inputs import read_limited

SIZE = 2048
"""Numbers of a frame."""

SUFFIXES = (".npy", ".h5", ".hdf5")
"""Of files of features."""

MAX_FRAMES = 86_400 * 60
"""Of one file: a day at 60 frames a second."""

BACKGROUND = "background"

_ENTRY = "data"
"""Of an HDF5 file, where the features are."""

_MAX_TEXT = 16 << 20
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

Singles = NDArray[np.float32]


class FrameFeatures:
    """The features of one file, read in parts: all of a long video need not fit in memory."""

    def __init__(self, values: Any, where: str) -> None:
        """values: SIZE x frames, sliced like an array."""
        self._values, self._where = values, where
        self.frames: int = values.shape[1]

    def part(self, start: int, stop: int) -> Singles:
        """Those of the frames start to stop - 1: frames x SIZE.

        Raises `InputError` for a value that is not a finite number of single precision.
        """
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(self._values[:, start:stop], dtype=np.float32)
        except OSError as error:
            raise InputError(f"cannot be read: {error}", where=self._where) from None
        finite = np.isfinite(values).all(axis=0)
        if not finite.all():
            frame = start + int(np.argmin(finite))
            raise InputError(f"frame {frame} has a value that is not finite", where=self._where)
        return np.ascontiguousarray(values.T)


@contextmanager
def open_features(path: Path) -> Iterator[FrameFeatures]:
    """The features of a .npy file, or of the entry `data` of an HDF5 file: SIZE x frames.

    Raises `InputError` for a file that is missing, damaged or cut short, holds something
    else, claims more than it has, or would run code to be read; and for HDF5 without h5py.
    """
    if not path.is_file():
        raise InputError("no such file of features", where=str(path))
    if path.suffix.lower() == ".npy":
        yield FrameFeatures(_mapped(path), str(path))
        return
    with opened_hdf5(path) as file:
        values = entry_of(file, _ENTRY, path)
        _check(values.shape, values.dtype, path)
        yield FrameFeatures(values, str(path))


def features_by_id(folder: Path) -> dict[str, Path]:
    """The files of features in a folder by the id that each is named for, sorted.

    Of several for one id the .npy file counts. Raises `InputError` for a folder that
    cannot be read or has none.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    found = {
        path.stem: path
        for suffix in reversed(SUFFIXES)
        for path in paths
        if path.suffix.lower() == suffix and not path.name.startswith(".")
    }
    if not found:
        raise InputError(f"holds no features: no {' or '.join(SUFFIXES)} files", where=str(folder))
    return dict(sorted(found.items()))


def read_dictionary(path: Path) -> tuple[str, ...]:
    """The classes of weakYouTube_dict.txt, one a line, in the order of the network's outputs.

    `BACKGROUND` is one of them. Raises `InputError` for a file of another kind.
    """
    names: dict[str, int] = {}
    for number, line in text_lines(path):
        name = normalise_label(line)
        here = f"{path}: line {number}"
        if len(line.split()) != 1:
            hint = "mapping_without_meta.txt has another order"
            raise InputError(f"not one name; give weakYouTube_dict.txt ({hint})", where=here)
        if names.setdefault(name, number) != number:
            raise InputError(f"{name!r} stands in line {names[name]} already", where=here)
    if BACKGROUND not in names:
        raise InputError(f"has no {BACKGROUND!r}; give weakYouTube_dict.txt", where=str(path))
    return tuple(names)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file, counted from 1, without space around; empty ones are left out."""
    try:
        text = read_limited(path, _MAX_TEXT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: byte {error.start}", where=str(path)) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


@contextmanager
def opened_hdf5(path: Path) -> Iterator[Any]:
    """An HDF5 file; raises `InputError` for another file, and without h5py."""
    try:
        import h5py
    except ImportError:
        raise InputError("needs h5py: pip install 'gytbench[hdf5]'", where=str(path)) from None
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"not an HDF5 file, or damaged: {error}", where=str(path)) from None
    with file:
        yield file


def entry_of(file: Any, name: str, path: Path) -> Any:
    """An array of an HDF5 file, not yet read.

    Raises `InputError` where there is none, or where it is not stored in the file itself.
    """
    import h5py

    link = file.get(name, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        raise InputError(f"its {name!r} leads elsewhere, which is not followed", where=str(path))
    values = file.get(name)
    if not isinstance(values, h5py.Dataset):
        raise InputError(f"has no array {name!r}", where=str(path))
    if values.is_virtual or values.external:
        raise InputError(f"its {name!r} is stored in other files", where=str(path))
    return values


def _mapped(path: Path) -> Any:
    """The array of a .npy file, on the disk."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            # Python 2 wrote headers that are read with a warning.
            warnings.simplefilter("ignore")
            header = _HEADERS[np.lib.format.read_magic(file)]
            shape, by_column, dtype = header(file)
            begin = file.tell()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except Exception:  # bytes from outside can fail in any way
        raise InputError("not a .npy file, or damaged", where=str(path)) from None
    _check(shape, dtype, path)
    if path.stat().st_size - begin < SIZE * shape[1] * dtype.itemsize:
        raise InputError(f"cut short: its {shape[1]} frames are not all there", where=str(path))
    return np.memmap(path, dtype, "r", begin, shape, "F" if by_column else "C")


def _check(shape: Sequence[int], dtype: Any, path: Path) -> None:
    """Raise `InputError` for what is no array of features."""
    if np.dtype(dtype).kind != "f":
        what = "Python objects, which are not read" if dtype.hasobject else f"values of {dtype}"
        raise InputError(f"holds {what}: features are floating-point numbers", where=str(path))
    said = " x ".join(map(str, shape)) or "no dimension"
    if len(shape) != 2 or shape[0] != SIZE:
        hint = "; transpose it" if len(shape) == 2 and shape[1] == SIZE else ""
        raise InputError(f"has {said} values, not {SIZE} x frames{hint}", where=str(path))
    if not 1 <= shape[1] <= MAX_FRAMES:
        raise InputError(f"has {shape[1]} frames; 1 to {MAX_FRAMES:,} are read", where=str(path))
