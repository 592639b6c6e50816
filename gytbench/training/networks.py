"""Networks as they are trained: a backbone, frozen or not, and the head upon it.

Source: Chen et al. 2024 (GroundingYouTube), section 3.4. Frames and texts go through the same
code as in `gytbench.grounding.adapters.global_local`, so that a head that was trained here
sees there what it was trained on.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from gytbench.errors import InputError
from gytbench.grounding.adapters.attending import OnClip, OnS3D, Texts
from gytbench.grounding.adapters.global_local import cell_width, cells_in_space
from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.clip import Clip, load_clip
from gytbench.models.clip_resnet import Bottleneck
from gytbench.models.clip_vit import VisionTransformer
from gytbench.models.comma import current_names
from gytbench.models.devices import check_device
from gytbench.models.global_local import (
    GlobalLocalHead,
    GlobalLocalS3D,
    check_takes,
    load_global_local_head,
    start_from_mil_nce,
)
from gytbench.models.s3d import CELL_WIDTH, OPTIONAL, WORD_WIDTH, has_space_to_depth, table_rows
from gytbench.models.words import Dictionary, load_dictionary
from gytbench.training.config import Model, TrainingConfig
from gytbench.training.recomputing import recompute
from gytbench.training.samples import Batch
from gytbench.training.small import fresh_clip, train_norms

STEP = 8
"""Frames of a time step of S3D."""

_LOCAL = ("vis_proj_mat", "lang_proj_mat", "sa_layer")
_GLOBAL = ("vis_proj_mat_g", "lang_proj_mat_g")
_MIL_NCE = ("fc.*", "text_module.fc2.*")

State = dict[str, Tensor]


class Looked(NamedTuple):
    """What a backbone makes of a batch: U' frames or, with S3D, steps of 8 frames."""

    frames: Tensor
    """B x U' x width: whole frames."""
    regions: Tensor
    """B x U' x R x width of a region, cells row by row."""
    cells: Tensor
    """B x U' x R x width: the regions in the space of frames. No gradient goes through
    those of CLIP's ResNets, which are for comparing alone."""
    present: Tensor
    """B x U', bool: false for frames outside the video; of a step the first frame counts."""


class Network(nn.Module, ABC):
    """A backbone with its head. Frozen parts are in eval mode always, and record no gradient."""

    size: int
    """Pixels of a side of the square frames that it takes."""
    head: GlobalLocalHead | GlobalLocalS3D
    """Both branches; with S3D the backbone is the same module."""
    trained: bool
    """Whether the backbone is trained too."""

    @abstractmethod
    def look(self, batch: Batch) -> Looked:
        """What the backbone makes of the frames of a batch, or made of them before."""

    @abstractmethod
    def texts(self, texts: Sequence[str]) -> Texts:
        """Vectors of B texts and of their words, on the network's device."""

    def knows(self, text: str) -> bool:
        """Whether a text has a word that the network knows: any, as CLIP spells all."""
        return bool(text.strip())

    @abstractmethod
    def files(self) -> dict[str, State]:
        """The weights to publish, on the CPU, by the name of the file that they belong in."""

    @abstractmethod
    def _backbone(self) -> list[nn.Module]:
        """The modules that are frozen where the backbone is."""

    def train(self, mode: bool = True) -> Self:
        """As usual, but for what is frozen."""
        super().train(mode)
        if not self.trained:
            for module in self._backbone():
                module.eval()
        return self

    def _grad(self) -> torch.set_grad_enabled:
        """The context that the backbone runs in."""
        return torch.set_grad_enabled(self.trained and torch.is_grad_enabled())


class ClipNetwork(Network):
    """A head on CLIP: a vision transformer or a ResNet, of any size."""

    head: GlobalLocalHead

    def __init__(
        self, clip: Clip, head: GlobalLocalHead, *, variant: Literal["paper", "official"],
        trained: bool,
    ) -> None:  # fmt: skip
        """`variant`: with `paper`, pixels are normalised as CLIP's training did."""
        super().__init__()
        self.size = clip.size
        self.trained = trained
        self.clip = clip
        self.head = head.requires_grad_()
        self._normalised = variant == "paper"
        if trained:
            train_norms(clip)
        clip.requires_grad_(trained)
        # It scales CLIP's own loss, which is not computed.
        clip.logit_scale.requires_grad_(False)
        self.train()

    def look(self, batch: Batch) -> Looked:
        """Every frame by itself; see `Network`."""
        present = torch.from_numpy(batch.present).to(self.clip.text_projection.device)
        with self._grad():
            if batch.frames is None:
                frames, regions = (self._kept(batch, name) for name in ("frames", "regions"))
            else:
                seen = self.look_at(batch.frames.reshape(-1, *batch.frames.shape[2:]))
                frames, regions = (each.view(*present.shape, *each.shape[1:]) for each in seen)
        if isinstance(self.clip.visual, VisionTransformer):
            return Looked(frames, regions, regions, present)
        with torch.no_grad():
            cells = cells_in_space(self.clip, regions.flatten(0, 1))
        return Looked(frames, regions, cells.view(*regions.shape[:3], -1), present)

    def look_at(self, frames: np.ndarray) -> tuple[Tensor, Tensor]:
        """Vectors of frames, n x width, and their regions, n x R x width of a region.

        `frames`: n x size x size x 3, uint8 RGB.
        """
        whole, cells = self._on_clip().look(frames[:, None])
        return whole[:, 0], cells[:, 0].flatten(1, 2)

    def texts(self, texts: Sequence[str]) -> Texts:
        """By CLIP's text side; see `Network`."""
        with self._grad():
            return self._on_clip().texts(texts)

    def files(self) -> dict[str, State]:
        """`head.pth.tar` and, where it was trained, `backbone.pt`."""
        files = {"head.pth.tar": _state(self.head)}
        if self.trained:
            files["backbone.pt"] = _state(self.clip)
        return files

    def sees_as(self) -> str:
        """A checksum of what `look_at` depends on apart from the frames."""
        total = hashlib.sha256(f"{self.size} {self._normalised}".encode())
        for name, value in sorted(_state(self.clip.visual).items()):
            total.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            total.update(value.contiguous().numpy().tobytes())
        return total.hexdigest()

    def _backbone(self) -> list[nn.Module]:
        return [self.clip]

    def _on_clip(self) -> OnClip:
        return OnClip(self.clip, normalised=self._normalised)

    def _kept(self, batch: Batch, name: str) -> Tensor:
        values = torch.from_numpy(batch.features[name])
        return values.to(self.clip.text_projection.device).float()


class S3DNetwork(Network):
    """The head on S3D, in one module with it. The table of words is never trained."""

    size = 224
    head: GlobalLocalS3D

    def __init__(
        self, model: GlobalLocalS3D, dictionary: Dictionary, *, max_words: int, trained: bool
    ) -> None:
        """`max_words`: words of a text that count."""
        super().__init__()
        self.trained = trained
        self.head = model.requires_grad_()
        self._dictionary = dictionary
        self._max_words = max_words
        for module in self._backbone():
            module.requires_grad_(trained)
        model.text_module.word_embd.requires_grad_(False)
        self.train()

    def look(self, batch: Batch) -> Looked:
        """The frames of a sample as one clip, U a multiple of 8; see `Network`."""
        if batch.frames is None:
            raise ValueError("S3D looks at several frames at once: no features are kept")
        with self._grad():
            steps, cells = self._on_s3d().look(batch.frames)
        regions = cells.flatten(2, 3)
        present = torch.from_numpy(batch.present[:, ::STEP]).to(steps.device)
        return Looked(steps, regions, regions, present)

    def texts(self, texts: Sequence[str]) -> Texts:
        """Of a text the maximum over its words, pads counted; see `Network`."""
        with self._grad():
            return self._on_s3d().texts(texts)

    def knows(self, text: str) -> bool:
        """Whether a word is in the dictionary; a text without one is all pads, as if empty."""
        return bool(self._dictionary.numbers(text))

    def files(self) -> dict[str, State]:
        """`model.pth.tar`: backbone and head."""
        return {"model.pth.tar": _state(self.head)}

    def _backbone(self) -> list[nn.Module]:
        children = self.head.named_children()
        return [module for name, module in children if name not in (*_LOCAL, *_GLOBAL)]

    def _on_s3d(self) -> OnS3D:
        return OnS3D(self.head, self._dictionary, self._max_words)


def make_network(config: TrainingConfig, base: Path, device: str) -> Network:
    """The network that a configuration describes, in train mode on a device.

    Paths are relative to `base`. Fresh weights follow from the configuration's seed; torch's
    own generators stay as they are. Raises `InputError` for files that do not serve or do
    not fit together, for sizes that no CLIP has, and for a device that is not there.
    """
    check_device(device)
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the generators of other devices too.
        torch.default_generator.manual_seed(config.seed)
        make = _s3d_network if config.model.backbone == "s3d" else _clip_network
        network = make(config, base)
    if network.trained and config.optimisation.checkpoint_activations:
        recompute(_blocks(network))
    return network.to(device)


def _clip_network(config: TrainingConfig, base: Path) -> Network:
    model = config.model
    small = model.backbone == "small"
    clip = fresh_clip(model.small) if small else load_clip(base / model.weights)
    widths = {"regions": cell_width(clip), "words": clip.width}
    whole = {"video": clip.width, "text": clip.width}
    head = (
        _loaded_head(model, base, **widths, **whole)
        if model.head
        else GlobalLocalHead(*widths.values(), **whole, gated=model.gated)
    )
    return ClipNetwork(clip, head, variant=config.variant, trained=small or model.finetune)


def _s3d_network(config: TrainingConfig, base: Path) -> Network:
    model = config.model
    if not model.dictionary:
        raise InputError("model.dictionary is missing: s3d needs the words that its weights know")
    if config.data.frames % STEP:
        raise InputError(
            f"data.frames is {config.data.frames}, but s3d sees {STEP} frames in a step: "
            f"give a multiple of {STEP}"
        )
    network = _started_s3d(base / model.weights, gated=model.gated)
    if model.head:
        widths = {"regions": CELL_WIDTH, "words": WORD_WIDTH}
        whole = {"video": CELL_WIDTH, "text": WORD_WIDTH}
        head = _loaded_head(model, base, **widths, **whole)
        network.load_state_dict(head.state_dict(), strict=False)
    rows = network.text_module.word_embd.num_embeddings
    dictionary = load_dictionary(base / model.dictionary, rows, lower_case=False)
    return S3DNetwork(network, dictionary, max_words=model.max_words, trained=model.finetune)


def _loaded_head(
    model: Model, base: Path, *, regions: int, words: int, video: int, text: int
) -> GlobalLocalHead:
    path = base / model.head
    head = load_global_local_head(path)
    check_takes(head, path, regions=regions, words=words, video=video, text=text)
    _check_gated(head.state_dict(), path, model.gated)
    return head


def _started_s3d(path: Path, *, gated: bool) -> GlobalLocalS3D:
    """Both branches as far as the file has them; a whole model, CoMMA's or MIL-NCE's weights.

    The global branch starts from MIL-NCE's last layers where it is linear.
    """
    state = current_names(read_checkpoint(path))
    model = GlobalLocalS3D(table_rows(state, path), has_space_to_depth(state, path), gated=gated)
    fresh = [name for group in (_LOCAL, _GLOBAL) for name in group if not _has(state, group)]
    whole = not fresh
    if _has(state, _GLOBAL):
        _check_gated(state, path, gated)
    beside = [] if whole else _MIL_NCE
    optional = (*OPTIONAL, *(f"{name}.*" for name in fresh), *beside)
    load_strict(model, state, str(path), optional=optional)
    if not whole and not gated and _has(state, ("fc",)) and "text_module.fc2.weight" in state:
        start_from_mil_nce(model, state)
    return model


def _has(state: Mapping[str, Tensor], layers: Sequence[str]) -> bool:
    return any(name.startswith(tuple(f"{layer}." for layer in layers)) for name in state)


def _check_gated(state: Mapping[str, Tensor], path: Path, gated: bool) -> None:
    stored = _has(state, ("vis_proj_mat_g.cg",))
    if stored != gated:
        kind = "gated" if stored else "linear"
        needed = str(stored).lower()
        reason = f"the maps of its global branch are {kind}: set model.gated: {needed}"
        raise InputError(reason, where=str(path))


def _blocks(network: Network) -> list[nn.Module]:
    """The parts of the image side that are computed a second time, one by one."""
    if isinstance(network, S3DNetwork):
        names = ("conv", "mixed")
        return [each for name, each in network.head.named_children() if name.startswith(names)]
    assert isinstance(network, ClipNetwork)
    visual = network.clip.visual
    if isinstance(visual, VisionTransformer):
        return list(visual.transformer.resblocks)
    return [module for module in visual.modules() if isinstance(module, Bottleneck)]


def _state(module: nn.Module) -> State:
    return {name: value.detach().cpu() for name, value in module.state_dict().items()}
