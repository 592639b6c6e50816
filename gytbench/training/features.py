"""What a frozen backbone says of videos, kept on disk: each second is looked at once."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gytbench.errors import InputError
from gytbench.training.clips import ClipReader
from gytbench.training.config import Data
from gytbench.training.drawing import Draw
from gytbench.training.narrations import Narrated
from gytbench.training.samples import Sample
from gytbench.writing import open_whole

if TYPE_CHECKING:
    from gytbench.training.networks import ClipNetwork

# A file is an array of one row for each second of its video, so that few can be read of many.
_SECOND = "second"


class Kept(NamedTuple):
    """Features on disk; may be pickled for other processes."""

    files: Mapping[str, Path]
    """By video."""
    black: Mapping[str, np.ndarray]
    """What the backbone says of a black frame, by name."""
    failures: tuple[str, ...]
    """Why videos that have no file could not be looked at."""


def keep_features(
    network: "ClipNetwork", videos: Mapping[str, Path], folder: Path, batch_size: int
) -> Kept:
    """The features of every whole second of every video (path by id), made where not yet kept.

    Of each frame, stretched to the network's square, `frames` (width, float32) and `regions`
    (R x width of a region, float16, as the adapter `global-local` stores its cells). A file is
    named for its video and for what it depends on: the weights, the size, the pixels'
    normalisation, the video's content. Those that are there are not made again, so that
    an interrupted call goes on where it was. The network is frozen, and `batch_size` frames go
    through it at once. Several processes may share a folder.

    A video that fails is left out, and said to have failed. Raises `InputError` where the
    folder cannot be written to.
    """
    from tqdm import tqdm

    if network.trained:
        raise ValueError("a backbone that is trained has no features to keep")
    _make(folder)
    sees_as = network.sees_as()
    files, failures = {}, []
    for video, path in tqdm(videos.items(), "features", disable=None, leave=False):
        try:
            files[video] = folder / f"{video}.{_key(sees_as, path)}.npy"
            rows = None if _is_kept(files[video]) else _looked(network, path, batch_size)
        except InputError as error:
            failures.append(str(error))
            files.pop(video, None)
            continue
        if rows is not None:
            with open_whole(files[video]) as file:
                np.save(file, rows, allow_pickle=False)
    black = _features(network, np.zeros((1, network.size, network.size, 3), np.uint8))
    return Kept(files, {name: values[0] for name, values in black.items()}, tuple(failures))


class FeatureReader(ClipReader):
    """Reads samples as their features, in place of pixels. Needs no torch; may be pickled."""

    def __init__(self, narrated: Narrated, data: Data, size: int, kept: Kept) -> None:
        """`size` as for `ClipReader`; `data` says that times are whole seconds."""
        super().__init__(narrated, data, size)
        self._kept = kept

    def read(self, draw: Draw) -> Sample:
        """The sample without frames; outside the video its features are a black frame's.

        Raises `InputError` that names the video where it has no features, and where the
        narration or all of the seconds are outside it.
        """
        rows = self._rows(draw)
        present = self.present(draw)
        places = np.rint(draw.times).astype(int)[present] - rows[_SECOND][0]
        features = {}
        for name, black in self._kept.black.items():
            features[name] = np.repeat(black[None], len(present), axis=0)
            features[name][present] = rows[name][places]
        return Sample(self.name(draw), draw.narration.text, present, None, features)

    def _first_and_last(self, draw: Draw) -> tuple[int, int]:
        seconds = self._rows(draw)[_SECOND]
        return int(seconds[0]), int(seconds[-1])

    def _rows(self, draw: Draw) -> np.ndarray:
        """The video's rows, of which only those that are used are read."""
        path = self._kept.files.get(draw.narration.video)
        if path is None:
            raise InputError("has no features: it could not be looked at", where=self.name(draw))
        try:
            rows: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"cannot be read: {error}", where=str(path)) from None
        return rows


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=str(folder)) from None


def _key(sees_as: str, path: Path) -> str:
    from gytbench.videos import content_hash

    return hashlib.sha256(f"{sees_as} {content_hash(path)}".encode()).hexdigest()[:32]


def _is_kept(path: Path) -> bool:
    """Whether a file is there and has all its rows."""
    with suppress(OSError, ValueError, EOFError):
        return _SECOND in (np.load(path, mmap_mode="r", allow_pickle=False).dtype.names or ())
    return False


def _looked(network: "ClipNetwork", path: Path, batch_size: int) -> np.ndarray:
    from gytbench.videos import open_frames
    from gytbench.videos.clips import batched

    source = open_frames(path)
    seconds = range(source.seconds[0], source.seconds[-1] + 1)
    frames = source.sampled(list(seconds), (network.size, network.size))
    parts = [_features(network, batch) for batch in batched(frames, batch_size)]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    for name, each in values.items():
        if not np.isfinite(each).all():
            reason = f"its {name} are not finite, or too large for {each.dtype}"
            raise InputError(reason, where=str(path))
    values[_SECOND] = np.array(seconds)
    return _as_rows(values.items(), len(seconds))


def _as_rows(columns: Iterable[tuple[str, np.ndarray]], count: int) -> np.ndarray:
    columns = list(columns)
    kinds = [(name, values.dtype, values.shape[1:]) for name, values in columns]
    rows = np.empty(count, dtype=kinds)
    for name, values in columns:
        rows[name] = values
    return rows


def _features(network: "ClipNetwork", frames: np.ndarray) -> dict[str, np.ndarray]:
    import torch

    with torch.inference_mode():
        whole, regions = network.look_at(frames)
    return {"frames": whole.cpu().numpy(), "regions": regions.half().cpu().numpy()}
