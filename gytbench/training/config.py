"""What a training run is: its data, its network, its losses and how it goes on.

Source: Chen et al. 2024 (GroundingYouTube), sections 3.2 to 3.5; the defaults are those of
the recipe that brian7685/GroundingYouTube once published for CLIP.
"""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.plain_yaml import converted, read_yaml_file

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
NotNegative = Annotated[float, Meta(ge=0, le=1e9)]
Positive = Annotated[float, Meta(gt=0, le=1e9)]


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Narrated videos, and which of their frames a sample has."""

    videos: str
    """The folder of the video files; paths are relative to the configuration's folder."""
    captions: str
    """The narrations: a file in one of the layouts that are read, or a folder of files."""
    table: str = ""
    """A CSV file with the videos that count; without it, all that have captions."""
    frames: Count = 16
    """U: frames of a sample before selection."""
    fps: Positive = 1.0
    start: Literal["around", "random", "fixed"] = "around"
    """Where a sample begins: `around`: U/2 frames before the narration's middle, so that there
    may be frames before it, and before the video: these, as those after its end, are black and
    count as not there (S3D goes by the first frame of a step), so that the selection takes them
    last and the variant `paper` leaves them out; `random`: in the narration, so that the frames
    end with it where they fit; `fixed`: with the narration."""
    min_seconds: NotNegative = 5.0
    """Narrations that are shorter are widened to it, to both sides."""
    crop: Literal["random", "stretch"] = "random"
    """`random`: a square of the network's size out of the frame as it is (as much as fits,
    stretched, where the frame is smaller); `stretch`: the whole frame, stretched."""
    flip: bool = True
    """Whether half of the samples are mirrored."""
    keep: Literal["nothing", "frames", "features"] = "nothing"
    """What is kept on disk of each second, so that videos are decoded once: `frames`, their
    pixels in the network's size; `features`, what a frozen backbone says of them. Needs frames
    of whole seconds: `fps: 1`, `crop: stretch` and `flip: false`."""


class Small(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The sizes of a small CLIP that is trained from scratch; OpenAI's layout and vocabulary."""

    kind: Literal["resnet", "vit"] = "resnet"
    width: Count = 16
    layers: tuple[Count, ...] = (1, 1, 1, 1)
    """Blocks of each of the four stages; of a vit, one number."""
    patch: Count = 16
    """Pixels of a side; of a vit."""
    grid: Count = 7
    """Cells of a side."""
    embedding: Count = 128
    text_width: Count = 64
    text_layers: Count = 2


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The backbone and the head upon it."""

    backbone: Literal["clip", "s3d", "small"] = "clip"
    """`small`: a CLIP of the sizes `small`, from random weights; it is always trained."""
    weights: str = ""
    """The backbone's weights; with s3d those of MIL-NCE, CoMMA's or a whole model's."""
    dictionary: str = ""
    """With s3d: the words that the weights know (s3d_dict.npy)."""
    head: str = ""
    """A checkpoint that the head starts from; without it, random, on s3d from the weights."""
    gated: bool = False
    """Whether the global branch's maps are gated."""
    finetune: bool = False
    """Whether the backbone is trained too."""
    small: Small = Small()
    max_words: Annotated[int, Meta(ge=1, le=77)] = 20
    """Words of a text that count, with s3d; CLIP has 20."""


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which T of the U frames are trained on; see `gytbench.models.selection`."""

    method: Literal["sinkhorn", "sinkhorn-word-order", "top", "uniform", "none"] = "sinkhorn"
    """`none`: all frames."""
    keep: Count = 8
    """T."""
    granularity: Literal["text-frame", "text-region", "word-frame", "word-region", "average"] = (
        "average"
    )
    through: Literal["head", "backbone"] = "head"
    """Whether frames and words are compared as the global branch maps them, P = g(S) f(V)^T, or
    as the backbone gives them."""
    temperature: Positive = 0.1
    epsilon: Positive = 0.05
    iterations: Count = 3


class Loss(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """L = local * L_local + global * L_global."""

    local: NotNegative = 1.0
    global_: NotNegative = msgspec.field(default=1.0, name="global")
    margin: NotNegative = 0.001
    """Delta of Eq. 1, which the variant `official` has not."""


class Optimisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """AdamW with a linear warm-up and a cosine to zero, step by step."""

    batch_size: Annotated[int, Meta(ge=2, le=1_000_000)] = 64
    """Samples whose losses are negatives of each other, over all processes."""
    accumulate: Count = 1
    """Batches whose gradients are summed before a step; their samples are no negatives of
    each other."""
    epochs: Count = 15
    lr: Positive = 1e-4
    weight_decay: NotNegative = 0.01
    warmup_steps: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 5000
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of the forward pass; weights stay in float32. float16 scales its gradients."""
    checkpoint_activations: bool = False
    """Whether the network is computed a second time for gradients instead of being kept."""


class TrainingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One YAML file: a training run."""

    title: str = ""
    data: Data
    model: Model = Model()
    variant: Literal["paper", "official"] = "paper"
    """What the paper's text describes, or what its published code computes, where they differ."""
    selection: Selection = Selection()
    loss: Loss = Loss()
    optimisation: Optimisation = Optimisation()
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 1
    workers: Annotated[int, Meta(ge=0, le=256)] = 2
    """Processes that decode; 0 = the one that trains."""
    save_every: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 500
    """Steps between checkpoints within an epoch; there is one at the end of each."""
    keep_epochs: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    """Of how many epochs, the newest, the checkpoints are kept; 0 = all. A checkpoint has three
    numbers for each weight that is trained: about 40 MB for a head, 1.8 GB for a finetuned CLIP
    ViT-B/32."""
    tensorboard: bool = True


def read_config(path: Path) -> TrainingConfig:
    """The configuration of a YAML file; raises `InputError` for what does not go together."""
    config = read_yaml_file(path, TrainingConfig)
    check_config(config, str(path))
    return config


def configured(values: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> TrainingConfig:
    """The configuration of plain values, with others in their place by dotted name.

    Raises `InputError`, with `where`, for what does not fit or go together.
    """
    merged = deepcopy(dict(values))
    for name, value in changes.items():
        *outer, last = name.split(".")
        inner = merged
        for key in outer:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise InputError(f"{key} is no group of values: cannot set {name}", where=where)
        inner[last] = value
    config = converted(merged, TrainingConfig, where)
    check_config(config, where)
    return config


def check_config(config: TrainingConfig, where: str) -> None:
    """Raises `InputError` for values that do not go together."""
    for wrong, reason in (
        (
            config.loss.local == 0 and config.loss.global_ == 0,
            "loss: local and global are both 0, so nothing would be learned",
        ),
        (
            config.selection.method != "none" and config.selection.keep > config.data.frames,
            f"selection.keep is {config.selection.keep}, but a sample has "
            f"{config.data.frames} frames (data.frames)",
        ),
        (
            config.data.keep == "features"
            and (config.model.finetune or config.model.backbone != "clip"),
            "data.keep: features needs a frozen backbone of single frames: model.backbone clip, "
            "model.finetune false",
        ),
        (
            config.data.keep != "nothing"
            and (config.data.fps != 1 or config.data.crop != "stretch" or config.data.flip),
            "data.keep needs fps: 1, crop: stretch and flip: false",
        ),
        (
            config.model.backbone != "small" and not config.model.weights,
            f"model.weights is missing: backbone {config.model.backbone} starts from weights",
        ),
    ):
        if wrong:
            raise InputError(reason, where=where)
