"""A scored system: the outcomes that its metrics are made of, and the file that stores them.

The file is an .npz of plain arrays, format `gytbench-outcomes/1`: the texts `format`,
`title` and `signature`, the names `videos` and `classes` that the outcomes are
numbered by, and every field of the task's outcomes under its own name.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.evaluation import spatial, st, temporal
from gytbench.evaluation.protocol import TUBE_THRESHOLDS, Protocol, parse_signature
from gytbench.evaluation.resampling import Outcomes
from gytbench.evaluation.result import Result, Score
from gytbench.metrics.arrays import Ints

FORMAT: Final = "gytbench-outcomes/1"
MAX_BYTES: Final = 512 << 20
"""Of the arrays together; the outcomes of two million tubes need a quarter of it."""
_MOST_VIDEOS: Final = 20_000
_MOST_CELLS: Final = 20_000_000
"""Videos x classes."""
_MOST_COUNTED: Final = 1 << 40
"""Seconds, frames or instances of a video: their sums stay far from overflow."""

_Shape = tuple[int | str, ...]
_TEXTS: Final[dict[str, _Shape]] = {
    "format": (),
    "title": (),
    "signature": (),
    "videos": ("videos",),
    "classes": ("classes",),
}
_COUNT, _NUMBER, _TRUTH = "<i8", "<f8", "|b1"
_FIELDS: Final[dict[str, dict[str, tuple[str, _Shape]]]] = {
    "st": {
        "frames": (_COUNT, ("videos", 4)),
        "class_frames": (_COUNT, ("videos", "classes", 4)),
        "tube_video": (_COUNT, ("tubes",)),
        "tube_label": (_COUNT, ("tubes",)),
        "tube_score": (_NUMBER, ("tubes",)),
        "tube_instance": (_COUNT, (len(TUBE_THRESHOLDS), "tubes")),
        "positives": (_COUNT, ("videos", "classes")),
        "has_regions": (_TRUTH, ()),
    },
    "spatial": {
        "video": (_COUNT, ("units",)),
        "label": (_COUNT, ("units",)),
        "hit": (_TRUTH, ("units",)),
        "success": (_TRUTH, ("units",)),
        "score": (_NUMBER, ("units",)),
        "has_regions": (_TRUTH, ()),
    },
    "temporal": {
        "durations": (_NUMBER, ("videos", "classes", 3)),
        "segment_video": (_COUNT, ("segments",)),
        "segment_label": (_COUNT, ("segments",)),
        "segment_iou": (_NUMBER, ("segments",)),
        "segment_iod": (_NUMBER, ("segments",)),
    },
}
_KINDS: Final[dict[str, type[Outcomes]]] = {
    "st": st.SpatioTemporalOutcomes,
    "spatial": spatial.SpatialOutcomes,
    "temporal": temporal.TemporalOutcomes,
}


@dataclass(frozen=True)
class System:
    """What one system got under one signature, by video: all that a comparison needs."""

    title: str
    signature: str
    videos: tuple[str, ...]
    """Ids, in the order in which the outcomes number them."""
    classes: tuple[str, ...]
    outcomes: Outcomes

    @property
    def protocol(self) -> Protocol:
        """The options that the signature names."""
        return parse_signature(self.signature)

    @property
    def metrics(self) -> dict[str, Score]:
        """Every metric of the task, as in the `Result`."""
        if isinstance(self.outcomes, st.SpatioTemporalOutcomes):
            return st.metrics_of(self.outcomes, st.class_precisions(self.outcomes))
        if isinstance(self.outcomes, spatial.SpatialOutcomes):
            return spatial.metrics_of(self.outcomes)
        return temporal.metrics_of(self.outcomes, self.protocol.average)


def system_of(result: Result, benchmark: Benchmark, title: str) -> System:
    """The system behind a result that was scored on the benchmark."""
    names = benchmark.classes.names
    return System(title, result.signature, benchmark.videos, names, result.outcomes)


def outcomes_file(system: System) -> bytes:
    """The system as an .npz file; the same system gives the same bytes."""
    arrays: dict[str, Any] = {
        "format": np.array(FORMAT),
        "title": np.array(system.title),
        "signature": np.array(system.signature),
        "videos": np.array(system.videos, dtype=np.str_),
        "classes": np.array(system.classes, dtype=np.str_),
    }
    for name, (dtype, _) in _FIELDS[system.protocol.task].items():
        arrays[name] = np.asarray(getattr(system.outcomes, name), dtype=dtype, order="C")
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def read_outcomes(path: str | Path) -> System:
    """The system that `outcomes_file` wrote.

    Nothing in the file is trusted: size, names, types, shapes and values are
    checked. Raises InputError for a file that this version does not write.
    """
    try:
        arrays = _arrays(Path(path))
        return _system(arrays)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    except InputError as error:
        reason = str(error)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
        reason = "not an .npz file, or a damaged one"
    except ValueError as error:
        reason = f"not a file of outcomes: {error}"
    raise InputError(reason, where=str(path))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays by name; none is read before their sizes are known to be bearable."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > 20 or sum(member.file_size for member in members) > MAX_BYTES:
            raise ValueError(f"it holds more than {MAX_BYTES >> 20} MiB or 20 arrays")
        if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members):
            raise ValueError("its compression is not one that this version writes")
        return {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}


_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(<i8|<f8|\|b1|<U[0-9]{1,4})', 'fortran_order': False, "
    rb"'shape': \(((?:[0-9]{1,9}, ?)*(?:[0-9]{1,9})?)\), \} *\n",
    re.DOTALL,
)


def _array(content: bytes) -> NDArray[Any]:
    """An array in numpy's format 1.0, of the few types that are stored."""
    header = _HEADER.match(content)
    if header is None:
        raise ValueError("an array has a header that this version does not write")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(number) for number in re.findall(rb"[0-9]+", header[2]))
    if header.end() + prod(shape) * dtype.itemsize != len(content):
        raise ValueError("an array is shorter or longer than its header says")
    return np.ndarray(shape, dtype, content, header.end()).astype(dtype.newbyteorder("="))


def _system(arrays: Mapping[str, NDArray[Any]]) -> System:
    sizes: dict[str, int] = {}
    for name, shape in _TEXTS.items():
        _check_array(name, arrays.get(name), "U", shape, sizes)
    if arrays["format"].item() != FORMAT:
        raise ValueError(f"its format is {arrays['format'].item()!r}, not {FORMAT!r}")
    if not sizes["videos"] * sizes["classes"]:
        raise ValueError("it names no video, or no class")
    if sizes["videos"] > _MOST_VIDEOS or sizes["videos"] * sizes["classes"] > _MOST_CELLS:
        raise ValueError("more videos or classes than any benchmark has")
    signature, videos = arrays["signature"].item(), tuple(arrays["videos"].tolist())
    task = parse_signature(signature).task
    fields = _FIELDS[task]
    for name, (dtype, shape) in fields.items():
        _check_array(name, arrays.get(name), dtype, shape, sizes)
    if unknown := arrays.keys() - _TEXTS.keys() - fields.keys():
        raise ValueError(f"unknown array {min(unknown)!r}")
    if len(set(videos)) != len(videos):
        raise ValueError("a video is named twice")
    found: dict[str, Any] = {
        name: bool(arrays[name]) if name == "has_regions" else arrays[name] for name in fields
    }
    outcomes = _KINDS[task](**found)
    _check_values(outcomes, sizes)
    classes = tuple(arrays["classes"].tolist())
    return System(arrays["title"].item(), signature, videos, classes, outcomes)


def _check_array(
    name: str, array: NDArray[Any] | None, dtype: str, shape: _Shape, sizes: dict[str, int]
) -> None:
    """Raise ValueError for another type or shape; a size is named where it is first met."""
    if array is None:
        raise ValueError(f"the array {name!r} is missing")
    if array.dtype.kind != "U" if dtype == "U" else array.dtype != np.dtype(dtype):
        raise ValueError(f"{name} is of the type {array.dtype}")
    fits = array.ndim == len(shape) and all(
        size == (sizes.setdefault(wanted, size) if isinstance(wanted, str) else wanted)
        for size, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} has the shape {array.shape}, which does not fit")


def _check_values(outcomes: Outcomes, sizes: Mapping[str, int]) -> None:
    """Raise ValueError for values that no evaluation gives: all scores are then in [0, 1]."""
    if isinstance(outcomes, st.SpatioTemporalOutcomes):
        sound = _sound_st(outcomes, sizes)
    elif isinstance(outcomes, spatial.SpatialOutcomes):
        sound = (
            _within(outcomes.video, sizes["videos"])
            and _within(outcomes.label, sizes["classes"])
            and not np.isinf(outcomes.score).any()
        )
    else:
        sound = _sound_temporal(outcomes, sizes)
    if not sound:
        raise ValueError("an array holds values that no evaluation gives")


def _within(numbers: Ints, size: int) -> bool:
    """Whether all numbers index something of that size."""
    return bool(((numbers >= 0) & (numbers < size)).all())


def _sound_st(outcomes: st.SpatioTemporalOutcomes, sizes: Mapping[str, int]) -> bool:
    def counted(counts: Ints) -> bool:
        covered, predicted, labelled, hit = np.moveaxis(counts, -1, 0)
        nested = (hit <= labelled) & (labelled <= np.minimum(covered, predicted))
        return _within(counts, _MOST_COUNTED) and bool(nested.all())

    return (
        counted(outcomes.frames)
        and counted(outcomes.class_frames)
        and _within(outcomes.positives, _MOST_COUNTED)
        and _within(outcomes.tube_video, sizes["videos"])
        and _within(outcomes.tube_label, sizes["classes"])
        and bool(np.isfinite(outcomes.tube_score).all())
        and not _taken_too_often(outcomes, sizes["classes"])
    )


def _taken_too_often(outcomes: st.SpatioTemporalOutcomes, classes: int) -> bool:
    """Whether tubes take more instances of a video and class than there are."""
    cell = outcomes.tube_video * classes + outcomes.tube_label
    free = outcomes.positives.ravel()
    return any(
        bool((np.bincount(cell[taken >= 0], minlength=free.size) > free).any())
        for taken in outcomes.tube_instance
    )


def _sound_temporal(outcomes: temporal.TemporalOutcomes, sizes: Mapping[str, int]) -> bool:
    true, said, shared = np.moveaxis(outcomes.durations, 2, 0)
    scores = np.concatenate((outcomes.segment_iou, outcomes.segment_iod))
    # Sums of the same durations in another order may differ in their last digits.
    nested = shared <= np.minimum(true, said) * (1 + 1e-9)
    return (
        bool(((outcomes.durations >= 0) & (outcomes.durations < _MOST_COUNTED)).all())
        and bool(nested.all())
        and _within(outcomes.segment_video, sizes["videos"])
        and _within(outcomes.segment_label, sizes["classes"])
        and bool(((scores >= 0) & (scores <= 1)).all())
    )
