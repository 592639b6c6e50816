"""The head of Chen et al. 2024: CoMMA's head for places, a second branch for times.

Source: brian7685/GroundingYouTube. The local branch is `gytbench.models.cross_attention`;
the global branch maps one vector of a video and one of a text into a space where their
dot product tells whether they belong together.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.comma import Comma
from gytbench.models.cross_attention import HEAD_WIDTH, CrossAttentionHead
from gytbench.models.devices import check_device
from gytbench.models.s3d import (
    CELL_WIDTH,
    OPTIONAL,
    WORD_WIDTH,
    has_space_to_depth,
    table_rows,
)

State = Mapping[str, Tensor]

# The layers that vectors enter by, as they are told of in messages.
_INPUTS = {
    "vis_proj_mat": "regions",
    "lang_proj_mat": "words",
    "vis_proj_mat_g": "videos",
    "lang_proj_mat_g": "texts",
}


class GlobalBranch:
    """The layers of the global branch, linear or gated; those of the local one are apart."""

    vis_proj_mat_g: nn.Module
    lang_proj_mat_g: nn.Module

    def global_video(self, videos: Tensor) -> Tensor:
        """n x 512 of vectors of videos or of frames, n x width."""
        projected: Tensor = self.vis_proj_mat_g(videos)
        return projected

    def global_text(self, texts: Tensor) -> Tensor:
        """m x 512 of vectors of texts, m x width."""
        projected: Tensor = self.lang_proj_mat_g(texts)
        return projected


class GlobalLocalHead(GlobalBranch, CrossAttentionHead):
    """Both branches, for features of a network that is kept elsewhere."""

    def __init__(
        self, regions: int, words: int, *, video: int, text: int, gated: bool = False
    ) -> None:
        """A head for regions, words, whole videos and whole texts of the given widths."""
        super().__init__(regions, words)
        self.vis_proj_mat_g = _projection(video, gated)
        self.lang_proj_mat_g = _projection(text, gated)


class GlobalLocalS3D(GlobalBranch, Comma):
    """Both branches with the trunk and the words of S3D.

    The source's own file of this network is not published; its names follow from its
    training code.
    """

    def __init__(self, rows: int, space_to_depth: bool = True, *, gated: bool = False) -> None:
        """`rows`: of the table of word vectors."""
        super().__init__(rows, space_to_depth)
        self.vis_proj_mat_g = _projection(CELL_WIDTH, gated)
        self.lang_proj_mat_g = _projection(WORD_WIDTH, gated)


def load_global_local_head(path: Path, device: str = "cpu") -> GlobalLocalHead:
    """The head for CLIP in eval mode, for the widths and the kind of maps that the file has.

    Takes the published `GroundingWeights.pth.tar` and checkpoints of its training. Raises
    `InputError` for other files, CoMMA's among them, which lack the global branch.
    """
    check_device(device)
    state = read_checkpoint(path)
    _check_has_branches(state, path)
    gated = _is_gated(state)
    regions, words, video, text = (_into(state, name) for name in _INPUTS)
    # Without memory first: a file that does not fit takes none.
    with torch.device("meta"):
        head = GlobalLocalHead(regions, words, video=video, text=text, gated=gated)
    load_strict(head, state, str(path))
    return head.eval().requires_grad_(False).to(device)


def load_global_local_s3d(path: Path, device: str = "cpu", half: bool = False) -> GlobalLocalS3D:
    """The network on S3D in eval mode; in half, only the trunk is.

    Raises `InputError` for other files: S3D's own weights and CoMMA's lack branches.
    """
    state = read_checkpoint(path)
    rows, space_to_depth = table_rows(state, path), has_space_to_depth(state, path)
    _check_has_branches(state, path)
    model = GlobalLocalS3D(rows, space_to_depth, gated=_is_gated(state))
    load_strict(model, state, str(path), optional=OPTIONAL)
    return model.prepared(device, half)


def check_takes(
    head: GlobalLocalHead, path: Path, *, regions: int, words: int, video: int, text: int
) -> None:
    """Raises `InputError` where a head, of the file at `path`, takes vectors of other widths."""
    state = head.state_dict()
    for (name, what), given in zip(_INPUTS.items(), (regions, words, video, text), strict=True):
        taken = _into(state, name)
        if taken != given:
            reason = (
                f"the head takes {what} of {taken} dimensions, but this backbone gives {given}: "
                "it was trained on another"
            )
            raise InputError(reason, where=str(path))


def start_from_mil_nce(head: GlobalBranch, state: State) -> None:
    """Start the global branch of a linear head on S3D from a state dict of `S3D`.

    Then its scores are those of MIL-NCE, for videos as the mean of mixed_5c over time,
    rows and columns, and texts as the maximum of their words' vectors.
    """
    for module, name in (
        (head.vis_proj_mat_g.get_submodule("0"), "fc"),
        (head.lang_proj_mat_g.get_submodule("0"), "text_module.fc2"),
    ):
        module.load_state_dict({key: state[f"{name}.{key}"] for key in ("weight", "bias")})


class _ContextGating(nn.Module):
    """Weighs each value by a sigmoid of all."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(HEAD_WIDTH, HEAD_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return functional.glu(torch.cat([x, self.fc(x)], dim=-1))


class _GatedEmbedding(nn.Module):
    """A linear map whose result is gated."""

    def __init__(self, into: int) -> None:
        super().__init__()
        self.fc = nn.Linear(into, HEAD_WIDTH)
        self.cg = _ContextGating()

    def forward(self, x: Tensor) -> Tensor:
        gated: Tensor = self.cg(self.fc(x))
        return gated


def _projection(into: int, gated: bool) -> nn.Module:
    return _GatedEmbedding(into) if gated else nn.Sequential(nn.Linear(into, HEAD_WIDTH))


def _is_gated(state: State) -> bool:
    return any(name.startswith("vis_proj_mat_g.cg.") for name in state)


def _into(state: State, name: str) -> int:
    """The width that a layer takes, linear or gated; any where the file has no such layer."""
    for part in ("0", "fc"):
        weight = state.get(f"{name}.{part}.weight")
        if weight is not None and weight.ndim == 2:
            return weight.shape[1]
    return HEAD_WIDTH


def _check_has_branches(state: State, path: Path) -> None:
    """Say what a whole branch that is missing means, before the single entries are listed."""
    for prefixes, reason in (
        (
            ("vis_proj_mat.", "sa_layer."),
            "the local branch is missing (vis_proj_mat, lang_proj_mat, sa_layer)",
        ),
        (
            ("vis_proj_mat_g.", "lang_proj_mat_g."),
            "the global branch is missing (vis_proj_mat_g, lang_proj_mat_g): these may be "
            "weights of CoMMA",
        ),
    ):
        if not any(name.startswith(prefixes) for name in state):
            raise InputError(reason, where=str(path))
