import subprocess
import sys
import warnings
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.clip import ClipGrounder, ClipSettings
from gytbench.grounding.contract import Sampling, Setup, Stretch, capabilities
from gytbench.models.clip import Clip
from gytbench.models.clip_tokens import tokenize
from tests.models.clips import as_hugging_face, small_resnet, small_vit, written

QUERIES = ["crack egg", "whisk the cream"]
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711])


@pytest.fixture(scope="module")
def vit() -> Clip:
    return small_vit()


@pytest.fixture(scope="module")
def files(vit, tmp_path_factory) -> dict[str, Path]:
    """The same vision transformer by layout, and a ResNet."""
    folder = tmp_path_factory.mktemp("weights")
    files = {name: folder / f"{name}.pt" for name in ("openai", "wrapped", "hugging face")}
    files["torchscript"] = folder / "torchscript.pt"
    written(vit, files["openai"])
    wrapped = {f"module.{name}": value for name, value in vit.state_dict().items()}
    torch.save({"epoch": 1, "state_dict": wrapped}, files["wrapped"])
    torch.save(as_hugging_face(vit.state_dict()), files["hugging face"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates what OpenAI's files are made with
        torch.jit.save(torch.jit.trace(Whole(vit), _example(vit)), files["torchscript"])
    files["resnet"] = written(small_resnet(), folder / "resnet.pt")
    return files


class Whole(torch.nn.Module):
    """Both sides of CLIP in one call, to be traced; its parts have CLIP's names."""

    def __init__(self, model: Clip) -> None:
        super().__init__()
        self._modules.update(model._modules)
        self._parameters.update(model._parameters)
        self.register_buffer("input_resolution", torch.tensor(model.size))

    def forward(self, pixels: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        text = self.token_embedding(ids) + self.positional_embedding
        text = self.ln_final(self.transformer(text, True)) @ self.text_projection
        seen = self.visual.tokens(self.visual.trunk(pixels))
        return self.logit_scale * self.input_resolution * seen[:, 0] @ text[:, 0].T


def _example(model: Clip) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.zeros(1, 3, model.size, model.size), tokenize(["egg"])


def made(path: Path, half: bool = False, **settings: object) -> ClipGrounder:
    return ClipGrounder(ClipSettings(**settings), Setup({"checkpoint": path}, half=half))


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Four clips of one frame of 48 x 48, one uniform."""
    drawn = np.random.default_rng(0).integers(0, 256, (4, 1, 48, 48, 3), dtype=np.uint8)
    drawn[1] = 40
    return drawn


def stretch(grounder, clips) -> Stretch:
    return Stretch(grounder.encode(clips), range(20, 20 + len(clips)))


def seen(vit, clips, cells="tokens", normalised=True):
    """Embeddings of images and cells, straight from the pixels."""
    pixels = clips[:, 0] / 255
    pixels = (pixels - MEAN) / DEVIATION if normalised else pixels
    with torch.inference_mode():
        return vit.encode_image(torch.tensor(pixels).permute(0, 3, 1, 2).float(), cells)


def text_of(vit, query):
    with torch.inference_mode():
        return vit.encode_text(tokenize([query])).text[0]


def cosines(vectors, text) -> np.ndarray:
    return torch.cosine_similarity(vectors, text, dim=-1).numpy()


def test_answers_are_cosines(vit, files, clips):
    grounder = made(files["openai"])
    answers = stretch(grounder, clips)
    images, cells = seen(vit, clips)
    scores = grounder.frame_scores(answers, QUERIES)
    assert scores.shape == (4, 2)
    for column, query in enumerate(QUERIES):
        text = text_of(vit, query)
        assert np.allclose(scores[:, column], cosines(images, text), atol=1e-5)
        expected = cosines(cells, text).reshape(4, 3, 3)
        assert np.allclose(grounder.heatmaps(answers, query), expected, atol=1e-3)
    assert capabilities(grounder).tasks == ("st", "spatial", "temporal")
    assert grounder.frame_scores(answers, []).shape == (4, 0)


def test_what_is_stored_is_small_and_of_unit_length(files, clips):
    features = made(files["openai"]).encode(clips)
    assert {name: (value.shape, str(value.dtype)) for name, value in features.items()} == {
        "global": ((4, 32), "float32"),
        "cells": ((4, 3, 3, 32), "float16"),
    }
    lengths = np.linalg.norm(features["cells"].astype(float), axis=-1)
    assert np.allclose(lengths, 1, atol=2e-3)


@pytest.mark.parametrize("layout", ["wrapped", "hugging face", "torchscript"])
def test_all_layouts_answer_alike(files, clips, layout):
    expected = made(files["openai"]).encode(clips)
    found = made(files[layout]).encode(clips)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_weights_stored_in_half_precision_serve(vit, files, clips, tmp_path):
    torch.save({k: v.half() for k, v in vit.state_dict().items()}, tmp_path / "half.pt")
    found = made(tmp_path / "half.pt").encode(clips)
    expected = made(files["openai"]).encode(clips)
    assert np.allclose(found["global"], expected["global"], atol=0.05)
    assert not np.array_equal(found["global"], expected["global"])


def test_computing_in_half_precision_is_near(files, clips):
    found = made(files["openai"], half=True)
    expected = made(files["openai"])
    assert np.allclose(
        found.frame_scores(stretch(found, clips), QUERIES),
        expected.frame_scores(stretch(expected, clips), QUERIES),
        atol=0.01,
    )


def test_maskclip_is_the_cosine_of_the_values(vit, files, clips):
    grounder = made(files["openai"], heatmap="maskclip")
    _, cells = seen(vit, clips, "maskclip")
    expected = cosines(cells, text_of(vit, "crack egg")).reshape(4, 3, 3)
    found = grounder.heatmaps(stretch(grounder, clips), "crack egg")
    assert np.allclose(found, expected, atol=1e-3)
    tokens = made(files["openai"])
    assert not np.allclose(found, tokens.heatmaps(stretch(tokens, clips), "crack egg"), atol=0.01)


@pytest.mark.parametrize("layout", ["openai", "resnet"])
def test_grad_cam_needs_no_pixels(vit, files, layout):
    model = vit if layout == "openai" else small_resnet()
    side = model.size
    frames = np.random.default_rng(1).integers(0, 256, (70, 1, side, side, 3), dtype=np.uint8)
    grounder = made(files[layout], heatmap="gradcam", normalise="none")
    answers = Stretch(grounder.encode(frames), range(70))
    assert answers.features["trunk"].dtype == np.float16
    pixels = torch.tensor(frames[:, 0] / 255).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        expected = model.gradient_map(model.trunk(pixels), text_of(model, "crack egg")).numpy()
    found = grounder.heatmaps(answers, "crack egg")
    assert expected.max() > 0
    assert found.shape == (70, model.grid, model.grid)
    assert np.abs(found - expected).max() < 0.01 * expected.max()
    assert grounder.frame_scores(answers, QUERIES).shape == (70, 2)


def test_a_resnet_makes_maskclips_maps(files):
    grounder = made(files["resnet"], heatmap="maskclip")
    assert grounder.sampling == Sampling(size=(64, 64))
    answers = stretch(grounder, np.zeros((2, 1, 64, 64, 3), dtype=np.uint8))
    assert grounder.heatmaps(answers, "crack egg").shape == (2, 2, 2)
    with pytest.raises(InputError, match="maskclip or gradcam"):
        made(files["resnet"])


@pytest.mark.parametrize("heatmap", ["tokens", "maskclip", "gradcam"])
def test_features_do_not_depend_on_the_batch(files, clips, heatmap):
    grounder = made(files["openai"], heatmap=heatmap)
    together = grounder.encode(clips)
    for k in range(len(clips)):
        alone = grounder.encode(clips[k : k + 1])
        assert np.allclose(alone["global"], together["global"][k : k + 1], atol=1e-5)
        for name, value in alone.items():
            # A value next to the middle of two of half precision may go either way.
            step = np.spacing(np.abs(together[name][k]) + np.float16(1e-3))
            assert (np.abs(value[0] - together[name][k]) <= np.maximum(step, 1e-5)).all()


def test_only_the_stretchs_seconds_are_answered(files, clips):
    grounder = made(files["openai"])
    whole = stretch(grounder, clips)
    heat = grounder.heatmaps(whole, "crack egg")[1:3]
    scores = grounder.frame_scores(whole, QUERIES)[1:3]
    for part in (whole.part(range(21, 23)), Stretch(whole.features, range(21, 23), skip=1)):
        assert np.array_equal(grounder.heatmaps(part, "crack egg"), heat)
        assert np.allclose(grounder.frame_scores(part, QUERIES), scores)


def test_pixels_may_be_left_as_they_are(vit, files, clips):
    found = made(files["openai"], normalise="none").encode(clips)["global"]
    assert np.allclose(found, seen(vit, clips, normalised=False)[0].numpy(), atol=1e-5)
    assert not np.allclose(found, seen(vit, clips)[0].numpy(), atol=0.1)


def test_the_prompt_is_filled_with_the_query(files, clips):
    plain, prompted = made(files["openai"]), made(files["openai"], prompt="a photo of {}.")
    answers = stretch(plain, clips)
    expected = plain.frame_scores(answers, ["a photo of {egg}."])
    assert np.array_equal(prompted.frame_scores(answers, ["{egg}"]), expected)
    with pytest.raises(InputError, match=r"has no \{\} for the query"):
        made(files["openai"], prompt="a photo of food")


def test_a_text_is_encoded_once(files, clips, monkeypatch):
    grounder = made(files["openai"])
    answers = stretch(grounder, clips)
    first = grounder.frame_scores(answers, QUERIES)
    monkeypatch.setattr(Clip, "encode_text", lambda *_: pytest.fail("encoded again"))
    assert np.array_equal(grounder.frame_scores(answers, QUERIES), first)
    grounder.heatmaps(answers, QUERIES[0])


def test_files_that_do_not_serve(tmp_path):
    with pytest.raises(InputError, match="needs the file 'checkpoint'"):
        ClipGrounder(ClipSettings(), Setup())
    with pytest.raises(InputError, match="no such file"):
        made(tmp_path / "none.pt")
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="not a CLIP checkpoint"):
        made(tmp_path / "other.pt")


def test_without_torch_it_says_what_to_install(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "gytbench.models.clip", None)
    with pytest.raises(InputError, match=r"pip install 'gytbench\[models\]'"):
        made(files["openai"])


def test_settings_are_checked():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"heatmap": "rollout"}, ClipSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"normalize": "none"}, ClipSettings)


def test_listing_it_imports_no_network():
    program = (
        "import sys, gytbench.grounding.adapters.clip;"
        "sys.exit(bool({'torch', 'av', 'PIL', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
