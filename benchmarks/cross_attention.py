"""The head of CoMMA for the pairs of a batch, beside the form that holds all their products."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from math import sqrt
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.measuring import Cost, show
from gytbench.models.cross_attention import (
    HEAD_WIDTH,
    CrossAttentionHead,
    Head,
    SelfAttention,
    pair_scores,
)
from gytbench.training.losses import nce

REGIONS = 8 * 49
WORDS = 20
BATCH = 6
LARGE_BATCH = 64
ROUNDS = 3
RUNS = 3


def cross_attention() -> None:
    """Time and memory of scores and gradients at batch 6, and what batch 64 needs."""
    empty, _ = _cost("nothing", BATCH)
    # In turns, so that the load of the machine is the same for both.
    rounds = [[_cost(form, BATCH) for form in ("ours", "held")] for _ in range(ROUNDS)]
    (ours, loss), (held, held_loss) = map(min, zip(*rounds, strict=True))
    large, _ = _cost("ours", LARGE_BATCH)
    large_empty, _ = _cost("nothing", LARGE_BATCH)
    added, held_added = (cost.peak_mib - empty.peak_mib for cost in (ours, held))
    array = LARGE_BATCH**2 * REGIONS * WORDS * HEAD_WIDTH * 4 / 2**30
    held_large = held_added / 1024 * (LARGE_BATCH / BATCH) ** 2
    show(
        f"Cross attention of {BATCH} videos of {REGIONS} regions and {BATCH} texts of {WORDS} "
        "words: scores and gradients",
        [
            ["gytbench", ours.seconds, ours.peak_mib],
            ["all products of regions and words held", held.seconds, held.peak_mib],
            ["inputs and weights alone", None, empty.peak_mib],
            [f"gytbench, batch {LARGE_BATCH}", large.seconds, large.peak_mib],
            [f"inputs and weights alone, batch {LARGE_BATCH}", None, large_empty.peak_mib],
        ],
        f"held / gytbench: time {held.seconds / ours.seconds:.1f}, memory beyond inputs and "
        f"weights {held_added / added:.1f}; losses apart by {abs(loss - held_loss):.1e}",
        f"batch {LARGE_BATCH} beyond inputs and weights: gytbench "
        f"{(large.peak_mib - large_empty.peak_mib) / 1024:.1f} GiB; products held "
        f"{held_large:.0f} GiB, as they grow with the pairs (one array of them {array:.0f} GiB)",
    )


def held_scores(head: Head, regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    """n x m, with arrays of n x m x regions x words x 512."""
    n, m = len(regions), len(words)
    v = head.vis_proj_mat(regions)[:, None].repeat(1, m, 1, 1)
    t = head.lang_proj_mat(words)[None].repeat(n, 1, 1, 1)
    mask = mask[None].repeat(n, 1, 1)
    v, t = _each_other(v, t, mask)
    v = v + _own(head.sa_layer.vis_attn_mat, v, None)
    t = t + _own(head.sa_layer.text_attn_mat, t, ~mask.flatten(0, 1))
    of_words, of_regions = _each_other(v, t, mask)
    video = (of_words + v).mean(dim=2)
    text = (of_regions + t).masked_fill(~mask[..., None], 0).sum(dim=2)
    return (video * text / mask.sum(dim=2, keepdim=True)).sum(dim=-1)


def _each_other(v: Tensor, t: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """What regions take of words and words of regions."""
    similarity = (v[:, :, :, None] * t[:, :, None]).sum(dim=-1) / sqrt(HEAD_WIDTH)
    over_words = similarity.masked_fill(~mask[:, :, None], -torch.inf).softmax(dim=3)
    of_words = (over_words[..., None] * t[:, :, None]).sum(dim=3)
    of_regions = (similarity.softmax(dim=2)[..., None] * v[:, :, :, None]).sum(dim=2)
    return of_words, of_regions


def _own(layer: SelfAttention, x: Tensor, pads: Tensor | None) -> Tensor:
    """torch's attention, each pair's own."""
    rows = x.flatten(0, 1).transpose(0, 1)
    taken, _ = functional.multi_head_attention_forward(
        query=rows,
        key=rows,
        value=rows,
        embed_dim_to_check=HEAD_WIDTH,
        num_heads=1,
        in_proj_weight=layer.in_proj_weight,
        in_proj_bias=layer.in_proj_bias,
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=layer.out_proj.weight,
        out_proj_bias=layer.out_proj.bias,
        key_padding_mask=pads,
    )
    return taken.transpose(0, 1).view(x.shape)


_FORMS: dict[str, Callable[[Head, Tensor, Tensor, Tensor], Tensor] | None] = {
    "nothing": None,
    "ours": pair_scores,
    "held": held_scores,
}


def _cost(form: str, batch: int) -> tuple[Cost, float]:
    """The fastest of some runs and the peak of the process, its own; and the loss."""
    command = [sys.executable, "-m", "benchmarks.cross_attention", form, str(batch)]
    out = subprocess.run(command, capture_output=True, check=True, text=True)
    seconds, peak, loss = map(float, out.stdout.split())
    return Cost(seconds, peak), loss


def _run(form: str, batch: int) -> None:
    """Print seconds, the peak in MiB and the loss."""
    torch.manual_seed(0)
    head = CrossAttentionHead(HEAD_WIDTH, HEAD_WIDTH)
    regions, words = (torch.randn(batch, rows, HEAD_WIDTH) for rows in (REGIONS, WORDS))
    mask = torch.ones(batch, WORDS, dtype=torch.bool)
    scores, loss, best = _FORMS[form], 0.0, float("inf")
    for _ in range(RUNS if batch == BATCH else 1):
        if scores is None:
            continue
        head.zero_grad()
        begin = time.perf_counter()
        found = nce(scores(head, regions, words, mask))
        found.backward()  # type: ignore[no-untyped-call]
        best, loss = min(best, time.perf_counter() - begin), found.item()
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert peak is not None
    sys.stdout.write(f"{best} {int(peak[1]) / 1024} {loss}\n")


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]))
