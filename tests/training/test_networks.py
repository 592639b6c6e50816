"""Networks for training: they see what the adapter sees, and train what they are told to."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.global_local import GlobalLocalGrounder, GlobalLocalSettings
from gytbench.grounding.contract import Setup, Stretch
from gytbench.models.clip import load_clip
from gytbench.models.comma import Comma
from gytbench.models.cross_attention import pair_scores
from gytbench.models.global_local import (
    GlobalLocalHead,
    GlobalLocalS3D,
    load_global_local_head,
    load_global_local_s3d,
)
from gytbench.models.s3d import S3D, load_s3d
from gytbench.training.config import TrainingConfig
from gytbench.training.networks import ClipNetwork, Network, S3DNetwork, make_network
from gytbench.training.samples import Batch
from tests.models.clips import EMBEDDING, small_resnet, small_vit, written
from tests.models.filling import filled, shapes

WORDS = ["crack", "egg", "the", "whisk", "cream"]
TEXTS = ["crack egg", "whisk the cream"]
KINDS = {"vit": (small_vit, EMBEDDING), "resnet": (small_resnet, 512)}
"""The backbones, and how wide their regions are."""


def config(frames: int = 3, seed: int = 1, variant: str = "paper", **given) -> TrainingConfig:
    """A configuration with `given` in its model; `checkpoint_activations` goes where it belongs."""
    again = given.pop("checkpoint_activations", False)
    written_out = {
        "data": {"videos": "videos", "captions": "captions.csv", "frames": frames},
        "model": given,
        "optimisation": {"checkpoint_activations": again},
        "variant": variant,
        "seed": seed,
    }
    return msgspec.convert(written_out, TrainingConfig)


def small(kind: str, **sizes) -> dict:
    """A model section for the smallest backbone of a kind."""
    tiny = {"width": 16, "layers": [1, 1, 1, 1], "grid": 2}
    if kind == "vit":
        tiny = {"width": 64, "layers": [2], "grid": 2, "patch": 8}
    common = {"kind": kind, "embedding": 32, "text_width": 64, "text_layers": 1}
    return {"backbone": "small", "small": common | tiny | sizes}


def batch(size: int, frames: int = 3) -> Batch:
    """Two samples of noise, the last frame of the second outside its video."""
    drawn = np.random.default_rng(5).integers(0, 256, (2, frames, size, size, 3), dtype=np.uint8)
    present = np.ones((2, frames), bool)
    present[1, -1] = False
    drawn[1, -1] = 0
    return Batch(("a", "b"), tuple(TEXTS), present, drawn, {})


def step(network: Network, given: Batch) -> None:
    """One step of training by both branches."""
    trained = [each for each in network.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    loss(network, given).backward()
    optimizer.step()


def loss(network: Network, given: Batch) -> torch.Tensor:
    looked, texts = network.look(given), network.texts(given.texts)
    local = pair_scores(network.head, looked.regions.flatten(1, 2), texts.words, texts.mask)
    videos = network.head.global_video(looked.frames.mean(dim=1))
    scores = local / 100 + videos @ network.head.global_text(texts.whole).T
    return torch.nn.functional.cross_entropy(scores, torch.arange(2))


def bits(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(before: dict[str, torch.Tensor], module: torch.nn.Module) -> set[str]:
    after = module.state_dict()
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Both kinds of CLIP, and a head for each, linear and gated."""
    folder = tmp_path_factory.mktemp("weights")
    for kind, (make, regions) in KINDS.items():
        written(make(), folder / f"{kind}.pt")
        for gated in (False, True):
            head = GlobalLocalHead(regions, EMBEDDING, video=EMBEDDING, text=EMBEDDING, gated=gated)
            torch.save(
                filled(shapes(head)), folder / f"{kind}-{'gated' if gated else 'linear'}.pth"
            )
    return folder


# On CLIP


@pytest.mark.parametrize(
    ("kind", "gated", "variant"), [("vit", False, "paper"), ("resnet", True, "official")]
)
def test_what_is_trained_on_is_what_the_adapter_sees(folder, kind, gated, variant) -> None:
    head = f"{kind}-{'gated' if gated else 'linear'}.pth"
    model = {"weights": f"{kind}.pt", "head": head, "gated": gated}
    network = make_network(config(variant=variant, **model), folder, "cpu")
    given = batch(network.size)
    with torch.no_grad():
        looked, texts = network.look(given), network.texts(TEXTS)
        videos = network.head.global_video(looked.frames)
        times = videos @ network.head.global_text(texts.whole).T
        places = network.head.global_video(looked.cells) @ network.head.global_text(texts.whole)[0]
        pairs = pair_scores(network.head, looked.regions[1], texts.words, texts.mask, variant)
    system = GlobalLocalGrounder(
        GlobalLocalSettings(variant=variant, where="global"),
        Setup({"checkpoint": folder / head, "backbone": folder / f"{kind}.pt"}),
    )
    by_pairs = GlobalLocalGrounder(
        GlobalLocalSettings(variant=variant, when="local"),
        Setup({"checkpoint": folder / head, "backbone": folder / f"{kind}.pt"}),
    )
    for sample in range(2):
        features = system.encode(given.frames[sample][:, None])
        stretch = Stretch(features, range(3))
        frames = looked.frames[sample]
        np.testing.assert_allclose(features["global"][:, 0], frames, rtol=1e-4, atol=1e-5)
        regions = looked.regions[sample].half().numpy().reshape(features["cells"].shape)
        np.testing.assert_allclose(features["cells"], regions, rtol=2e-3, atol=1e-4)
        scores = system.frame_scores(stretch, TEXTS)
        np.testing.assert_allclose(scores, times[sample], rtol=1e-3, atol=1e-4)
        heat = system.heatmaps(stretch, TEXTS[0]).reshape(3, -1)
        np.testing.assert_allclose(heat, places[sample], atol=5e-3 * np.abs(heat).max())
    scores = by_pairs.frame_scores(stretch, TEXTS)
    np.testing.assert_allclose(scores, pairs, atol=5e-3 * np.abs(scores).max())
    np.testing.assert_array_equal(looked.present, given.present)


def test_whole_frames_and_the_cells_that_they_are_compared_with_are_of_one_space(folder) -> None:
    for kind, (_, width) in KINDS.items():
        network = make_network(config(weights=f"{kind}.pt"), folder, "cpu")
        looked = network.look(batch(network.size))
        assert looked.frames.shape == (2, 3, EMBEDDING)
        assert looked.cells.shape == (2, 3, network.clip.grid**2, EMBEDDING)
        assert looked.regions.shape == (2, 3, network.clip.grid**2, width)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_backbone_keeps_its_bits(folder, kind) -> None:
    network = make_network(config(weights=f"{kind}.pt"), folder, "cpu")
    assert network.train() is network
    assert not any(module.training for module in network.clip.modules())
    before, head = bits(network.clip), bits(network.head)
    step(network, batch(network.size))
    assert changed(before, network.clip) == set()
    assert changed(head, network.head) == set(head)
    assert set(network.files()) == {"head.pth.tar"}
    assert not network.look(batch(network.size)).regions.requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_a_finetuned_backbone_changes_wholly(folder, kind) -> None:
    network = make_network(config(weights=f"{kind}.pt", finetune=True), folder, "cpu")
    before = bits(network)
    step(network, batch(network.size))
    assert changed(before, network) == set(before) - {"clip.logit_scale"}
    network.eval()
    assert not any(module.training for module in network.modules())


def test_statistics_of_a_frozen_resnet_are_its_own(folder) -> None:
    """In train mode a frame looks the same whatever else is in the batch."""
    network = make_network(config(weights="resnet.pt"), folder, "cpu").train()
    finetuned = make_network(config(weights="resnet.pt", finetune=True), folder, "cpu")
    given = batch(network.size)
    alone = Batch(("a",), (TEXTS[0],), given.present[:1], given.frames[:1], {})
    whole = network.look(given).frames[:1]
    torch.testing.assert_close(network.look(alone).frames, whole, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(finetuned.eval().look(alone).frames, whole, rtol=1e-4, atol=1e-5)
    others = finetuned.train().look(given).frames[:1]
    assert not torch.allclose(finetuned.look(alone).frames, others, rtol=1e-2)


@pytest.mark.parametrize("kind", ["resnet", "vit"])
def test_computing_blocks_a_second_time_changes_nothing(kind) -> None:
    networks = [
        make_network(config(checkpoint_activations=again, **small(kind)), Path(), "cpu")
        for again in (False, True)
    ]
    given = batch(networks[0].size)
    for network in networks:
        loss(network, given).backward()
    for (name, value), other in zip(
        networks[0].named_parameters(), networks[1].parameters(), strict=True
    ):
        assert name == "clip.logit_scale" or torch.equal(value.grad, other.grad), name
    assert changed(networks[0].state_dict(), networks[1]) == set()


def test_blocks_are_computed_a_second_time_only_where_that_is_asked_for() -> None:
    calls = []
    for again in (False, True):
        network = make_network(config(checkpoint_activations=again, **small("vit")), Path(), "cpu")
        layer = network.clip.visual.transformer.resblocks[0].mlp.c_fc
        layer.register_forward_hook(lambda *_: calls.append(1))
        loss(network, batch(network.size)).backward()
        calls.append(0)
    assert calls == [1, 0, 1, 1, 0]


# Fresh weights


@pytest.mark.parametrize("kind", ["resnet", "vit"])
def test_fresh_weights_follow_from_the_seed_alone(kind) -> None:
    state = torch.get_rng_state()
    first = make_network(config(seed=3, **small(kind)), Path(), "cpu")
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    assert changed(bits(first), make_network(config(seed=3, **small(kind)), Path(), "cpu")) == set()
    other = changed(bits(first), make_network(config(seed=4, **small(kind)), Path(), "cpu"))
    assert {"head.vis_proj_mat.0.weight", "clip.token_embedding.weight"} <= other


@pytest.mark.parametrize("kind", ["resnet", "vit"])
def test_fresh_weights_tell_frames_and_texts_apart(kind) -> None:
    network = make_network(config(**small(kind)), Path(), "cpu")
    looked, texts = network.look(batch(network.size)), network.texts(TEXTS)
    for values in (looked.frames.flatten(0, 1), looked.regions[0, 0], texts.words[0], texts.whole):
        assert torch.isfinite(values).all()
        assert 1e-2 < values.norm(dim=-1).mean() < 1e3
        assert values.std(dim=0).mean() > 1e-3


@pytest.mark.parametrize("kind", ["resnet", "vit"])
def test_what_was_trained_from_scratch_goes_on_frozen_and_runs_in_the_adapter(
    tmp_path, kind
) -> None:
    network = make_network(config(gated=True, **small(kind)), tmp_path, "cpu")
    given = batch(network.size)
    step(network, given)
    for name, state in network.eval().files().items():
        torch.save({"state_dict": state}, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backbone.pt", "head.pth.tar"]
    frozen = make_network(
        config(weights="backbone.pt", head="head.pth.tar", gated=True), tmp_path, "cpu"
    )
    assert isinstance(frozen, ClipNetwork)
    assert not frozen.trained
    with torch.no_grad():
        for one, other in (
            (network.look(given), frozen.look(given)),
            (network.texts(TEXTS), frozen.texts(TEXTS)),
            (bits(network.head).values(), bits(frozen.head).values()),
        ):
            for mine, theirs in zip(one, other, strict=True):
                torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
    system = GlobalLocalGrounder(
        GlobalLocalSettings(),
        Setup({"checkpoint": tmp_path / "head.pth.tar", "backbone": tmp_path / "backbone.pt"}),
    )
    features = system.encode(given.frames[0][:, None])
    with torch.no_grad():
        expected = network.look(given).frames[0]
    np.testing.assert_allclose(features["global"][:, 0], expected, rtol=1e-4, atol=1e-5)


def test_published_files_are_those_of_the_weights_as_they_are(tmp_path, folder) -> None:
    network = make_network(config(weights="vit.pt", finetune=True), folder, "cpu")
    step(network, batch(network.size))
    for name, state in network.files().items():
        torch.save(state, tmp_path / name)
    assert changed(bits(load_clip(tmp_path / "backbone.pt")), network.clip) == set()
    assert changed(bits(load_global_local_head(tmp_path / "head.pth.tar")), network.head) == set()


@pytest.mark.parametrize(
    ("kind", "sizes", "reason"),
    [
        ("resnet", {"width": 15}, "small.width is 15, but a resnet's must be even"),
        ("resnet", {"layers": [1, 1]}, "layers are 2 numbers, but a resnet has 4"),
        ("vit", {"width": 80}, "width is 80.*give a multiple of 64"),
        ("vit", {"width": 1088}, "up to 1024"),
        ("vit", {"layers": [1, 1, 1, 1]}, "layers are 4 numbers, but a vit has 1"),
        ("vit", {"text_width": 100}, "text_width is 100.*give a multiple of 64"),
    ],
)
def test_sizes_that_no_clip_has_are_refused(kind, sizes, reason) -> None:
    with pytest.raises(InputError, match=reason):
        make_network(config(**small(kind, **sizes)), Path(), "cpu")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"weights": "absent.pt"}, "absent.pt: no such file"),
        ({"weights": "vit.pt", "head": "resnet-linear.pth"}, "regions of 512 dimensions"),
        ({"weights": "vit.pt", "head": "vit-gated.pth"}, "are gated: set model.gated: true"),
        ({"weights": "vit.pt", "head": "vit-linear.pth", "gated": True}, "model.gated: false"),
        ({"backbone": "s3d", "weights": "x"}, "model.dictionary is missing"),
        ({"backbone": "s3d", "weights": "x", "dictionary": "y"}, "frames is 3.*multiple of 8"),
    ],
)
def test_what_does_not_go_together_is_refused(folder, given, reason) -> None:
    with pytest.raises(InputError, match=reason):
        make_network(config(**given), folder, "cpu")


def test_a_device_that_is_not_there_is_refused(folder) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        make_network(config(weights="vit.pt"), folder, "cuda:77")


# On S3D


@pytest.fixture(scope="module")
def s3d(tmp_path_factory) -> Path:
    """Weights of MIL-NCE, of CoMMA and of a whole model, and their words."""
    folder = tmp_path_factory.mktemp("s3d")
    np.save(folder / "dict.npy", np.array(WORDS))
    models = {
        "mil_nce": S3D(6),
        "comma": Comma(6),
        "whole": GlobalLocalS3D(6),
        "gated": GlobalLocalS3D(6, gated=True),
    }
    for name, model in models.items():
        torch.save(filled(shapes(model)), folder / f"{name}.pth")
    return folder


def on_s3d(folder: Path, weights: str = "mil_nce", **given) -> S3DNetwork:
    model = {"backbone": "s3d", "weights": f"{weights}.pth", "dictionary": "dict.npy", **given}
    network = make_network(config(frames=16, **model), folder, "cpu")
    assert isinstance(network, S3DNetwork)
    return network


def test_started_from_mil_nce_the_global_branch_has_its_scores(s3d) -> None:
    network, reference = on_s3d(s3d), load_s3d(s3d / "mil_nce.pth")
    given = batch(32, frames=16)
    with torch.no_grad():
        looked, texts = network.look(given), network.texts([*TEXTS, "fry onions"])
        clips = torch.from_numpy(given.frames).permute(0, 4, 1, 2, 3) / 255
        torch.testing.assert_close(
            network.head.global_video(looked.frames.mean(dim=1)), reference(clips)
        )
        ids = torch.zeros(3, 20, dtype=torch.long)
        ids[0, :2], ids[1, :3] = torch.tensor([1, 2]), torch.tensor([4, 3, 5])
        torch.testing.assert_close(
            network.head.global_text(texts.whole), reference.text_module(ids)
        )
    assert texts.mask.sum(dim=1).tolist() == [2, 3, 1]
    assert looked.frames.shape == (2, 2, 1024)
    assert looked.regions.shape == looked.cells.shape == (2, 2, 1, 1024)
    assert looked.present.tolist() == [[True, True], [True, True]]
    given.present[0, 8] = False
    assert network.look(given).present.tolist() == [[True, False], [True, True]]


def test_started_from_comma_the_local_branch_is_its_own(s3d) -> None:
    network = on_s3d(s3d, "comma")
    stored = torch.load(s3d / "comma.pth", weights_only=True)
    differ = changed(stored, network.head)
    assert differ == set()
    drawn = {name for name in network.head.state_dict() if name not in stored}
    assert {name.partition(".")[0] for name in drawn} == {"vis_proj_mat_g", "lang_proj_mat_g"}
    assert changed(bits(network.head), on_s3d(s3d, "comma").head) == set()


def test_a_whole_model_goes_on_and_is_published_whole(s3d, tmp_path) -> None:
    network = on_s3d(s3d, "whole")
    assert changed(torch.load(s3d / "whole.pth", weights_only=True), network.head) == set()
    before = bits(network.head)
    assert not network.train().head.mixed_5c.training
    step(network, batch(32, frames=16))
    trained = {name.partition(".")[0] for name in changed(before, network.head)}
    head = {"vis_proj_mat", "lang_proj_mat", "sa_layer", "vis_proj_mat_g", "lang_proj_mat_g"}
    assert trained == head
    ((name, state),) = network.files().items()
    torch.save({"state_dict": state}, tmp_path / name)
    assert name == "model.pth.tar"
    assert changed(bits(load_global_local_s3d(tmp_path / name)), network.head) == set()


def test_finetuning_s3d_leaves_the_table_of_words(s3d) -> None:
    network = on_s3d(s3d, finetune=True)
    assert network.train().head.mixed_5c.training
    before = bits(network.head)
    # Frames of 64 pixels have four cells, so that batch statistics are of several.
    step(network, batch(64, frames=16))
    same = set(before) - changed(before, network.head)
    assert same == {"text_module.word_embd.weight"}


def test_s3d_knows_the_words_of_its_dictionary_and_clip_any(s3d, folder) -> None:
    network = on_s3d(s3d)
    assert [network.knows(text) for text in ("fry the onions", "onions", "Egg")] == [
        True, False, False,
    ]  # fmt: skip
    clip = make_network(config(weights="vit.pt"), folder, "cpu")
    assert clip.knows("onions")


def test_a_gated_s3d_is_told_apart(s3d) -> None:
    assert "vis_proj_mat_g.cg.fc.weight" in on_s3d(s3d, "gated", gated=True).head.state_dict()
    with pytest.raises(InputError, match=r"are gated: set model\.gated: true"):
        on_s3d(s3d, "gated")


def test_a_head_of_its_own_takes_the_place_of_that_of_s3d(s3d) -> None:
    head = GlobalLocalHead(1024, 2048, video=1024, text=2048)
    torch.save(filled(shapes(head)), s3d / "head.pth")
    network = on_s3d(s3d, head="head.pth")
    assert changed(torch.load(s3d / "head.pth", weights_only=True), network.head) == set()


def test_other_weights_than_those_of_s3d_are_refused(s3d) -> None:
    written(small_vit(), s3d / "clip.pth")
    with pytest.raises(InputError, match="not a checkpoint of S3D"):
        on_s3d(s3d, "clip")
    state = filled(shapes(S3D(6)))
    del state["mixed_5c.conv_b0.conv1.weight"]
    torch.save(state, s3d / "cut.pth")
    with pytest.raises(InputError, match=r"lacks 1 entry: mixed_5c\.conv_b0"):
        on_s3d(s3d, "cut")
