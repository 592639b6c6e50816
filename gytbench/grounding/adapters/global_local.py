"""The model of Chen et al. 2024: one branch says when, another where, on CLIP or on S3D."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.attending import (
    CLIP_SECONDS,
    Backbone,
    OnClip,
    OnS3D,
    maps_by_step,
    time_steps,
)
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Features, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

    from gytbench.models.clip import Clip
    from gytbench.models.comma import Comma
    from gytbench.models.global_local import GlobalLocalHead, GlobalLocalS3D
    from gytbench.models.words import Dictionary

    Head = GlobalLocalHead | GlobalLocalS3D

_AT_ONCE = 64  # seconds or steps whose vectors are held for every query

_ROLES = {
    "checkpoint": "the weights: the head (CLIP), or network, words and head (S3D)",
    "backbone": "with backbone clip: CLIP's weights, in the layout of openai/CLIP",
    "dictionary": "with backbone s3d: the words that the weights know (s3d_dict.npy)",
}


class GlobalLocalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which network it is, and in which of its forms it is run."""

    backbone: Literal["clip", "s3d"] = "clip"
    """The network below the head."""
    variant: Literal["paper", "official"] = "paper"
    """What the paper's text describes, or what the published code computes, where the two
    differ: attention, black frames, and the pixels for CLIP."""
    compat: Literal["fixed", "official"] = "fixed"
    """`official`: the attention among regions is random, as in the published evaluation,
    which looks for it under a wrong name."""
    seed: int = 0
    """Of the random values of compat `official`."""
    similarity: Literal["dot", "cosine"] = "dot"
    """How the global branch compares a second, or a cell, with a query: `dot` is what training
    compares by; which one the published numbers used is not known."""
    when: Literal["global", "local"] = "global"
    """The branch that scores seconds; `local` is for heads whose global one was not trained."""
    where: Literal["local", "global"] = "local"
    """The branch that makes heatmaps; `global` is for heads whose local one was not trained."""
    max_words: Annotated[int, Meta(ge=1)] = 20
    """Words of a text that count, with backbone s3d; CLIP has 20."""
    lower_case: bool = False
    """Whether texts are lower-cased first, with backbone s3d; the published code does not."""
    clips: Literal["sixteen", "second"] = "sixteen"
    """With backbone s3d: `sixteen` seconds that follow each other, as places are found by the
    published code, which gives one score for eight seconds; or a clip around each `second`."""
    fps: Annotated[float, Meta(gt=0)] = 5.0
    """Frames a second within a clip, with clips `second`."""


class GlobalLocalGrounder:
    """Global-local (Chen et al. 2024): when by whole frames, where by attention to words.

    Source: brian7685/GroundingYouTube; its temporal inference is described in section 3.5
    of the paper, and not published as code.

    When: the global branch maps CLIP's image vector of each second and its text vector
    into one space; their dot product, unverified, or cosine is the score. On S3D the video's
    vector is the mean of the cells, the text's the maximum of its words' vectors.
    Where: the local branch's attention from regions by way of words back to regions (the
    rollout), one frame a second, over 16 seconds at a time from the first that is asked.

    `variant` decides what differs between the paper's text and the published evaluation
    (`paper`; `official`):

    - regions and words are compared by cosine; by the dot product, not divided by
      sqrt(512), though training divides it
    - what attention returns replaces what entered the self attention; is added to it
    - clips end with the last second that is asked; are filled up to 16 seconds with black
      frames, which are looked at too (steps of S3D that begin later are left out; frames
      after the end that share a step with earlier ones are black in both)
    - pixels for CLIP are normalised by its mean and deviation; stay in [0, 1]

    A head of which one branch alone was trained answers both by that one: with `when: local`
    a second's score is that of the pair of its regions and the query's words, as in training;
    with `where: global` a heatmap compares cells, mapped as whole frames are, with the
    query. Cells of CLIP's ResNets are brought into the space of frames first, by the values
    of the attention pool (Zhou et al. 2022, MaskCLIP).

    Alike in both: frames are stretched to the square, queries are taken as they are without
    a prompt, and CLIP's ResNets use their stored statistics, which the published code does
    not in the first layers. A query without a known word is read as one pad (with CLIP, an
    empty one as the end of a text).
    """

    Settings: ClassVar = GlobalLocalSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = _ROLES

    def __init__(self, settings: GlobalLocalSettings, setup: Setup) -> None:
        """Load weights and words. Raises `InputError` where they are missing or others."""
        try:
            from gytbench.models.comma import forget_visual_attention
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        self._settings = settings
        self._head: Head
        self._backbone: Backbone
        self._in_space: Callable[[Tensor], Tensor]
        on_clip = settings.backbone == "clip"
        loaded = (_on_clip if on_clip else _on_s3d)(settings, setup)
        self._backbone, self._head, self._in_space = loaded
        if settings.compat == "official":
            forget_visual_attention(self._head, settings.seed)

    @property
    def sampling(self) -> Sampling:
        """CLIP: a frame for each second; S3D: clips of 16 frames."""
        return self._backbone.sampling

    @property
    def beside_features(self) -> Sequence[str]:
        """What belongs to the head: features are the backbone's alone."""
        head = ("compat", "seed", "similarity", "when", "where")
        return (*head, "checkpoint") if self._settings.backbone == "clip" else head

    def encode(self, clips: np.ndarray) -> Features:
        """`global`, n x parts x width, float32, of whole frames, steps or clips; `cells`,
        n x steps x rows x columns x width, float16.

        With untrained weights and tokens of norm 7 to 20, float16 changed the official
        heatmaps by less than 0.2% of their maximum, and no second's highest cell.
        """
        import torch

        with torch.inference_mode():
            whole, cells = self._backbone.look(clips)
        return {"global": whole.float().cpu().numpy(), "cells": cells.half().cpu().numpy()}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """The similarities of the branch that says when, seconds x queries."""
        parts = stretch.features["global"].shape[1]
        by_global = self._settings.when == "global"
        scores = (self._global_scores if by_global else self._local_scores)(stretch, queries)
        return stretch.by_second(scores.repeat(stretch.stride // parts, axis=0))

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """The heatmaps of the branch that says where, seconds x rows x columns.

        In the attention's rollout, the steps of a clip sum to 1; the global branch's
        similarities may be negative.
        """
        import torch

        with torch.inference_mode():
            by_local = self._settings.where == "local"
            maps = (self._local_maps if by_local else self._global_maps)(stretch, query)
            by_second = self._backbone.by_second(maps)
        return stretch.by_second(by_second.cpu().numpy().astype(float))

    def _global_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """Similarities of parts of clips and queries, all parts x queries."""
        import torch

        rows = torch.from_numpy(stretch.features["global"]).to(self._backbone.device)
        with torch.inference_mode():
            texts = self._head.global_text(self._backbone.texts(queries).whole)
            videos = self._head.global_video(rows.flatten(0, 1))
        scores: Floats = self._compared(videos) @ self._compared(texts).T
        return scores

    def _local_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """Scores of pairs of the regions of a part and a query's words, all parts x queries."""
        import torch

        from gytbench.models.cross_attention import pair_scores

        parts = stretch.features["global"].shape[1]
        clips = stretch.features["cells"]
        with torch.inference_mode():
            steps = time_steps(stretch, self._backbone.device)
            regions = steps.reshape(len(clips) * parts, -1, steps.shape[-1])
            words, mask, _ = self._backbone.texts(queries)
            scores = [
                pair_scores(self._head, some, words, mask, self._settings.variant)
                for some in torch.split(regions, _AT_ONCE)
            ]
        return torch.cat(scores).cpu().numpy().astype(float)

    def _local_maps(self, stretch: Stretch, query: str) -> "Tensor":
        """The attention's rollout over each clip, steps x rows x columns."""
        words, mask, _ = self._backbone.texts([query])
        return maps_by_step(
            self._attended(stretch),
            self._backbone.steps,
            lambda regions: self._rollout(regions, words, mask),
        )

    def _global_maps(self, stretch: Stretch, query: str) -> "Tensor":
        """Similarities of cells and a query, steps x rows x columns."""
        from torch.nn.functional import normalize

        steps = self._attended(stretch)
        cells = self._head.global_video(self._in_space(steps.flatten(1, 2)))
        text = self._head.global_text(self._backbone.texts([query]).whole)[0]
        if self._settings.similarity == "cosine":
            cells, text = normalize(cells, dim=-1), normalize(text, dim=-1)
        return (cells @ text).reshape(steps.shape[:3])

    def _attended(self, stretch: Stretch) -> "Tensor":
        """The time steps whose regions are looked at."""
        steps = time_steps(stretch, self._backbone.device)
        if self._settings.variant == "official":
            return self._backbone.filled(steps)
        # Steps of later clips begin later: those at the end may hold none of the seconds.
        seconds = stretch.skip + len(stretch.seconds)
        return steps[: -(-seconds * stretch.features["cells"].shape[1] // stretch.stride)]

    def _rollout(self, regions: "Tensor", words: "Tensor", mask: "Tensor") -> "Tensor":
        from gytbench.models.cross_attention import rollout

        return rollout(self._head, regions, words, mask, self._settings.variant)

    def _compared(self, vectors: "Tensor") -> Floats:
        """Vectors (n x 512) whose dot product is the similarity."""
        values: Floats = vectors.cpu().numpy().astype(float)
        if self._settings.similarity == "cosine":
            values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        return values


class _AroundSeconds(OnS3D):
    """S3D with a clip around each second, as MIL-NCE looks at videos."""

    def __init__(self, model: "Comma", words: "Dictionary", max_words: int, fps: float) -> None:
        super().__init__(model, words, max_words)
        self._fps = fps

    @property
    def sampling(self) -> Sampling:
        """Half of a clip's frames come before its second."""
        return Sampling(size=(224, 224), frames=CLIP_SECONDS, fps=self._fps, lead=CLIP_SECONDS // 2)

    def look(self, clips: np.ndarray) -> "tuple[Tensor, Tensor]":
        """The vector of the whole clip, the mean of all its cells, and the cells."""
        cells = self.feature_map(clips)
        return cells.mean(dim=(2, 3, 4))[:, None], cells.permute(0, 2, 3, 4, 1)

    def by_second(self, maps: "Tensor") -> "Tensor":
        """The mean of the two steps: the second begins between them."""
        return maps.reshape(-1, self.steps, *maps.shape[1:]).mean(dim=1)


def cells_in_space(model: "Clip", cells: "Tensor") -> "Tensor":
    """Cells, n x cells x width, in the space of whole frames: there they are, or a ResNet's.

    A ResNet's are mapped by the values of its attention pool, in the weights' precision.
    """
    from gytbench.models.clip_resnet import ModifiedResNet

    if not isinstance(model.visual, ModifiedResNet):
        return cells
    maps = cells.transpose(1, 2).reshape(len(cells), -1, model.grid, model.grid)
    return model.visual.values(maps.to(model.text_projection.dtype)).float()


def cell_width(model: "Clip") -> int:
    """Of a ResNet's last map, or of a vision transformer's projected tokens."""
    from gytbench.models.clip_resnet import ModifiedResNet

    if isinstance(model.visual, ModifiedResNet):
        return model.visual.attnpool.positional_embedding.shape[1]
    return model.width


def _on_clip(
    settings: GlobalLocalSettings, setup: Setup
) -> "tuple[Backbone, Head, Callable[[Tensor], Tensor]]":
    from gytbench.models.clip import load_clip
    from gytbench.models.global_local import check_takes, load_global_local_head

    checkpoint = needed_file(setup, _ROLES, "checkpoint")
    model = load_clip(needed_file(setup, _ROLES, "backbone"), setup.device, setup.half)
    head = load_global_local_head(checkpoint, setup.device)
    check_takes(
        head,
        checkpoint,
        regions=cell_width(model),
        words=model.width,
        video=model.width,
        text=model.width,
    )
    backbone = OnClip(model, normalised=settings.variant == "paper")
    return backbone, head, partial(cells_in_space, model)


def _on_s3d(
    settings: GlobalLocalSettings, setup: Setup
) -> "tuple[Backbone, Head, Callable[[Tensor], Tensor]]":
    from gytbench.models.global_local import load_global_local_s3d
    from gytbench.models.words import load_dictionary

    checkpoint = needed_file(setup, _ROLES, "checkpoint")
    dictionary = needed_file(setup, _ROLES, "dictionary")
    model = load_global_local_s3d(checkpoint, setup.device, setup.half)
    rows = model.text_module.word_embd.num_embeddings
    words = load_dictionary(dictionary, rows, settings.lower_case)
    backbone = (
        _AroundSeconds(model, words, settings.max_words, settings.fps)
        if settings.clips == "second"
        else OnS3D(model, words, settings.max_words)
    )
    return backbone, model, lambda cells: cells
