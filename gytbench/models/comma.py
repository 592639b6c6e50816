"""CoMMA: where in a video a narration happens, with S3D or CLIP as the backbone.

Source: Tan et al. 2021 (rxtan2/video-grounding-narrations). CoMMA on CLIP is the row
that Chen et al. 2024 (brian7685/GroundingYouTube) trained; no weights of either are public.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.cross_attention import (
    HEAD_WIDTH,
    CrossAttentionHead,
    Head,
    SelfAttention,
    SelfAttentions,
)
from gytbench.models.devices import check_device
from gytbench.models.s3d import (
    CELL_WIDTH,
    OPTIONAL,
    WORD_WIDTH,
    S3DTrunk,
    WordTower,
    has_space_to_depth,
    table_rows,
)

State = Mapping[str, Tensor]

# The names in the weights that CoMMA's authors shared privately, by first part of the path.
_OLD_NAMES = {
    "text_word_embd": ("text_module.word_embd",),
    "text_fc1": ("text_module.fc1",),
    "lang_key_mat": ("lang_proj_mat",),
    "key_mat": ("vis_proj_mat",),
    "vis_attn_mat": ("sa_layer.vis_attn_mat", "sa_layer.text_attn_mat"),
}


class Comma(S3DTrunk):
    """CoMMA on S3D: the trunk, vectors of words, and a head of cross attention."""

    def __init__(self, rows: int, space_to_depth: bool = True) -> None:
        super().__init__(space_to_depth)
        self.text_module = WordTower(rows)
        self.vis_proj_mat = nn.Sequential(nn.Linear(CELL_WIDTH, HEAD_WIDTH))
        self.lang_proj_mat = nn.Sequential(nn.Linear(WORD_WIDTH, HEAD_WIDTH))
        self.sa_layer = SelfAttentions()


def load_comma(path: Path, device: str = "cpu", half: bool = False) -> Comma:
    """CoMMA on S3D in eval mode: a checkpoint of its training, or of its authors' layout.

    Raises `InputError` for other files, S3D's own weights among them, which lack the head.
    """
    state = current_names(read_checkpoint(path))
    model = Comma(table_rows(state, path), has_space_to_depth(state, path))
    _check_has_head(state, path)
    load_strict(model, state, str(path), optional=OPTIONAL)
    return model.prepared(device, half)


def load_clip_head(path: Path, device: str = "cpu") -> CrossAttentionHead:
    """The head of CoMMA on CLIP in eval mode, for the widths that the file tells.

    Raises `InputError` for other files.
    """
    check_device(device)
    state = current_names(read_checkpoint(path))
    _check_has_head(state, path)
    widths = (_input_width(state, f"{side}_proj_mat.0.weight") for side in ("vis", "lang"))
    head = CrossAttentionHead(*widths)
    load_strict(head, state, str(path))
    return head.eval().requires_grad_(False).to(device)


def check_fits(head: CrossAttentionHead, width: int, path: Path) -> None:
    """Raises `InputError` where a head, of the file at `path`, takes vectors of other widths."""
    layers = (head.vis_proj_mat.get_submodule("0"), head.lang_proj_mat.get_submodule("0"))
    widths = [layer.get_parameter("weight").shape[1] for layer in layers]
    if widths != [width, width]:
        reason = (
            f"the head takes regions of {widths[0]} and words of {widths[1]} dimensions, "
            f"but this CLIP gives {width}"
        )
        raise InputError(reason, where=str(path))


def forget_visual_attention(head: Head, seed: int) -> None:
    """Replace the attention among regions by random values, as a new layer has them.

    The published evaluation looks for it under a wrong name and so never loads it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = SelfAttention()
    head.sa_layer.vis_attn_mat.load_state_dict(fresh.state_dict())


def current_names(state: State) -> dict[str, Tensor]:
    """A state dict with the names of the authors' older layout brought up to date.

    That layout has one self attention, which then serves both regions and words.
    """
    named = {}
    for name, value in state.items():
        first, _, rest = name.partition(".")
        for new in _OLD_NAMES.get(first, (first,)):
            named[f"{new}.{rest}" if rest else new] = value
    return named


def clip_seconds(heat: Tensor, clips: int, seconds: int) -> Tensor:
    """Maps by time step (clips * steps x rows x columns) as maps by second.

    All clips are one row of steps, between which values go linearly, as the published
    evaluation's trilinear interpolation does in time. `seconds` are those of a clip.
    """
    steps, rows, columns = heat.shape
    flat = heat.permute(1, 2, 0).reshape(1, rows * columns, steps)
    by_second = functional.interpolate(flat, clips * seconds, mode="linear", align_corners=False)
    return by_second.reshape(rows, columns, -1).permute(2, 0, 1)


def _input_width(state: State, name: str) -> int:
    """The width that a layer takes; any, where the file has no such layer to be loaded."""
    weight = state.get(name)
    return weight.shape[1] if weight is not None and weight.ndim == 2 else HEAD_WIDTH


def _check_has_head(state: State, path: Path) -> None:
    if not any(name.startswith(("vis_proj_mat.", "sa_layer.")) for name in state):
        reason = (
            "the head's weights are missing (vis_proj_mat, lang_proj_mat, sa_layer): these are "
            "weights that training starts from, not those of a trained CoMMA"
        )
        raise InputError(reason, where=str(path))
