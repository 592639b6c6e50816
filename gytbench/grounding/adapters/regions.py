"""Where the regions of a frame come from, where no network proposes them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from gytbench.errors import InputError
from gytbench.metrics.arrays import Floats
from gytbench.predictions.faults import split_path
from gytbench.predictions.limits import check_size
from gytbench.predictions.schema import Box
from gytbench.predictions.syntax import NOT_DECODED, syntax_fault

if TYPE_CHECKING:
    from torch import Tensor

_SIDES = (1.0, 0.5, 0.25)
_STEP = 0.5  # of a window's side
_SLACK = 2.0  # pixels by which a box may reach beyond its frame, for rounding

_Seconds = dict[int, msgspec.Raw]


def sliding_windows() -> Floats:
    """107 windows over a frame, n x (x1, y1, x2, y2) in its fractions, the largest first.

    Their sides are the whole, a half and a quarter of the frame's, in every pair of which
    one is at most twice the other; each overlaps the next by half.
    """
    sizes = [(w, h) for w in _SIDES for h in _SIDES if 0.5 <= w / h <= 2]
    sizes.sort(key=lambda size: -size[0] * size[1])
    return np.array(
        [
            (x, y, x + width, y + height)
            for width, height in sizes
            for y in np.arange(0, 1 - height + 1e-9, _STEP * height)
            for x in np.arange(0, 1 - width + 1e-9, _STEP * width)
        ]
    )


class ProposalsFile:
    """Boxes from a JSON file: {"VIDEO": {"SECOND": [[x1, y1, x2, y2], ...]}}.

    Seconds count from the start of the video; boxes are in fractions of the frame, the best
    ones first. A second that is not named has no region.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; raises `InputError` where it is too large or not of this form."""
        self._where = str(path)
        check_size(path.stat().st_size, path)
        text = path.read_bytes()
        broken = syntax_fault(self._where, text)
        if broken is not None:
            raise InputError([broken])
        self._videos: dict[str, msgspec.Raw] = self._decoded(text, dict[str, msgspec.Raw], "$")
        self._last: tuple[str, _Seconds] = ("", {})

    def at(self, video: str, second: int) -> Floats:
        """The boxes of a second, n x 4, those without an area left out.

        Raises `InputError` for a video that the file does not name, and for what are no
        boxes.
        """
        boxes = self._of(video).get(second)
        if boxes is None:
            return np.empty((0, 4))
        place = f"$.{video}.{second}"
        found = np.array(self._decoded(boxes, list[Box], place), dtype=float).reshape(-1, 4)
        if not ((found >= -1) & (found <= 2)).all():
            reason = "a box lies far outside the frame: they are in fractions of it, not in pixels"
            raise InputError(reason, where=f"{self._where}: {place}")
        return with_area(found.clip(0, 1))

    def _of(self, video: str) -> _Seconds:
        if video not in self._videos:
            raise InputError(f"has no proposals for the video {video!r}", where=self._where)
        # One video is asked about second after second.
        if self._last[0] != video:
            seconds: _Seconds = self._decoded(self._videos[video], _Seconds, f"$.{video}")
            self._last = (video, seconds)
        return self._last[1]

    def _decoded(self, text: bytes | msgspec.Raw, kind: type, place: str) -> Any:
        try:
            return msgspec.json.decode(text, type=kind)
        except NOT_DECODED as error:
            reason, path = split_path(str(error))
            where = f"{self._where}: {place}{path.removeprefix('$')}"
            raise InputError(reason, where=where) from None


class Regions(NamedTuple):
    """The regions of a frame with their features."""

    boxes: Floats
    """n x (x1, y1, x2, y2) in fractions of the frame."""
    features: "Tensor"
    """n x width, float32."""


class RegionFiles:
    """The files of RegionCLIP's own extraction script (tools/extract_region_features.py).

    One for each frame: VIDEO/SECOND.pth, or VIDEO_SECOND.pth as the script names it for an
    image VIDEO_SECOND.jpg. Each holds `boxes`, n x (x1, y1, x2, y2) in pixels of the image
    file, and `feats`, n x width; `classes` and `probs`, of the script's own classes, do not
    count. The images must have been of the size of the video's frames. A second without a
    file has no region.
    """

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where there is no such folder."""
        if not folder.is_dir():
            raise InputError("no such folder of region features", where=str(folder))
        self._folder = folder
        self._last: tuple[str, dict[int, Path]] = ("", {})

    def at(self, video: str, second: int, size: tuple[int, int], width: int) -> Regions:
        """The regions of a second; there may be none.

        size: width and height of the video's frames; width: of a text's embedding. Raises
        `InputError` where the folder has no file of the video, and for a file that holds no
        regions of such a frame with features of that width.
        """
        import torch

        path = self._of(video).get(second)
        if path is None:
            return Regions(np.empty((0, 4)), torch.empty(0, width))
        return _read_regions(path, size, width)

    def _of(self, video: str) -> dict[int, Path]:
        if self._last[0] != video:
            self._last = (video, self._listed(video))
        return self._last[1]

    def _listed(self, video: str) -> dict[int, Path]:
        own, name = self._folder / video, r"(\d+)\.pth"
        if not own.is_dir():
            own, name = self._folder, re.escape(f"{video}_") + name
        found = {
            int(match[1]): path
            for path in own.iterdir()
            if (match := re.fullmatch(name, path.name)) is not None
        }
        if not found:
            reason = f"has neither {video}/SECOND.pth nor {video}_SECOND.pth for any second"
            raise InputError(reason, where=str(self._folder))
        return found


def with_area(boxes: Floats) -> Floats:
    """Those of the boxes that have an area."""
    kept: Floats = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
    return kept


def _read_regions(path: Path, size: tuple[int, int], width: int) -> Regions:
    from gytbench.models.checkpoints import read_checkpoint

    stored = read_checkpoint(path)
    lacking = [name for name in ("boxes", "feats") if name not in stored]
    if lacking:
        raise InputError(f"lacks {' and '.join(lacking)}: no region features", where=str(path))
    boxes, features = stored["boxes"].double().numpy(), stored["feats"].float()
    if boxes.ndim != 2 or boxes.shape[1] != 4 or features.shape != (len(boxes), width):
        shapes = f"{tuple(boxes.shape)} and {tuple(features.shape)}"
        reason = f"boxes and feats have the shapes {shapes}, not n x 4 and n x {width}"
        raise InputError(reason, where=str(path))
    limits = np.array([*size, *size])
    if not ((boxes >= -_SLACK) & (boxes <= limits + _SLACK)).all():
        reason = (
            f"a box reaches beyond the frame of {size[0]} x {size[1]} pixels: extract the images "
            "from the video at its own size"
        )
        raise InputError(reason, where=str(path))
    return Regions(boxes.clip(0, limits) / limits, features)
