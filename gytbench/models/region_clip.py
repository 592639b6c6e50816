"""RegionCLIP (Zhong et al. 2022): CLIP's ResNet as it recognises regions of an image.

The recognition branch of microsoft/RegionCLIP, zero-shot: CLIP's network up to stride 16,
RoIAlign, its last stage and its attention pooling for each region. Where regions lie is
told from outside (`gytbench.models.region_proposals`). Names of weights are those of the
published checkpoints, `backbone.*`; the text tower of CLIP is there under `lang_encoder.*`.
"""

import re
from collections.abc import Mapping, Sequence
from math import isqrt
from pathlib import Path

import torch
from torch import Tensor, nn

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.clip import Clip
from gytbench.models.clip_blocks import HEAD_WIDTH, Transformer
from gytbench.models.clip_layouts import as_openai
from gytbench.models.clip_resnet import STRIDE, ModifiedResNet
from gytbench.models.devices import check_device
from gytbench.models.recognising import looks_like
from gytbench.models.roi_align import roi_align

AT_ONCE = 32
"""Regions whose maps are held at a time."""

_TEXTS_AT_ONCE = 64

_BACKBONE = "backbone."
_TEXT = "lang_encoder."

# What the published files hold beside the recognition branch: the heads and proposals of
# detectron2, the teacher of pretraining, and values that follow from the configuration.
_BESIDE = (
    f"{_TEXT}*",
    "offline_*",
    "proposal_generator.*",
    "roi_heads.*",
    "teacher_*",
    "concept_emb",
    "image_projection",
    "logit_scale",
    "pixel_mean",
    "pixel_std",
    "*.num_batches_tracked",
)


class RegionClip(nn.Module):
    """The recognition branch."""

    def __init__(self, backbone: ModifiedResNet) -> None:
        super().__init__()
        self.backbone = backbone

    @property
    def width(self) -> int:
        """Dimensions of the common space of regions and texts."""
        return self.backbone.attnpool.c_proj.out_features

    def image_map(self, pixels: Tensor) -> Tensor:
        """The map of stride 16, channels x rows x columns, of pixels 3 x height x width.

        Pixels are in [0, 1], normalised by `gytbench.models.clip.normalised`.
        """
        pixels = pixels[None].to(self.backbone.conv1.weight.dtype)
        # With the channels of a cell side by side, convolutions take a quarter less time.
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return self.backbone.stem_to_layer3(pixels)[0]

    def region_features(self, image_map: Tensor, boxes: Tensor) -> Tensor:
        """Embeddings of regions, n x width, float32, not of unit length.

        boxes: n x (x1, y1, x2, y2) in pixels of what `image_map` was given. However many
        there are, only some are held at a time.
        """
        parts = [
            self.pooled(self.crops(image_map, boxes[start : start + AT_ONCE]))
            for start in range(0, len(boxes), AT_ONCE)
        ]
        return torch.cat([image_map.new_empty(0, self.width).float(), *parts])

    def crops(self, image_map: Tensor, boxes: Tensor) -> Tensor:
        """Each region's part of the map, n x channels x 2 grid x 2 grid."""
        # The last stage halves the crop, to the grid that the pooling has positions for.
        return roi_align(image_map, boxes, 2 * self.backbone.grid, 2 / STRIDE)

    def pooled(self, crops: Tensor) -> Tensor:
        """The embeddings of crops, n x width, float32."""
        embeddings: Tensor = self.backbone.attnpool(self.backbone.layer4(crops))
        return embeddings.float()


def text_embeddings(model: Clip, queries: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Embeddings of queries, n x width, float32, not of unit length.

    Each is the mean over its sentences: the templates, in which {} stands for the query.
    Some are encoded at a time.
    """
    group = max(_TEXTS_AT_ONCE // len(templates), 1)
    parts = []
    for start in range(0, len(queries), group):
        some = queries[start : start + group]
        texts = [template.replace("{}", query) for query in some for template in templates]
        found = model.encode_text(model.tokenize(texts)).text
        parts.append(found.view(len(some), len(templates), -1).mean(dim=1))
    return torch.cat(parts)


def load_region_clip(
    path: Path, text: Path | None = None, device: str = "cpu", half: bool = False
) -> tuple[RegionClip, Clip]:
    """The recognition branch of a checkpoint and CLIP's text tower, in eval mode.

    The tower is the checkpoint's own, where it has one; else that of `text`, a CLIP with a
    ResNet as OpenAI published it. (The second of the two is a CLIP whose image side is the
    same network as the first.) Sizes are as the shapes say. Raises `InputError` for files
    that hold something else, naming what lacks, and for a device that is not there.
    """
    check_device(device)
    state = _without_wrapper(read_checkpoint(path))
    with torch.device("meta"):
        model = RegionClip(_network(state, str(path)))
    load_strict(model, state, str(path), optional=_BESIDE)
    tower = _text_tower(model.backbone, *_texts_of(state, path, text))
    if tower.width != model.width:
        raise InputError(
            f"its texts have {tower.width} dimensions, the regions {model.width}: "
            "not the CLIP that RegionCLIP started from",
            where=str(text or path),
        )
    for each in (model, tower):
        each.eval().requires_grad_(False)
        (each.half() if half else each).to(device)
    return model, tower


def _without_wrapper(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as RegionCLIP has them, where a training framework put "model." before all."""
    prefix = "model."
    if not all(name.startswith(prefix) for name in state):
        return state
    return {name.removeprefix(prefix): value for name, value in state.items()}


def _texts_of(
    state: Mapping[str, Tensor], path: Path, text: Path | None
) -> tuple[dict[str, Tensor], Path]:
    """The entries of the text tower under OpenAI's names, and the file they are from."""
    own = {n.removeprefix(_TEXT): v for n, v in state.items() if n.startswith(_TEXT)}
    if own:
        return own, path
    if text is None:
        raise InputError(
            "has no text tower (lang_encoder.*): give that of CLIP's published file, RN50.pt "
            "or RN50x4.pt, with --file text=PATH",
            where=str(path),
        )
    clip = as_openai(read_checkpoint(text), str(text))
    return {n: v for n, v in clip.items() if not n.startswith("visual.")}, text


def _text_tower(backbone: ModifiedResNet, texts: dict[str, Tensor], path: Path) -> Clip:
    where = str(path)
    rows, width = _shape(texts, "token_embedding.weight", 2, where)
    context, _ = _shape(texts, "positional_embedding", 2, where)
    _, embedding = _shape(texts, "text_projection", 2, where)
    if width % HEAD_WIDTH:
        raise InputError(f"no network that is known here: texts of width {width}", where=where)
    layers = _count(texts, "transformer.resblocks.")
    with torch.device("meta"):
        text = Transformer(width, layers, "quick_gelu")
        tower = Clip(backbone, text, (rows, width), context, embedding)
    # Regions are compared at a fixed temperature; nothing reads the one of training.
    given = {"logit_scale": torch.zeros(()), **texts}
    optional = ("visual.*", "*attn_mask", "input_resolution", "context_length", "vocab_size")
    load_strict(tower, given, where, optional=optional)
    return tower


def _network(state: Mapping[str, Tensor], where: str) -> ModifiedResNet:
    """CLIP's ResNet without its weights, in the size that the shapes tell."""
    width, *_ = _shape(state, f"{_BACKBONE}layer1.0.conv1.weight", 4, where)
    positions, _ = _shape(state, f"{_BACKBONE}attnpool.positional_embedding", 2, where)
    embedding, _ = _shape(state, f"{_BACKBONE}attnpool.c_proj.weight", 2, where)
    grid = isqrt(max(positions - 1, 0))
    if grid < 1 or grid**2 + 1 != positions or (width * STRIDE) % HEAD_WIDTH:
        reason = f"no network that is known here: width {width}, {positions} positions"
        raise InputError(reason, where=where)
    layers = [_count(state, f"{_BACKBONE}layer{stage}.") for stage in (1, 2, 3, 4)]
    return ModifiedResNet(width=width, layers=layers, grid=grid, embedding=embedding)


def _shape(state: Mapping[str, Tensor], name: str, axes: int, where: str) -> tuple[int, ...]:
    """A shape with so many axes; raises `InputError` where there is none."""
    if name not in state:
        found = looks_like(state)
        said = f"looks like a checkpoint of {found}, and " if found else ""
        raise InputError(f"{said}lacks {name}", where=where)
    shape = tuple(state[name].shape)
    if len(shape) != axes or not all(shape):
        shown = "x".join(map(str, shape)) or "scalar"
        raise InputError(f"no network that is known here: {name} is {shown}", where=where)
    return shape


def _count(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many blocks follow a prefix; at least one, so that what lacks is named."""
    numbered = re.compile(re.escape(prefix) + r"(\d+)\.")
    return max(len({match[1] for name in state if (match := numbered.match(name))}), 1)
