from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models import cross_attention
from gytbench.models.comma import (
    Comma,
    clip_seconds,
    current_names,
    forget_visual_attention,
    load_clip_head,
    load_comma,
)
from gytbench.models.cross_attention import (
    CrossAttentionHead,
    pair_scores,
    pair_vectors,
    rollout,
)
from gytbench.models.s3d import S3D
from tests.models.filling import fill, filled, shapes, table

ROWS = 12


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Weights of CoMMA on S3D with a short dictionary."""
    return filled(shapes(Comma(ROWS)))


@pytest.fixture(scope="module")
def head() -> CrossAttentionHead:
    return fill(CrossAttentionHead(6, 5)).double()


@pytest.fixture
def drawn():
    """Three videos of ten regions, two texts of four words and of two; in float64."""
    generator = torch.Generator().manual_seed(7)
    regions = 3 * torch.randn(3, 10, 6, generator=generator, dtype=torch.float64)
    words = 3 * torch.randn(2, 4, 5, generator=generator, dtype=torch.float64)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    return regions, words, mask


def save(state, folder: Path) -> Path:
    path = folder / "weights.pth.tar"
    torch.save(state, path)
    return path


def same_everywhere(model: nn.Module, state) -> bool:
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


class Twin:
    """The head of the published description, one pair at a time, with torch's attention."""

    def __init__(self, head: CrossAttentionHead) -> None:
        self.head = head
        self.attention = {}
        for name in ("vis_attn_mat", "text_attn_mat"):
            attention = nn.MultiheadAttention(512, 1, batch_first=True).double().eval()
            attention.load_state_dict(head.sa_layer.get_submodule(name).state_dict())
            self.attention[name] = attention

    def cross(self, v, t, mask, scale):
        similarity = (v[:, None] * t[None]).sum(dim=-1) / scale
        to_words = similarity.masked_fill(~mask, -torch.inf).softmax(dim=1)
        to_regions = similarity.T.softmax(dim=1)
        return to_words, to_regions

    def own(self, name, x, mask=None):
        mask = None if mask is None else ~mask[None]
        taken, weights = self.attention[name](x[None], x[None], x[None], key_padding_mask=mask)
        return x + taken[0], weights[0]

    def vectors(self, regions, words, mask):
        v, t = self.head.vis_proj_mat(regions), self.head.lang_proj_mat(words)
        to_words, to_regions = self.cross(v, t, mask, sqrt(512))
        v1, t1 = to_words @ t, to_regions @ v
        v1, t1 = self.own("vis_attn_mat", v1)[0], self.own("text_attn_mat", t1, mask)[0]
        to_words, to_regions = self.cross(v1, t1, mask, sqrt(512))
        v2, t2 = to_words @ t1 + v1, to_regions @ v1 + t1
        return v2.mean(dim=0), t2[mask].mean(dim=0)

    def heat(self, regions, words, mask):
        v, t = self.head.vis_proj_mat(regions), self.head.lang_proj_mat(words)
        to_words, to_regions = self.cross(v, t, mask, 1)
        v1, t1 = self.own("vis_attn_mat", to_words @ t)[0], to_regions @ v
        t1, between = self.own("text_attn_mat", t1, mask)
        last, _ = self.cross(v1, t1, mask, 1)
        last[:, ~mask], between[:, ~mask], to_regions[~mask] = 0, 0, 0
        return (last @ between @ to_regions).mean(dim=0)


def test_names_and_shapes_are_those_of_the_reference(facts) -> None:
    assert shapes(Comma(66250)) == table(facts, "comma_s3d")


def test_the_heat_is_that_of_the_reference(facts) -> None:
    with np.load(facts / "golden" / "comma_s3d.npz") as stored:
        golden = dict(stored)
    model = fill(Comma(66250))
    video = np.random.Generator(np.random.PCG64(2)).random((2, 3, 16, 224, 224))
    with torch.inference_mode():
        cells = model.feature_map(torch.from_numpy(video.astype(np.float32)))
        words = model.text_module.word_vectors(torch.from_numpy(golden["text_ids"]))
        regions = cells.flatten(2).transpose(1, 2)
        heat = rollout(model, regions, words, torch.from_numpy(golden["mask"])).numpy()
    largest = golden["heat"].max()
    np.testing.assert_allclose(heat, golden["heat"], rtol=0, atol=1e-4 * largest)


def test_pairs_are_those_of_the_slow_form(head, drawn) -> None:
    regions, words, mask = drawn
    twin = Twin(head)
    with torch.no_grad():
        video, text = pair_vectors(head, regions, words, mask)
        for a in range(3):
            for b in range(2):
                expected = twin.vectors(regions[a], words[b], mask[b])
                torch.testing.assert_close((video[a, b], text[a, b]), expected)


def test_the_rollout_is_that_of_the_slow_form(head, drawn) -> None:
    regions, words, mask = drawn
    twin = Twin(head)
    with torch.no_grad():
        for b in range(2):
            heat = rollout(head, regions, words[b : b + 1], mask[b : b + 1])
            expected = torch.stack([twin.heat(one, words[b], mask[b]) for one in regions])
            torch.testing.assert_close(heat, expected)
            torch.testing.assert_close(heat.sum(dim=1), torch.ones(3, dtype=torch.float64))


def test_pads_count_for_nothing(head, drawn) -> None:
    regions, words, mask = drawn
    other = torch.where(mask[..., None], words, torch.full_like(words, 9.0))
    with torch.no_grad():
        before, after = (pair_scores(head, regions, w, mask) for w in (words, other))
        heats = [rollout(head, regions, w[1:], mask[1:]) for w in (words, other)]
    torch.testing.assert_close(before, after)
    torch.testing.assert_close(*heats)


def test_scores_are_products_of_the_vectors_however_many_at_a_time(
    head, drawn, monkeypatch
) -> None:
    regions, words, mask = drawn
    with torch.no_grad():
        video, text = pair_vectors(head, regions, words, mask)
        expected = (video * text).sum(dim=-1)
        for at_once in (1, 2 * 2 * 10 * 4, 2**24):
            monkeypatch.setattr(cross_attention, "_AT_ONCE", at_once)
            torch.testing.assert_close(pair_scores(head, regions, words, mask), expected)
        alone = pair_scores(head, regions[1:2], words[1:], mask[1:])
    torch.testing.assert_close(alone, expected[1:2, 1:])


def test_the_order_of_regions_only_reorders_the_heat(head, drawn) -> None:
    regions, words, mask = drawn
    order = torch.randperm(10, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        heat = rollout(head, regions, words[:1], mask[:1])
        reordered = rollout(head, regions[:, order], words[:1], mask[:1])
    torch.testing.assert_close(reordered, heat[:, order])


def test_seconds_are_those_of_trilinear_interpolation() -> None:
    heat = torch.rand(6, 3, 3, generator=torch.Generator().manual_seed(0))
    maps = clip_seconds(heat, clips=3, seconds=16)
    full = functional.interpolate(heat[None, None], (48, 12, 9), mode="trilinear")[0, 0]
    upsampled = functional.interpolate(maps[None], (12, 9), mode="bilinear")[0]
    torch.testing.assert_close(upsampled, full)


def test_a_step_for_each_second_stays_as_it_is() -> None:
    heat = torch.rand(32, 2, 2)
    torch.testing.assert_close(clip_seconds(heat, clips=2, seconds=16), heat)


def test_a_checkpoint_of_the_training_is_loaded(state, tmp_path) -> None:
    stored = {f"module.{name}": value for name, value in state.items()}
    model = load_comma(save({"epoch": 1, "state_dict": stored, "optimizer": {}}, tmp_path))
    assert not model.training
    assert same_everywhere(model, state)


def test_the_authors_older_names_are_understood(state, tmp_path) -> None:
    old = {}
    for name, value in state.items():
        if name.startswith("sa_layer.text_attn_mat."):
            continue
        for new, before in (
            ("text_module.word_embd.", "text_word_embd."),
            ("text_module.fc1.", "text_fc1."),
            ("lang_proj_mat.", "lang_key_mat."),
            ("vis_proj_mat.", "key_mat."),
            ("sa_layer.vis_attn_mat.", "vis_attn_mat."),
        ):
            if name.startswith(new):
                name = before + name.removeprefix(new)
        old[f"module.{name}"] = value
    model = load_comma(save({"state_dict": old}, tmp_path))
    expected = {
        name: state[name.replace("sa_layer.text_attn_mat.", "sa_layer.vis_attn_mat.")]
        for name in state
    }
    assert same_everywhere(model, expected)


def test_only_whole_parts_of_a_name_are_replaced() -> None:
    kept = ["lang_key_mat_g.0.bias", "text_fc12.bias", "sa_layer.vis_attn_mat.in_proj_bias"]
    assert list(current_names(dict.fromkeys(kept, torch.zeros(1)))) == kept


def test_weights_of_s3d_lack_the_head(tmp_path) -> None:
    path = save(filled(shapes(S3D(ROWS))), tmp_path)
    with pytest.raises(InputError, match="the head's weights are missing"):
        load_comma(path)
    with pytest.raises(InputError, match="the head's weights are missing"):
        load_clip_head(path)


def test_a_part_of_the_head_that_is_missing_is_named(state, tmp_path) -> None:
    cut = {name: x for name, x in state.items() if not name.startswith("lang_proj_mat")}
    with pytest.raises(InputError, match=r"lacks 2 entries: lang_proj_mat\.0\.weight"):
        load_comma(save(cut, tmp_path))


def test_a_head_on_clip_takes_its_widths_from_the_file(tmp_path) -> None:
    state = filled(shapes(CrossAttentionHead(48, 32)))
    head = load_clip_head(save({"state_dict": state}, tmp_path))
    assert same_everywhere(head, state)


def test_a_head_on_clip_without_a_projection_is_refused(tmp_path) -> None:
    state = filled(shapes(CrossAttentionHead(48, 32)))
    del state["lang_proj_mat.0.weight"]
    with pytest.raises(InputError, match=r"lang_proj_mat\.0\.weight"):
        load_clip_head(save(state, tmp_path))


def test_forgetting_changes_the_attention_among_regions_alone() -> None:
    heads = [fill(CrossAttentionHead(6, 5)) for _ in range(3)]
    before = {name: value.clone() for name, value in heads[0].state_dict().items()}
    generator = torch.get_rng_state()
    for head, seed in zip(heads, (3, 3, 4), strict=True):
        forget_visual_attention(head, seed)
    assert torch.equal(torch.get_rng_state(), generator)
    one, same, other = (head.state_dict() for head in heads)
    changed = {name for name in before if not torch.equal(before[name], one[name])}
    assert changed == {name for name in before if name.startswith("sa_layer.vis_attn_mat.")}
    assert all(torch.equal(one[name], same[name]) for name in one)
    weight = "sa_layer.vis_attn_mat.in_proj_weight"
    assert not torch.equal(one[weight], other[weight])
