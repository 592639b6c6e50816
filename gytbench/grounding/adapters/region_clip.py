"""RegionCLIP (Zhong et al. 2022): regions of single frames, compared with texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.detecting import FrameDetector, no_number
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.adapters.regions import (
    ProposalsFile,
    RegionFiles,
    Regions,
    sliding_windows,
)
from gytbench.grounding.contract import Setup
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST = 1333
_SHORTEST = 32


class RegionClipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How frames and texts are given, and how many regions count."""

    prompts: Literal["plain", "templates"] = "plain"
    """`plain`: the query as it is; `templates`: the mean over RegionCLIP's 81 sentences, such
    as "a photo of a {}.", which were made for names of objects."""
    max_regions: Annotated[int, Meta(ge=1)] = 1000
    """Regions of a frame that count, the best proposals first."""
    short_side: Annotated[int, Meta(ge=_SHORTEST, le=_LONGEST)] = 800
    """Pixels of a frame's shorter side; the longer one has 1,333 at most."""
    regions: str = ""
    """A folder of files of RegionCLIP's extraction script: VIDEO/SECOND.pth, or
    VIDEO_SECOND.pth. Their boxes and features are taken in place of the network's."""


class RegionClipGrounder(FrameDetector):
    """RegionCLIP, zero-shot: a second's score is the cosine of its best region with the text.

    Source: microsoft/RegionCLIP. The box is that region. Regions are those of the setting
    `regions`, else of the file `proposals`, else what the network `rpn` proposes, else
    sliding windows. RegionCLIP's classes compete in each region; here each query has the
    region of the highest cosine, which is the likeliest one for a single query against
    RegionCLIP's background (logit 0, so cosine 0). That reading is ours: the benchmark's
    paper does not tell how it asked.
    """

    Settings: ClassVar = RegionClipSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "RegionCLIP's weights (regionclip_pretrained-cc_rn50x4.pth)",
        "text": "CLIP's weights for the text tower, where the checkpoint has none (RN50x4.pt)",
        "rpn": "a Mask R-CNN R50-FPN of detectron2, for its proposals (rpn_lvis_866.pth)",
        "proposals": "boxes by video and second, as JSON",
    }

    def __init__(self, settings: RegionClipSettings, setup: Setup) -> None:
        """Load the weights. Raises `InputError` where files or settings do not serve."""
        try:
            from gytbench.models import prompts
            from gytbench.models.region_clip import load_region_clip
            from gytbench.models.region_proposals import load_region_proposals
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        checkpoint = needed_file(setup, self.roles, "checkpoint")
        files, device, half = setup
        if settings.regions and "proposals" in files:
            raise InputError("give the setting 'regions' or the file 'proposals', not both")
        self._stored = RegionFiles(Path(settings.regions)) if settings.regions else None
        self._proposals = ProposalsFile(files["proposals"]) if "proposals" in files else None
        proposes = "rpn" in files and self._stored is None and self._proposals is None
        self._rpn = load_region_proposals(files["rpn"], device, half) if proposes else None
        self._model, self._clip = load_region_clip(checkpoint, files.get("text"), device, half)
        self._clip.tokenize([""])  # tells at once where the vocabulary is missing
        self._templates = prompts.PLAIN if settings.prompts == "plain" else prompts.REGION_CLIP
        self._settings = settings
        self._device = device
        self._texts: dict[str, Tensor] = {}

    @staticmethod
    def says(settings: RegionClipSettings, files: Mapping[str, Path]) -> str:
        """Where the regions come from, for the description of the predictions."""
        if settings.regions:
            return "regions and features from files of RegionCLIP's extraction script"
        if "proposals" in files:
            return "regions from a file of proposals"
        if "rpn" in files:
            return "regions from the proposal network"
        return "regions are sliding windows: no proposals and no proposal network were given"

    def detect_at(
        self, video: str, second: int, frame: np.ndarray, queries: Sequence[str]
    ) -> tuple[Floats, Floats]:
        """Of each query the cosine of its best region, and the region."""
        import torch

        with torch.inference_mode():
            boxes, features = self._regions(video, second, frame)
            if not len(boxes):
                return np.full(len(queries), -np.inf), np.full((len(queries), 4), np.nan)
            unit = torch.nn.functional.normalize(features.to(self._device), dim=-1)
            cosines = (unit @ self._unit_texts(queries).T).double().cpu().numpy()
        best = cosines.argmax(axis=0)
        return cosines[best, np.arange(len(queries))], boxes[best]

    def _regions(self, video: str, second: int, frame: np.ndarray) -> Regions:
        """The best regions of a frame; there may be none."""
        most = self._settings.max_regions
        if self._stored is None:
            return self._seen(video, second, frame)
        height, width = frame.shape[:2]
        boxes, features = self._stored.at(video, second, (width, height), self._model.width)
        return Regions(boxes[:most], features[:most])

    def _seen(self, video: str, second: int, frame: np.ndarray) -> Regions:
        """The regions that are proposed, with what the network makes of them."""
        import torch

        from gytbench.models.clip import normalised

        pixels = self._pixels(frame)
        sides = np.array([pixels.shape[2], pixels.shape[1]] * 2, dtype=float)
        boxes = self._proposed(video, second, pixels)
        if not len(boxes):
            return Regions(boxes, pixels.new_empty(0, self._model.width))
        image_map = self._model.image_map(normalised(pixels / 255))
        places = torch.from_numpy(boxes * sides).float().to(self._device)
        return Regions(boxes, self._model.region_features(image_map, places))

    def _proposed(self, video: str, second: int, pixels: "Tensor") -> Floats:
        """Boxes in fractions of the frame, the best first."""
        most = self._settings.max_regions
        if self._proposals is not None:
            return self._proposals.at(video, second)[:most]
        if self._rpn is None:
            return sliding_windows()[:most]
        try:
            boxes: Floats = self._rpn(pixels, most).double().cpu().numpy()
        except FloatingPointError:
            raise no_number("the proposal network", video, second) from None
        height, width = pixels.shape[1:]
        return boxes / (width, height, width, height)

    def _pixels(self, frame: np.ndarray) -> "Tensor":
        """3 x height x width from 0 to 255, resized as detectron2 does, bilinearly."""
        import torch
        from PIL import Image

        height, width = frame.shape[:2]
        scale = self._settings.short_side / min(height, width)
        scale = min(scale, _LONGEST / max(height, width))
        size = (max(int(width * scale + 0.5), _SHORTEST), max(int(height * scale + 0.5), _SHORTEST))
        resized = Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(resized)).to(self._device).permute(2, 0, 1).float()

    def _unit_texts(self, queries: Sequence[str]) -> "Tensor":
        """Texts of unit length, queries x width; each query is encoded once."""
        import torch

        from gytbench.models.region_clip import text_embeddings

        unknown = [query for query in queries if query not in self._texts]
        if unknown:
            found = text_embeddings(self._clip, unknown, self._templates)
            units = torch.nn.functional.normalize(found, dim=-1)
            self._texts.update(zip(unknown, units, strict=True))
        return torch.stack([self._texts[query] for query in queries])
