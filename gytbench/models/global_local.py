"""The head of Chen et al. 2024: CoMMA's head for places, a second branch for times.

Source: brian7685/GroundingYouTube. The local branch is `gytbench.models.cross_attention`;
the global branch maps one vector of a video and one of a text into a space where their
dot product tells whether they belong together.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.cross_attention import HEAD_WIDTH, CrossAttentionHead


class GlobalLocalHead(CrossAttentionHead):
    """Both branches, with linear or gated maps in the global one."""

    def __init__(
        self, regions: int, words: int, *, video: int, text: int, gated: bool = False
    ) -> None:
        """A head for regions, words, whole videos and whole texts of the given widths."""
        super().__init__(regions, words)
        self.vis_proj_mat_g = _projection(video, gated)
        self.lang_proj_mat_g = _projection(text, gated)

    def global_video(self, videos: Tensor) -> Tensor:
        """n x 512 of vectors of videos or of frames, n x width."""
        projected: Tensor = self.vis_proj_mat_g(videos)
        return projected

    def global_text(self, texts: Tensor) -> Tensor:
        """m x 512 of vectors of texts, m x width."""
        projected: Tensor = self.lang_proj_mat_g(texts)
        return projected


def start_from_mil_nce(head: GlobalLocalHead, state: Mapping[str, Tensor]) -> None:
    """Start the global branch of a linear head on S3D from a state dict of `S3D`.

    Then its scores are those of MIL-NCE, for videos as the mean of mixed_5c over time,
    rows and columns, and texts as the maximum of their words' vectors.
    """
    for module, name in (
        (head.vis_proj_mat_g.get_submodule("0"), "fc"),
        (head.lang_proj_mat_g.get_submodule("0"), "text_module.fc2"),
    ):
        module.load_state_dict({key: state[f"{name}.{key}"] for key in ("weight", "bias")})


def contrastive_loss(scores: Tensor) -> Tensor:
    """The loss of both branches for scores of n videos and n texts, n x n; pairs lie on
    the diagonal.

    As published there is neither temperature nor margin, and the pair's own score is
    counted twice among the others: once in its row and once in its column.
    """
    against = torch.cat([scores, scores.T], dim=1).logsumexp(dim=1)
    return (against - scores.diagonal()).mean()


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
