"""The MLP of MiningYouTube (Kuehne et al. 2019), on published features of frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.benchmark import normalise_label
from gytbench.benchmark.classes import read_classes
from gytbench.errors import InputError
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Features, Request, Setup, Stretch
from gytbench.metrics.arrays import Floats, Ints
from gytbench.models.frame_features import SUFFIXES, open_features, read_dictionary
from gytbench.resources import annotations_folder

if TYPE_CHECKING:
    from gytbench.models.frame_features import FrameFeatures

_AT_ONCE = 4096
"""Frames that go through the network at once."""


class MiningMlpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the features are, and when."""

    features: str = ""
    """Folder of the features, ID.npy or ID.h5, where --videos names videos. Their frames are
    spread evenly over a video, whatever its rate and however many of its frames they leave
    out. Empty = --videos names the folder of the features, and `rate` tells their time."""
    rate: Annotated[float, Meta(ge=1, le=1000)] | None = None
    """Frames of features a second, where no video tells how long they last."""


class MiningMlpGrounder:
    """The MLP of MiningYouTube on features of a Temporal Segment Network; says when.

    The network judges every frame of the features. The score of a second is the mean, over
    the frames that begin within it, of the log probability that the class of the query is
    there: a mean and not a sum, so that one scale holds for videos of all frame rates. An
    alignment without a length term comes out the same with either.

    A query is a class of the dictionary, "background", or a step of GroundingYouTube, whose
    class is taken: steps of one class have equal scores.
    """

    Settings: ClassVar = MiningMlpSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "weights of the MLP, as `gytbench train-mlp` writes them",
        "dictionary": "the classes in the order of its outputs (weakYouTube_dict.txt)",
    }
    suffixes: ClassVar = SUFFIXES

    def __init__(self, settings: MiningMlpSettings, setup: Setup) -> None:
        """Load weights and classes. Raises `InputError` where they are missing or others."""
        try:
            from gytbench.models.mining_mlp import load_mining_mlp
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        if setup.half:
            raise InputError("half precision makes it no faster; leave it out", where="--half")
        if settings.features and not Path(settings.features).is_dir():
            raise InputError(f"{settings.features} is no folder", where="features")
        self._settings, self._device = settings, setup.device
        names = read_dictionary(needed_file(setup, self.roles, "dictionary"))
        self._index = {name: number for number, name in enumerate(names)}
        path = annotations_folder() / "classes.tsv"
        self._steps = read_classes(path.read_text(encoding="utf-8"), "mining512", path)
        checkpoint = needed_file(setup, self.roles, "checkpoint")
        self._network = load_mining_mlp(checkpoint, len(names), setup.device)

    def seconds(self, path: Path) -> range:
        """Those that begin before the last frame of a file of features.

        Raises `InputError` where the file does not serve, and without a `rate`.
        """
        if self._settings.rate is None:
            reason = "features alone tell no time: set their frames a second (--set rate=14.985)"
            raise InputError(f"{reason}, or name the folder of videos", where="rate")
        with open_features(path) as features:
            return range(int((features.frames - 1) / self._settings.rate) + 1)

    def read(self, request: Request) -> Features:
        """ "scores of QUERY" (seconds) for each query.

        Raises `InputError` where the video has no features or they do not serve, where a
        query has no class, and where the network gives no number.
        """
        queries = list(dict.fromkeys(each.query for each in request.asked))
        classes = [self._class(query) for query in queries]
        path, alone = self._file(request)
        with open_features(path) as features:
            count = len(request.seconds)
            second = self._second_of(features.frames, count, alone, str(path))
            scores = self._means(features, second, count, classes)
        if not np.isfinite(scores).all():
            reason = "the network gives no number (NaN): its weights are damaged"
            raise InputError(reason, where=request.video)
        return {f"scores of {query}": scores[:, at] for at, query in enumerate(queries)}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """Mean log probabilities, seconds x queries."""
        named = [stretch.by_second(stretch.features[f"scores of {query}"]) for query in queries]
        return np.stack(named, axis=1)

    def _file(self, request: Request) -> tuple[Path, bool]:
        """The features of a video, and whether there is nothing else of it."""
        if request.path.suffix.lower() in SUFFIXES:
            return request.path, True
        if not self._settings.features:
            reason = "is a video: name the folder of its features (--set features=DIR)"
            raise InputError(reason, where=str(request.path))
        stem = Path(self._settings.features) / request.video
        for suffix in SUFFIXES:
            path = stem.with_name(stem.name + suffix)
            if path.is_file():
                return path, False
        raise InputError(f"no features: no {stem}.npy and no {stem}.h5", where=request.video)

    def _second_of(self, frames: int, count: int, alone: bool, where: str) -> Ints:
        """The second that each frame begins in; none of the `count` seconds is left without."""
        if alone and self._settings.rate:
            times = np.arange(frames) / self._settings.rate
        elif frames >= count:
            # A video ends, on the average, half a second after its last second begins.
            times = (np.arange(frames) + 0.5) / frames * (count - 0.5)
        else:
            reason = f"{frames} frames of features for {count} seconds of video: too few"
            raise InputError(reason, where=where)
        return np.asarray(np.minimum(times, count - 1).astype(np.int64))

    def _class(self, query: str) -> int:
        """The network's number for what a query asks."""
        label = normalise_label(query)
        for name in (label, self._steps.name_of(label)):
            if name in self._index:
                return self._index[name]
        raise InputError(f"its dictionary has no class for {query!r}", where="mining-mlp")

    def _means(
        self, features: "FrameFeatures", second: Ints, count: int, classes: Sequence[int]
    ) -> Floats:
        """The mean log probability of each class in each second: seconds x classes."""
        import torch

        total = np.zeros((count, len(classes)))
        for start in range(0, features.frames, _AT_ONCE):
            part = features.part(start, min(start + _AT_ONCE, features.frames))
            with torch.inference_mode():
                frames = torch.from_numpy(part).to(self._device)
                scores = self._network.log_scores(frames, classes).cpu().numpy()
            np.add.at(total, second[start : start + len(part)], scores.astype(np.float64))
        return np.asarray(total / np.bincount(second, minlength=count)[:, None])
