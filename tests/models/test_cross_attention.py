from math import sqrt

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gytbench.models import cross_attention
from gytbench.models.cross_attention import (
    CrossAttentionHead,
    SelfAttention,
    pair_scores,
    pair_vectors,
    rollout,
)
from gytbench.training.losses import nce
from tests.models.filling import fill

VARIANTS = ["official", "paper"]


def self_attention(layer: SelfAttention, x, mask):
    """Of pairs x rows x 512, with torch's own attention."""
    return functional.multi_head_attention_forward(
        *[x.flatten(0, 1).transpose(0, 1)] * 3,
        512,
        1,
        layer.in_proj_weight,
        layer.in_proj_bias,
        None,
        None,
        False,
        0.0,
        layer.out_proj.weight,
        layer.out_proj.bias,
        key_padding_mask=~mask.flatten(0, 1),
    )


def dense(head, regions, words, mask, variant):
    """Vectors of pairs and the rollout of each, with all the arrays n x m x regions x 512."""
    n, m = len(regions), len(words)
    v = head.vis_proj_mat(regions)[:, None].expand(n, m, -1, -1)
    t = head.lang_proj_mat(words)[None].expand(n, m, -1, -1)
    mask = mask[None].expand(n, m, -1)
    everything = torch.ones(v.shape[:3], dtype=torch.bool)

    def compare(a, b, scale):
        if variant == "paper":
            return functional.cosine_similarity(a[..., :, None, :], b[..., None, :, :], dim=-1)
        return (a[..., :, None, :] * b[..., None, :, :]).sum(dim=-1) / scale

    def cross(a, b, scale):
        similarity = compare(a, b, scale)
        to_words = similarity.masked_fill(~mask[:, :, None], -torch.inf).softmax(dim=3)
        return to_words, similarity.softmax(dim=2).transpose(2, 3)

    def first(scale):
        to_words, to_regions = cross(v, t, scale)
        v1, t1 = to_words @ t, to_regions @ v
        layers = head.sa_layer
        v_taken, _ = self_attention(layers.vis_attn_mat, v1, everything)
        t_taken, between = self_attention(layers.text_attn_mat, t1, mask)
        v_taken = v_taken.transpose(0, 1).view(v1.shape)
        t_taken = t_taken.transpose(0, 1).view(t1.shape)
        if variant == "paper":
            v1, t1 = v_taken, t_taken
        else:
            v1, t1 = v1 + v_taken, t1 + t_taken
        return v1, t1, between.view(n, m, *between.shape[1:]), to_regions

    v1, t1, _, _ = first(sqrt(512))
    to_words, to_regions = cross(v1, t1, sqrt(512))
    v2, t2 = to_words @ t1, to_regions @ v1
    if variant == "official":
        v2, t2 = v2 + v1, t2 + t1
    t2 = (t2 * mask[..., None]).sum(dim=2) / mask.sum(dim=2)[..., None]
    v1, t1, between, to_regions = first(1)
    heat = cross(v1, t1, 1)[0] @ between @ to_regions
    return v2.mean(dim=2), t2, heat.mean(dim=2)


def made(widths=(6, 5)) -> CrossAttentionHead:
    head = fill(CrossAttentionHead(*widths)).double()
    with torch.no_grad():
        # Without this, all words get nearly the same vector, whatever the regions attend to.
        for layer in (head.sa_layer.vis_attn_mat, head.sa_layer.text_attn_mat):
            layer.in_proj_weight.mul_(8)
    return head


def drawn(n=3, m=4, regions=13, words=11, widths=(6, 5)):
    """Features in float64, and a mask with one word, with all words, and in between."""
    generator = torch.Generator().manual_seed(3)
    v = torch.randn(n, regions, widths[0], generator=generator, dtype=torch.float64)
    t = torch.randn(m, words, widths[1], generator=generator, dtype=torch.float64)
    counts = torch.linspace(1, words, m).round()
    return 2 * v, 2 * t, torch.arange(words) < counts[:, None]


def gradients(head, inputs, vectors):
    """Of a number that each value of the vectors moves differently, by all that is learned."""
    generator = torch.Generator().manual_seed(5)
    total = sum(
        (x * torch.randn(x.shape, generator=generator, dtype=x.dtype)).sum() for x in vectors
    )
    return torch.autograd.grad(total, [*inputs, *head.parameters()])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("words", [11, 16])
@pytest.mark.parametrize("at_once", [2**23, 2 * 4 * 13 * 16, 1])
def test_vectors_and_gradients_are_those_of_the_dense_form(
    variant, words, at_once, monkeypatch
) -> None:
    monkeypatch.setattr(cross_attention, "_AT_ONCE", at_once)
    head = made()
    *inputs, mask = drawn(words=words)
    for x in inputs:
        x.requires_grad_()
    expected = dense(head, *inputs, mask, variant)[:2]
    found = pair_vectors(head, *inputs, mask, variant)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)
    found, expected = (gradients(head, inputs, x) for x in (found, expected))
    for name, a, b in zip(range(len(found)), found, expected, strict=True):
        scale = b.abs().max()
        assert scale > 0, name
        torch.testing.assert_close(a / scale, b / scale, rtol=0, atol=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_rollout_is_that_of_the_dense_form(variant) -> None:
    head = made()
    regions, words, mask = drawn()
    with torch.no_grad():
        expected = dense(head, regions, words, mask, variant)[2]
        for b in range(len(words)):
            heat = rollout(head, regions, words[b : b + 1], mask[b : b + 1], variant)
            torch.testing.assert_close(heat, expected[:, b], rtol=1e-9, atol=0)
    assert expected.std() > 1e-3


def test_the_variants_differ() -> None:
    head = made()
    with torch.no_grad():
        official, paper = (pair_scores(head, *drawn(), variant) for variant in VARIANTS)
    assert not torch.allclose(official, paper, rtol=0.1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_are_differences(variant) -> None:
    head = made()
    *inputs, mask = drawn(n=2, m=2, regions=3, words=3)
    for x in inputs:
        x.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v, t: pair_scores(head, v, t, mask, variant), inputs, fast_mode=False
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_pads_count_for_nothing_and_get_no_gradient(variant) -> None:
    head = made()
    regions, words, mask = drawn()
    other = torch.where(mask[..., None], words, 9.0).requires_grad_()
    scores = pair_scores(head, regions, other, mask, variant)
    torch.testing.assert_close(scores, pair_scores(head, regions, words, mask, variant))
    scores.square().sum().backward()
    assert other.grad is not None
    assert (other.grad[~mask] == 0).all()
    assert (other.grad[mask] != 0).any(dim=-1).all()
    alone = pair_scores(head, regions[1:2], words[:1, :1], mask[:1, :1], variant)
    torch.testing.assert_close(alone, scores[1:2, :1])


class Largest(TorchDispatchMode):
    """Records how many values the largest tensor has that is made, and what makes it."""

    size, operation = 0, ""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in tree_leaves(out):
            # Memory of its own: an expanded view is as large as what it shows.
            if isinstance(x, torch.Tensor) and x.untyped_storage().nbytes() > 4 * self.size:
                self.size = x.untyped_storage().nbytes() // 4
                self.operation = str(func)
        return out


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("blocks", [1, 2])
def test_nothing_is_held_for_each_region_but_what_words_weigh(variant, blocks, monkeypatch) -> None:
    n, m, regions, words = 8, 16, 256, 5
    monkeypatch.setattr(cross_attention, "_AT_ONCE", n * m * regions * words // blocks)
    head = CrossAttentionHead(6, 5)
    v, t, mask = drawn(n, m, regions, words)
    with Largest() as largest:
        scores = pair_scores(head, v.float(), t.float(), mask, variant)
        scores.sum().backward()
    # Both kinds of weights, words, projected regions of videos alone, layers' gradients.
    of_pairs = max(2 * n * m * regions * 8, n * m * words * 3 * 512)
    bound = max(of_pairs, n * regions * 3 * 512, 3 * 512 * 512)
    assert bound < n * m * regions * min(512, regions) / 2
    assert 0 < largest.size <= bound, largest.operation


def test_beyond_the_limit_less_is_kept_for_gradients(monkeypatch) -> None:
    def kept(at_once: int) -> int:
        monkeypatch.setattr(cross_attention, "_AT_ONCE", at_once)
        stored: dict[int, int] = {}

        def keep(x):
            stored[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
            return x

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            scores = pair_scores(head, regions, words, mask)
        assert scores.requires_grad
        return sum(stored.values())

    head = made()
    regions, words, mask = drawn(n=8, regions=98)
    values = 8 * 4 * 98 * 11
    assert kept(values) > 5 * values * 8
    assert kept(values // 8) < kept(values) / 3


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_scores_and_gradients_in_half_precision_are_near(variant, dtype) -> None:
    head = fill(CrossAttentionHead(6, 5))
    v, t, mask = drawn(n=4)
    v, t = v.float(), t.float()
    found = []
    for half in (False, True):
        with torch.autocast("cpu", dtype, enabled=half):
            scores = pair_scores(head, v, t, mask, variant)
        loss = nce(scores.float())
        grads = torch.autograd.grad(loss, head.parameters())
        found.append((scores.float().flatten(), torch.cat([grad.flatten() for grad in grads])))
    for exact, near in zip(*found, strict=True):
        assert near.isfinite().all()
        assert (near - exact).norm() < 0.1 * exact.norm()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_head_may_be_in_half_precision_itself(variant) -> None:
    head, (v, t, mask) = fill(CrossAttentionHead(6, 5)), drawn()
    with torch.no_grad():
        exact = pair_scores(head, v.float(), t.float(), mask, variant)
        half = pair_scores(head.bfloat16(), v.bfloat16(), t.bfloat16(), mask, variant)
    assert half.dtype == torch.bfloat16
    assert (half.float() - exact).abs().max() < 0.05 * exact.abs().max()
