import sys
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models import clip
from gytbench.models.checkpoints import load_strict
from gytbench.models.clip import Clip, load_clip
from gytbench.models.clip_resnet import ModifiedResNet
from gytbench.models.clip_tokens import tokenize, tokenizer
from tests.models.clips import EMBEDDING, as_hugging_face, small_resnet, small_vit, written
from tests.models.filling import filled, shapes, table


@pytest.fixture(scope="module")
def vit() -> Clip:
    return small_vit()


@pytest.fixture(scope="module")
def resnet() -> Clip:
    return small_resnet()


def images(model: Clip, count: int = 3) -> torch.Tensor:
    drawn = np.random.default_rng(5).standard_normal((count, 3, model.size, model.size))
    return torch.tensor(drawn, dtype=torch.float32)


def draw(seed: int, how: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The input of a reference output."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(getattr(generator, how)(shape).astype(np.float32))


def close(found: torch.Tensor, expected, tolerance: float) -> None:
    """Equal up to a share of the largest value."""
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found.numpy() - expected).max() <= tolerance * np.abs(expected).max()


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(key.removeprefix("backbone."), pattern) for pattern in patterns)


def state_of(folder: Path, model: Clip) -> dict[str, torch.Tensor]:
    return load_clip(written(model, folder / "clip.pt")).state_dict()


def test_equals_the_reference_outputs_of_vit_b_32(facts, monkeypatch):
    names = table(facts, "clip_vitb32")
    # Written to a file it would have 600 MB.
    monkeypatch.setattr(clip, "read_checkpoint", lambda _: filled(names))
    model = load_clip(Path("ViT-B-32.pt"))
    assert sorted(shapes(model)) == sorted(names)
    assert (model.size, model.grid, model.width, model.context) == (224, 7, 512, 77)
    golden = np.load(facts / "golden/clip_vitb32.npz", allow_pickle=False)
    with torch.inference_mode():
        image, tokens = model.encode_image(draw(4, "random", (2, 3, 224, 224)))
        text = model.encode_text(torch.from_numpy(golden["text_ids"]).long())
    close(image, golden["image_global"], 1e-4)
    close(tokens[:, :, :128], golden["image_tokens"], 1e-4)
    close(text.text, golden["text_global"], 1e-4)
    close(text.tokens[:, :, :128], golden["text_tokens"], 1e-4)


@pytest.mark.parametrize(
    ("name", "width", "layers", "grid", "embedding"),
    [("rn50", 64, (3, 4, 6, 3), 7, 1024), ("rn50x4", 80, (4, 6, 10, 6), 9, 640)],
)
def test_equals_the_reference_maps_of_the_resnets(facts, name, width, layers, grid, embedding):
    names = table(facts, f"regionclip_{name}_recognition")
    with torch.device("meta"):
        network = ModifiedResNet(width=width, layers=layers, grid=grid, embedding=embedding)
    assert sorted((f"backbone.{key}", shape) for key, shape in shapes(network)) == sorted(names)
    # The reference ends with layer3; what comes after is most of the weights.
    after = ("layer4.*", "attnpool.*")
    used = filled((key, shape) for key, shape in names if not _matches(key, after))
    state = {key.removeprefix("backbone."): value for key, value in used.items()}
    load_strict(network, state, name, optional=after)
    golden = np.load(facts / f"golden/regionclip_{name}.npz", allow_pickle=False)
    with torch.inference_mode():
        found = network.stem_to_layer3(draw(6, "standard_normal", (1, 3, 224, 320)))
    close(found.mean(dim=(2, 3)), golden["res4_mean"], 1e-4)


def test_equals_the_clip_of_transformers(tmp_path):
    from transformers import CLIPConfig, CLIPModel

    side = {"num_hidden_layers": 2, "intermediate_size": 512, "hidden_size": 128}
    config = CLIPConfig(
        text_config=side | {"num_attention_heads": 2, "vocab_size": 49408},
        vision_config=side | {"num_attention_heads": 2, "image_size": 48, "patch_size": 16},
        projection_dim=EMBEDDING,
    )
    torch.manual_seed(0)
    theirs = CLIPModel(config).eval()
    ours = load_clip(written(theirs, tmp_path / "hf.bin"))
    pixels, ids = images(ours), tokenize(["crack an egg", "whisk the cream until stiff"])
    with torch.inference_mode():
        image, cells = ours.encode_image(pixels)
        text = ours.encode_text(ids)
        seen = theirs.vision_model(pixels).last_hidden_state
        seen = theirs.visual_projection(theirs.vision_model.post_layernorm(seen))
        read = theirs.text_projection(theirs.text_model(ids).last_hidden_state)
        pooled = theirs.text_projection(theirs.text_model(ids).pooler_output)
    close(image, seen[:, 0], 1e-5)
    close(cells, seen[:, 1:], 1e-5)
    close(text.text, pooled, 1e-5)
    close(text.tokens, read[:, 1:21], 1e-5)


def test_hugging_face_names_give_the_same_weights(vit, tmp_path):
    torch.save(as_hugging_face(vit.state_dict()), tmp_path / "hf.bin")
    loaded = load_clip(tmp_path / "hf.bin").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in vit.state_dict().items())


@pytest.mark.parametrize("make", [small_vit, small_resnet])
def test_the_network_is_built_as_the_shapes_say(make, tmp_path):
    model = make()
    loaded = state_of(tmp_path, model)
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())


def test_statistics_of_training_and_stored_facts_are_let_be(resnet, tmp_path):
    state = resnet.state_dict() | {
        "visual.bn1.num_batches_tracked": torch.tensor(7),
        "input_resolution": torch.tensor(64),
        "context_length": torch.tensor(77),
        "vocab_size": torch.tensor(49408),
    }
    torch.save({"state_dict": state}, tmp_path / "clip.pt")
    assert load_clip(tmp_path / "clip.pt").size == 64


def test_text_tokens_are_projected_and_masked_before_the_end(vit):
    ids = tokenize(["a photo of a cat", "", " ".join(["egg"] * 30)])
    with torch.inference_mode():
        found = vit.encode_text(ids)
        x = vit.token_embedding(ids) + vit.positional_embedding
        projected = vit.ln_final(vit.transformer(x, causal=True)) @ vit.text_projection
    assert found.mask.sum(dim=1).tolist() == [5, 0, 20]
    assert found.mask[0, :5].all()
    close(found.tokens, projected[:, 1:21], 1e-6)
    ends = torch.stack([projected[0, 6], projected[1, 1], projected[2, 31]])
    close(found.text, ends, 1e-6)


def test_a_text_depends_on_nothing_after_its_end(vit):
    ids = tokenize(["crack an egg"])
    other = ids.clone()
    other[0, 10:] = 300
    with torch.inference_mode():
        assert torch.equal(vit.encode_text(ids).text, vit.encode_text(other).text)


@pytest.mark.parametrize("cells", ["tokens", "maskclip"])
def test_an_image_does_not_depend_on_its_batch(vit, cells):
    pixels = images(vit)
    with torch.inference_mode():
        together = vit.encode_image(pixels, cells)
        alone = [vit.encode_image(pixels[i : i + 1], cells) for i in range(3)]
    for k in (0, 1):
        close(torch.cat([each[k] for each in alone]), together[k], 1e-5)


def test_maskclip_of_a_vit_is_the_value_of_each_token_alone(vit):
    block, visual = vit.visual.transformer.resblocks[-1], vit.visual
    with torch.inference_mode():
        _, found = vit.encode_image(images(vit, 1), "maskclip")
        trunk = visual.trunk(images(vit, 1))[0]
        for cell in range(9):
            x = trunk[1 + cell]
            value = block.attn.in_proj_weight[256:] @ block.ln_1(x) + block.attn.in_proj_bias[256:]
            x = x + block.attn.out_proj.weight @ value + block.attn.out_proj.bias
            x = x + block.mlp(block.ln_2(x))
            close(found[0, cell], visual.ln_post(x) @ visual.proj, 1e-5)


def test_maskclip_of_a_resnet_is_two_convolutions_of_the_last_map(resnet):
    pool = resnet.visual.attnpool
    conv = torch.nn.functional.conv2d
    with torch.inference_mode():
        image, found = resnet.encode_image(images(resnet), "maskclip")
        last = resnet.visual.layer4(resnet.visual.stem_to_layer3(images(resnet)))
        value = conv(last, pool.v_proj.weight[:, :, None, None], pool.v_proj.bias)
        cells = conv(value, pool.c_proj.weight[:, :, None, None], pool.c_proj.bias)
        close(image, pool(last), 1e-5)
    for row in range(2):
        for column in range(2):
            close(found[:, 2 * row + column], cells[:, :, row, column], 1e-5)


def test_the_pool_of_a_resnet_is_attention_from_the_mean(resnet):
    pool = resnet.visual.attnpool
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 512, 2, 2))).float()
    cells = x.flatten(2).transpose(1, 2)
    tokens = torch.cat([cells.mean(1, keepdim=True), cells], 1) + pool.positional_embedding
    expected, _ = torch.nn.functional.multi_head_attention_forward(
        tokens[:, :1].transpose(0, 1), tokens.transpose(0, 1), tokens.transpose(0, 1),
        512, 8, None,
        torch.cat([pool.q_proj.bias, pool.k_proj.bias, pool.v_proj.bias]), None, None, False, 0.0,
        pool.c_proj.weight, pool.c_proj.bias, use_separate_proj_weight=True,
        q_proj_weight=pool.q_proj.weight, k_proj_weight=pool.k_proj.weight,
        v_proj_weight=pool.v_proj.weight, training=False, need_weights=False,
    )  # fmt: skip
    close(pool(x), expected[0], 1e-5)


@pytest.mark.parametrize("make", [small_vit, small_resnet])
def test_grad_cam_is_that_of_the_whole_network(make):
    model, kept = make(), []
    visual = model.visual
    is_vit = not isinstance(visual, ModifiedResNet)
    where = visual.transformer.resblocks[-1].ln_1 if is_vit else visual.layer4
    with torch.inference_mode():
        trunk = model.trunk(images(model))
        text = model.encode_text(tokenize(["crack an egg"])).text[0]
        found = model.gradient_map(trunk, text)
    hook = where.register_forward_hook(lambda _module, _input, output: kept.append(output))
    pixels = images(model).requires_grad_()
    trunk = model.trunk(pixels)
    image = visual.tokens(trunk)[:, 0] if is_vit else visual.attnpool(trunk)
    hook.remove()
    score = torch.cosine_similarity(image, text.clone()[None]).sum()
    (gradient,) = torch.autograd.grad(score, kept[0])
    at = kept[0].detach()
    if is_vit:
        gradient, at = gradient[:, 1:], at[:, 1:]
        weighted = (gradient.mean(dim=1, keepdim=True) * at).sum(dim=2).reshape(3, 3, 3)
    else:
        weighted = (gradient.mean(dim=(2, 3), keepdim=True) * at).sum(dim=1)
    assert (weighted > 0).any()
    close(found, weighted.clamp(min=0), 1e-4)


def test_the_activation_is_a_matter_of_choice(vit, tmp_path):
    path = written(vit, tmp_path / "clip.pt")
    quick, exact = load_clip(path), load_clip(path, activation="gelu")
    with torch.inference_mode():
        differing = quick.encode_image(images(vit))[0] - exact.encode_image(images(vit))[0]
    assert 1e-4 < differing.abs().max() < 0.5


def test_half_precision_is_near(vit, tmp_path):
    half = load_clip(written(vit, tmp_path / "clip.pt"), half=True)
    assert half.visual.proj.dtype == torch.float16
    with torch.inference_mode():
        image, cells = half.encode_image(images(vit))
        expected = vit.encode_image(images(vit))
    assert image.dtype == cells.dtype == torch.float32
    close(image, expected[0], 0.02)
    close(cells, expected[1], 0.02)


def test_a_resnet_has_no_tokens(resnet):
    with pytest.raises(InputError, match="maskclip or gradcam"):
        resnet.encode_image(images(resnet))


def _without(name):
    return lambda state: state.pop(name)


def _shaped(name, *shape):
    return lambda state: state.update({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("token_embedding.weight"), "not a CLIP checkpoint: lacks token_embedding"),
        (_without("visual.conv1.weight"), "not a CLIP checkpoint: lacks visual.conv1.weight"),
        (_without("visual.ln_post.bias"), "lacks 1 entry: visual.ln_post.bias"),
        (_without("transformer.resblocks.0.ln_1.bias"), "transformer.resblocks.0.ln_1.bias"),
        (_shaped("visual.extra", 3), "has, beyond this model, 1 entry: visual.extra"),
        (_shaped("visual.proj", 128, 16), "visual.proj 128x16 for 128x32"),
        (_shaped("visual.positional_embedding", 9, 128), "visual.positional_embedding is 9x128"),
        (_shaped("visual.conv1.weight", 96, 3, 16, 16), "visual.conv1.weight is 96x3x16x16"),
        (_shaped("visual.conv1.weight", 1280, 3, 14, 14), "conv1.weight is 1280x3x14x14"),
        (_shaped("text_projection", 64), "text_projection is 64"),
    ],
)
def test_files_that_hold_another_network(vit, tmp_path, change, message):
    state = dict(vit.state_dict())
    change(state)
    torch.save(state, tmp_path / "clip.pt")
    with pytest.raises(InputError) as caught:
        load_clip(tmp_path / "clip.pt")
    assert message in str(caught.value)
    assert str(tmp_path / "clip.pt") in str(caught.value)


def test_hugging_face_attentions_that_do_not_fit_together(vit, tmp_path):
    state = as_hugging_face(vit.state_dict())
    key = "text_model.encoder.layers.0.self_attn.k_proj.weight"
    torch.save(state | {key: torch.zeros(3, 3)}, tmp_path / "hf.bin")
    with pytest.raises(InputError, match="differ in shape"):
        load_clip(tmp_path / "hf.bin")
    del state[key]
    torch.save(state, tmp_path / "hf.bin")
    with pytest.raises(InputError, match=r"lacks .*resblocks\.0\.attn\.k_proj\.weight"):
        load_clip(tmp_path / "hf.bin")


def test_a_device_that_is_not_there(vit, tmp_path):
    path = written(vit, tmp_path / "clip.pt")
    for device in ("cuda:99", "abacus"):
        with pytest.raises(InputError, match=f"device {device} cannot be used"):
            load_clip(path, device)


def tokens(text: str) -> list[int]:
    return [token for token in tokenize([text])[0].tolist() if token]


def test_tokens_are_those_of_openai():
    assert tokens("a photo of a cat") == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokens("hello world!") == [49406, 3306, 1002, 256, 49407]
    assert tokens("") == [49406, 49407]
    assert tokenize([]).shape == (0, 77)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Crack\tthe\n EGG ", "crack the egg"),
        ("salt &amp;amp; pepper", "salt & pepper"),
        ("don\u2019t say \u201cstir\u201d", 'don\'t say "stir"'),
        ("cre\u0301me", "cr\u00e9me"),
    ],
)
def test_texts_are_cleaned_first(text, plain):
    assert tokens(text) == tokens(plain)


def test_long_texts_are_cut_and_keep_their_end():
    row = tokenize(["egg " * 100])[0].tolist()
    assert len(row) == 77
    assert row[0] == 49406
    assert row[-1] == 49407
    assert len(set(row[1:-1])) == 1


def test_a_vocabulary_of_another_size_cannot_be_written_in(vit, tmp_path):
    state = vit.state_dict() | {"token_embedding.weight": torch.zeros(100, 64)}
    torch.save(state, tmp_path / "clip.pt")
    with pytest.raises(InputError, match="know 100 tokens"):
        load_clip(tmp_path / "clip.pt").tokenize(["egg"])


def test_without_the_vocabularys_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "instant_clip_tokenizer", None)
    tokenizer.cache_clear()
    with pytest.raises(InputError, match=r"gytbench\[models\]"):
        tokenize(["egg"])
