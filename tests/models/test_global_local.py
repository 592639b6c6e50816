from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.comma import Comma
from gytbench.models.cross_attention import (
    CrossAttentionHead,
    pair_scores,
    pair_vectors,
    rollout,
)
from gytbench.models.global_local import (
    GlobalLocalHead,
    GlobalLocalS3D,
    load_global_local_head,
    load_global_local_s3d,
    start_from_mil_nce,
)
from gytbench.models.s3d import CELL_WIDTH, S3D, WORD_WIDTH
from gytbench.training.losses import nce
from tests.models.filling import fill, filled, shapes, table

State = dict[str, torch.Tensor]


def on_clip(gated: bool) -> GlobalLocalHead:
    return GlobalLocalHead(512, 512, video=512, text=512, gated=gated)


@pytest.fixture(scope="module", params=["linear", "gated"])
def case(request, facts):
    """The reference's outputs, and this package's for the same weights and inputs."""
    with np.load(facts / "golden" / f"global_local_clip_{request.param}.npz") as stored:
        golden = dict(stored)
    generator = np.random.Generator(np.random.PCG64(1))
    global_v, local_v, global_t, words, local_v2 = (
        torch.from_numpy((0.3 * generator.standard_normal(shape)).astype(np.float32))
        for shape in ((3, 512), (3, 8, 49, 512), (3, 512), (3, 20, 512), (2, 16, 49, 512))
    )
    mask = torch.from_numpy(golden["mask"])
    head = fill(on_clip(request.param == "gated"))
    with torch.inference_mode():
        video, text = pair_vectors(head, local_v.flatten(1, 2), words, mask)
        scores = pair_scores(head, local_v.flatten(1, 2), words, mask)
        whole_v, whole_t = head.global_video(global_v), head.global_text(global_t)
        outputs = {
            "local_video": video[..., :64],
            "local_text": text[..., :64],
            "pair_score": scores,
            "global_video": whole_v,
            "global_text": whole_t,
            "loss_local": nce(scores),
            "loss_global": nce(whole_t @ whole_v.T),
            "heat": rollout(head, local_v2.flatten(1, 2), words[:1], mask[:1]),
        }
    return golden, outputs


@pytest.mark.parametrize("kind", ["linear", "gated"])
def test_names_and_shapes_are_those_of_the_reference(facts, kind) -> None:
    assert shapes(on_clip(kind == "gated")) == table(facts, f"global_local_clip_{kind}")


@pytest.mark.parametrize(
    "name",
    [
        "local_video",
        "local_text",
        "pair_score",
        "global_video",
        "global_text",
        "loss_local",
        "loss_global",
        "heat",
    ],
)
def test_outputs_are_those_of_the_reference(case, name) -> None:
    golden, outputs = case
    largest = np.abs(golden[name]).max()
    np.testing.assert_allclose(outputs[name].numpy(), golden[name], rtol=0, atol=1e-4 * largest)


def test_a_global_branch_started_from_mil_nce_scores_as_it_does() -> None:
    s3d = fill(S3D(rows=12))
    head = GlobalLocalHead(CELL_WIDTH, WORD_WIDTH, video=CELL_WIDTH, text=WORD_WIDTH)
    start_from_mil_nce(head, s3d.state_dict())
    video, ids = torch.rand(3, 3, 8, 32, 32), torch.tensor([[1, 4, 0], [2, 0, 0]])
    with torch.inference_mode():
        expected = s3d(video) @ s3d.text_module(ids).T
        cells = s3d.feature_map(video).mean(dim=(2, 3, 4))
        texts = s3d.text_module.word_vectors(ids).amax(dim=1)
        found = head.global_video(cells) @ head.global_text(texts).T
    assert expected.std() > 0
    assert torch.equal(found, expected)


def small(gated: bool = False) -> GlobalLocalHead:
    """A head whose widths all differ."""
    return GlobalLocalHead(6, 5, video=7, text=8, gated=gated)


def save(state: State, folder: Path) -> Path:
    torch.save(state, folder / "GroundingWeights.pth.tar")
    return folder / "GroundingWeights.pth.tar"


def same_everywhere(model: torch.nn.Module, state: State) -> bool:
    loaded = model.state_dict()
    return loaded.keys() == state.keys() and all(
        torch.equal(value, state[name]) for name, value in loaded.items()
    )


def on_s3d(gated: bool) -> State:
    """CoMMA with a short dictionary, and the global branch."""
    head = GlobalLocalHead(CELL_WIDTH, WORD_WIDTH, video=CELL_WIDTH, text=WORD_WIDTH, gated=gated)
    return filled([*shapes(Comma(rows=6)), *shapes(head)])


@pytest.mark.parametrize("kind", ["linear", "gated"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_published_head_is_loaded(facts, tmp_path, kind, wrapped) -> None:
    state = filled(table(facts, f"global_local_clip_{kind}"))
    named = {f"module.{name}": value for name, value in state.items()}
    stored = {"epoch": 9, "state_dict": named, "optimizer": {}, "scheduler": {}}
    head = load_global_local_head(save(stored if wrapped else named, tmp_path))
    assert len(head.state_dict()) == (20 if kind == "gated" else 16)
    assert same_everywhere(head, state)
    assert not head.training
    assert not any(value.requires_grad for value in head.parameters())


@pytest.mark.parametrize("gated", [True, False])
def test_a_head_takes_its_widths_from_the_file(tmp_path, gated) -> None:
    state = filled(shapes(small(gated)))
    assert same_everywhere(load_global_local_head(save(state, tmp_path)), state)


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "half gated"])
def test_what_does_not_fit_is_listed(tmp_path, change) -> None:
    state = filled(shapes(small()))
    if change == "missing":
        del state["sa_layer.vis_attn_mat.in_proj_weight"], state["lang_proj_mat_g.0.bias"]
        reason = (
            r"lacks 2 entries: sa_layer\.vis_attn_mat\.in_proj_weight, lang_proj_mat_g\.0\.bias"
        )
    elif change == "extra":
        state["sa_layer.sa_layer.attn_mat.in_proj_bias"] = torch.zeros(3)
        reason = r"beyond this model, 1 entry: sa_layer\.sa_layer\.attn_mat\.in_proj_bias"
    elif change == "shape":
        state["vis_proj_mat.0.bias"] = torch.zeros(3)
        reason = r"vis_proj_mat\.0\.bias 3 for 512"
    else:
        other = filled(shapes(small(gated=True)))
        state = {name: x for name, x in state.items() if not name.startswith("vis_proj_mat_g")}
        state |= {name: x for name, x in other.items() if name.startswith("vis_proj_mat_g")}
        reason = r"lacks 4 entries: lang_proj_mat_g\.fc\.weight"
    with pytest.raises(InputError, match=reason):
        load_global_local_head(save(state, tmp_path))


def test_weights_without_a_branch_are_refused(tmp_path) -> None:
    head = save(filled(shapes(CrossAttentionHead(6, 5))), tmp_path)
    with pytest.raises(InputError, match="the global branch is missing"):
        load_global_local_head(head)
    comma = save(filled(shapes(Comma(rows=6))), tmp_path)
    with pytest.raises(InputError, match="the global branch is missing"):
        load_global_local_s3d(comma)
    s3d = save(filled(shapes(S3D(rows=6))), tmp_path)
    with pytest.raises(InputError, match="the local branch is missing"):
        load_global_local_s3d(s3d)
    with pytest.raises(InputError, match="not a checkpoint of S3D"):
        load_global_local_s3d(save(filled(shapes(small())), tmp_path))


@pytest.mark.parametrize("gated", [True, False])
def test_a_checkpoint_on_s3d_is_loaded(tmp_path, gated) -> None:
    state = on_s3d(gated)
    stored = {"state_dict": {f"module.{name}": value for name, value in state.items()}}
    model = load_global_local_s3d(save(stored, tmp_path))
    assert not model.training
    assert same_everywhere(model, state)


def test_a_network_on_s3d_has_the_branches_of_comma_and_of_mil_nce() -> None:
    assert shapes(GlobalLocalS3D(6))[: len(shapes(Comma(6)))] == shapes(Comma(6))
    assert dict(shapes(GlobalLocalS3D(6))).items() >= {
        ("vis_proj_mat_g.0.weight", (512, 1024)),
        ("lang_proj_mat_g.0.weight", (512, 2048)),
    }


def described(head: GlobalLocalHead, regions, words, mask):
    """The heat of one video and one text, step by step, with torch's attention."""

    def own(name, x, mask=None):
        attention = torch.nn.MultiheadAttention(512, 1, batch_first=True).double().eval()
        attention.load_state_dict(head.sa_layer.get_submodule(name).state_dict())
        mask = None if mask is None else ~mask[None]
        taken, weights = attention(x[None], x[None], x[None], key_padding_mask=mask)
        return taken[0], weights[0]

    def cosines(a, b):
        norms = [(x * x).sum(dim=1).sqrt() for x in (a, b)]
        return (a[:, None] * b[None]).sum(dim=-1) / (norms[0][:, None] * norms[1][None])

    v, t = head.vis_proj_mat(regions), head.lang_proj_mat(words)
    similarity = cosines(v, t)
    to_regions = similarity.T.softmax(dim=1)
    to_words = similarity.masked_fill(~mask, -torch.inf).softmax(dim=1)
    v1, _ = own("vis_attn_mat", to_words @ t)
    t1, between = own("text_attn_mat", to_regions @ v, mask)
    last = cosines(v1, t1).masked_fill(~mask, -torch.inf).softmax(dim=1)
    return (last @ between @ to_regions).mean(dim=0)


def test_the_rollout_that_the_paper_describes_is_that_of_the_slow_form() -> None:
    head = fill(small()).double()
    generator = torch.Generator().manual_seed(7)
    regions = 3 * torch.randn(3, 10, 6, generator=generator, dtype=torch.float64)
    words = 3 * torch.randn(1, 4, 5, generator=generator, dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False]])
    with torch.no_grad():
        # Without this, all words get nearly the same vector, whatever the regions attend to.
        for attention in (head.sa_layer.vis_attn_mat, head.sa_layer.text_attn_mat):
            attention.in_proj_weight.mul_(8)
        heat = rollout(head, regions, words, mask, "paper")
        expected = torch.stack([described(head, one, words[0], mask[0]) for one in regions])
        torch.testing.assert_close(heat, expected, rtol=1e-10, atol=0)
        torch.testing.assert_close(heat.sum(dim=1), torch.ones(3, dtype=torch.float64))
        words[0, 3] = 9
        torch.testing.assert_close(rollout(head, regions, words, mask, "paper"), heat)
        # Longer vectors after the projection change the dot product, not the cosine.
        head.vis_proj_mat[0].bias.zero_()
        head.sa_layer.vis_attn_mat.in_proj_weight.zero_()
        head.sa_layer.text_attn_mat.in_proj_weight.zero_()
        for variant, alike in (("paper", True), ("official", False)):
            one, longer = (
                rollout(head, scale * regions, words, mask, variant) for scale in (1, sqrt(3))
            )
            assert torch.allclose(one, longer) is alike
