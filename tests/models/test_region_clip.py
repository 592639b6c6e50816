"""RegionCLIP: the reference outputs, the published layouts, and texts."""

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models import prompts
from gytbench.models.clip_resnet import ModifiedResNet
from gytbench.models.clip_tokens import tokenize
from gytbench.models.region_clip import RegionClip, load_region_clip, text_embeddings
from gytbench.models.roi_align import roi_align
from tests.models.clips import small_resnet
from tests.models.filling import filled, shapes, table
from tests.models.regions import (
    small_clip_state,
    small_region_clip_state,
    written_region_clip,
)

SIZES = {
    "rn50": {"width": 64, "layers": (3, 4, 6, 3), "grid": 7, "embedding": 1024},
    "rn50x4": {"width": 80, "layers": (4, 6, 10, 6), "grid": 9, "embedding": 640},
}


@pytest.mark.parametrize("name", SIZES)
def test_names_and_shapes_are_the_published_ones(facts, name):
    with torch.device("meta"):
        model = RegionClip(ModifiedResNet(**SIZES[name]))
    assert shapes(model) == table(facts, f"regionclip_{name}_recognition")


@pytest.mark.parametrize("name", SIZES)
def test_it_computes_the_reference_outputs(facts, name):
    with torch.device("meta"):
        model = RegionClip(ModifiedResNet(**SIZES[name])).eval()
    model.load_state_dict(filled(table(facts, f"regionclip_{name}_recognition")), assign=True)
    drawn = np.random.Generator(np.random.PCG64(6)).standard_normal((1, 3, 224, 320))
    with np.load(facts / "golden" / f"regionclip_{name}.npz") as golden, torch.inference_mode():
        image_map = model.image_map(torch.from_numpy(drawn).float()[0])
        found = {
            "res4_mean": image_map.mean(dim=(1, 2))[None],
            "region_features": model.region_features(image_map, torch.from_numpy(golden["boxes"])),
        }
        for output, values in found.items():
            expected = golden[output]
            assert np.abs(values.numpy() - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return load_region_clip(written_region_clip(tmp_path_factory.mktemp("small") / "rc.pth"))


def test_regions_are_embedded_some_at_a_time(loaded):
    """However many there are, each is what it is alone; and none of none."""
    model, _ = loaded
    random = torch.Generator().manual_seed(0)
    corners = torch.rand(40, 2, 2, generator=random) * 96
    boxes = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
    with torch.inference_mode():
        image_map = model.image_map(torch.randn(3, 96, 96, generator=random))
        found = model.region_features(image_map, boxes)
        alone = torch.cat([model.region_features(image_map, box[None]) for box in boxes])
        none = model.region_features(image_map, boxes[:0])
    assert image_map.shape == (256, 6, 6)
    assert found.shape == (40, 32)
    assert (found - alone).abs().max() < 1e-4 * alone.abs().max()
    assert none.shape == (0, 32)


def test_a_region_is_aligned_then_seen_by_the_last_stage(loaded):
    model, _ = loaded
    boxes = torch.tensor([[0.0, 0, 96, 96], [20, 10, 60, 90]])
    with torch.inference_mode():
        image_map = model.image_map(torch.randn(3, 96, 96))
        crops = roi_align(image_map, boxes, 4, 1 / 16)
        expected = model.backbone.attnpool(model.backbone.layer4(crops))
        assert torch.equal(model.region_features(image_map, boxes), expected)


@pytest.mark.parametrize("templates", [prompts.PLAIN, prompts.REGION_CLIP, ("{} {}", "a {}.")])
def test_a_text_is_the_mean_of_its_sentences(loaded, templates):
    """As the text tower of CLIP embeds them, before any is made a unit vector."""
    _, tower = loaded
    reference = small_resnet()
    queries = ["crack egg", "stir"]
    with torch.inference_mode():
        found = text_embeddings(tower, queries, templates)
        for row, query in zip(found, queries, strict=True):
            texts = [template.replace("{}", query) for template in templates]
            expected = reference.encode_text(tokenize(texts)).text.mean(dim=0)
            assert (row - expected).abs().max() < 1e-5 * expected.abs().max()


def test_many_texts_are_embedded_some_at_a_time(loaded):
    _, tower = loaded
    queries = [f"step {number}" for number in range(150)]
    with torch.inference_mode():
        found = text_embeddings(tower, queries, prompts.PLAIN)
        alone = text_embeddings(tower, queries[140:141], prompts.PLAIN)
    assert found.shape == (150, 32)
    assert (found[140] - alone[0]).abs().max() < 1e-5


def test_there_are_81_sentences():
    assert len(set(prompts.REGION_CLIP)) == 81
    assert all(each.count("{}") == 1 for each in prompts.REGION_CLIP)


BESIDE = {
    "offline_backbone.fpn_lateral2.bias": torch.zeros(3),
    "offline_proposal_generator.rpn_head.conv.bias": torch.zeros(3),
    "roi_heads.box_predictor.cls_score.weight": torch.zeros(3, 3),
    "teacher_backbone.conv1.weight": torch.zeros(3),
    "proposal_generator.rpn_head.conv.bias": torch.zeros(3),
    "backbone.bn1.num_batches_tracked": torch.zeros((), dtype=torch.long),
    "pixel_mean": torch.zeros(3, 1, 1),
}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"model": state, "iteration": 9, "optimizer": {}},
        lambda state: state,
        lambda state: {"model": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {"state_dict": {f"model.{name}": value for name, value in state.items()}},
        lambda state: {"model": {name: value.half() for name, value in state.items()}},
        lambda state: {"model": state | BESIDE},
    ],
    ids=["detectron2", "bare", "module", "model", "half", "beside"],
)
def test_the_published_layouts_are_read(loaded, tmp_path, wrapped):
    path = tmp_path / "rc.pth"
    torch.save(wrapped(small_region_clip_state()), path)
    model, tower = load_region_clip(path)
    expected, expected_tower = loaded
    for found, own in ((model, expected), (tower, expected_tower)):
        for name, value in own.state_dict().items():
            twin = found.state_dict()[name]
            assert twin.dtype == value.dtype
            assert (twin - value).abs().max() <= 1e-3 * value.abs().max()


def test_texts_of_clips_own_file(loaded, tmp_path):
    path = written_region_clip(tmp_path / "rc.pth", small_region_clip_state(texts=False))
    with pytest.raises(InputError, match=r"has no text tower .* --file text=PATH"):
        load_region_clip(path)
    torch.save(small_clip_state(), tmp_path / "RN.pt")
    _, tower = load_region_clip(path, tmp_path / "RN.pt")
    with torch.inference_mode():
        found, expected = (text_embeddings(each, ["egg"], ["{}"]) for each in (tower, loaded[1]))
    assert torch.equal(found, expected)


def test_half_precision_is_near(loaded, tmp_path):
    model, tower = load_region_clip(written_region_clip(tmp_path / "rc.pth"), half=True)
    pixels, boxes = torch.randn(3, 64, 64), torch.tensor([[3.0, 4, 40, 60]])
    with torch.inference_mode():
        found = [each.region_features(each.image_map(pixels), boxes) for each in (model, loaded[0])]
        found += [text_embeddings(each, ["egg"], ["{}"]) for each in (tower, loaded[1])]
    for half, whole in (found[:2], found[2:]):
        assert half.dtype == torch.float32
        assert 0 < (half - whole).abs().max() < 0.02 * whole.abs().max()


def _without(name):
    return lambda state: state.pop(name)


def _shaped(name, *shape):
    return lambda state: state.update({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("backbone.layer1.0.conv1.weight"), "lacks backbone.layer1.0.conv1.weight"),
        (_without("backbone.attnpool.c_proj.weight"), "lacks backbone.attnpool.c_proj.weight"),
        (_without("backbone.layer4.1.bn2.bias"), "lacks 1 entry: backbone.layer4.1.bn2.bias"),
        (_without("lang_encoder.text_projection"), "lacks text_projection"),
        (_without("lang_encoder.ln_final.bias"), "lacks 1 entry: ln_final.bias"),
        (_shaped("backbone.extra", 3), "has, beyond this model, 1 entry: backbone.extra"),
        (_shaped("backbone.conv1.weight", 8, 3, 5, 5), "backbone.conv1.weight 8x3x5x5 for 8x3x3x3"),
        (_shaped("backbone.attnpool.positional_embedding", 7, 512), "7 positions"),
        (_shaped("backbone.layer1.0.conv1.weight", 16), "layer1.0.conv1.weight is 16"),
        (_shaped("lang_encoder.text_projection", 64, 48), "48 dimensions, the regions 32"),
        (_shaped("lang_encoder.token_embedding.weight", 49408, 60), "texts of width 60"),
    ],
)
def test_files_that_hold_another_network(tmp_path, change, message):
    state = small_region_clip_state()
    change(state)
    path = written_region_clip(tmp_path / "rc.pth", state)
    with pytest.raises(InputError) as caught:
        load_region_clip(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_checkpoint_of_another_system_is_named(tmp_path):
    torch.save(small_clip_state(), tmp_path / "RN.pt")
    with pytest.raises(InputError, match="looks like a checkpoint of CLIP, and lacks backbone"):
        load_region_clip(tmp_path / "RN.pt")


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="device abacus cannot be used"):
        load_region_clip(tmp_path / "rc.pth", device="abacus")
