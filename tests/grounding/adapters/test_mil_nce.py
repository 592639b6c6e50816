import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.mil_nce import MilNceGrounder, MilNceSettings
from gytbench.grounding.contract import Sampling, Setup, Stretch, capabilities
from gytbench.models.s3d import S3D, load_s3d
from tests.models.filling import filled, shapes

WORDS = ["crack", "egg", "the", "whisk", "cream"]
SMALL = MilNceSettings(size=64)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.save(filled(shapes(S3D(rows=6))), folder / "s3d.pth")
    np.save(folder / "dict.npy", np.array(WORDS))
    return {"checkpoint": folder / "s3d.pth", "dictionary": folder / "dict.npy"}


@pytest.fixture(scope="module")
def grounder(files) -> MilNceGrounder:
    return MilNceGrounder(SMALL, Setup(files))


@pytest.fixture(scope="module")
def model(files) -> S3D:
    return load_s3d(files["checkpoint"])


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Three clips of 16 frames, one uniform."""
    drawn = np.random.default_rng(0).integers(0, 256, (3, 16, 64, 64, 3), dtype=np.uint8)
    drawn[1] = 40
    return drawn


@pytest.fixture(scope="module")
def stretch(grounder, clips) -> Stretch:
    return Stretch(grounder.encode(clips), range(20, 23))


def mixed_5c(model, clips):
    """The last feature map, straight from the pixels."""
    video = torch.tensor(clips / 255, dtype=torch.float32).permute(0, 4, 1, 2, 3)
    with torch.inference_mode():
        return model.feature_map(video)


def text(model, ids):
    with torch.inference_mode():
        return model.text_module(torch.tensor([ids + [0] * (16 - len(ids))]))[0]


def test_it_says_when_and_where(grounder) -> None:
    assert capabilities(grounder).tasks == ("st", "spatial", "temporal")


def test_a_clip_is_centred_on_the_start_of_its_second(grounder) -> None:
    assert grounder.sampling == Sampling(size=(64, 64), frames=16, fps=5.0, lead=8)


def test_scores_are_dot_products_of_whole_embeddings(grounder, model, clips, stretch) -> None:
    with torch.inference_mode():
        videos = model.fc(mixed_5c(model, clips).mean(dim=(2, 3, 4)))
    expected = [(videos @ text(model, ids)).numpy() for ids in ([1, 3, 2], [4, 5])]
    scores = grounder.frame_scores(stretch, ["Crack the egg!", "whisk cream"])
    assert scores.shape == (3, 2)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, np.transpose(expected), atol=1e-5)


def test_heatmaps_are_dot_products_of_single_cells(grounder, model, clips, stretch) -> None:
    with torch.inference_mode():
        cells = model.fc(mixed_5c(model, clips).mean(dim=2).permute(0, 2, 3, 1))
    expected = (cells @ text(model, [4, 5])).numpy()
    heat = grounder.heatmaps(stretch, "whisk cream")
    assert heat.shape == (3, 2, 2)
    np.testing.assert_allclose(heat, expected, atol=1e-5)


def test_the_mean_of_a_heatmap_is_the_score(grounder, stretch) -> None:
    heat = grounder.heatmaps(stretch, "crack egg")
    (scores,) = grounder.frame_scores(stretch, ["crack egg"]).T
    np.testing.assert_allclose(heat.mean(axis=(1, 2)), scores, atol=1e-5)
    assert (heat[0] != heat[0].mean()).all()


@pytest.mark.parametrize(("frames", "middle"), [(8, [0]), (24, [1]), (32, [1, 2])])
def test_cells_are_those_of_the_middle_of_the_clip(files, model, frames, middle) -> None:
    grounder = MilNceGrounder(MilNceSettings(size=32, frames=frames), Setup(files))
    clip = np.random.default_rng(1).integers(0, 256, (1, frames, 32, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        steps = mixed_5c(model, clip)[:, :, middle].mean(dim=2)
        expected = model.fc(steps.permute(0, 2, 3, 1)).numpy()
    np.testing.assert_allclose(grounder.encode(clip)["cells"], expected, atol=1e-5)


def test_features_are_those_of_a_clip_by_itself(grounder, clips, stretch) -> None:
    for k in range(3):
        alone = grounder.encode(clips[k : k + 1])
        for name, values in stretch.features.items():
            assert values.dtype == np.float32
            np.testing.assert_allclose(alone[name][0], values[k], atol=1e-5)


def test_a_part_of_the_seconds_is_answered_alike(grounder, stretch) -> None:
    part = stretch.part(range(21, 23))
    # Sums may be taken in another order.
    np.testing.assert_allclose(
        grounder.frame_scores(part, ["egg"]), grounder.frame_scores(stretch, ["egg"])[1:], 1e-10
    )
    np.testing.assert_allclose(
        grounder.heatmaps(part, "egg"), grounder.heatmaps(stretch, "egg")[1:], atol=1e-10
    )


def test_queries_without_a_known_word_are_pads(grounder, model, stretch) -> None:
    scores = grounder.frame_scores(stretch, ["fry onions", "", "egg"])
    expected = stretch.features["clip"] @ text(model, []).numpy()
    np.testing.assert_allclose(scores[:, 0], expected, atol=1e-5)
    np.testing.assert_allclose(scores[:, 1], expected, atol=1e-5)
    assert not np.allclose(scores[:, 2], expected, atol=1e-5)


def test_words_after_the_last_that_counts_are_cut_off(files, stretch) -> None:
    grounder = MilNceGrounder(MilNceSettings(size=64, max_words=2), Setup(files))
    scores = grounder.frame_scores(stretch, ["crack egg", "crack egg cream", "crack cream"])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], atol=1e-6)
    assert not np.allclose(scores[:, 0], scores[:, 2], atol=1e-6)


def test_without_lower_casing_other_case_is_unknown(files, stretch) -> None:
    grounder = MilNceGrounder(MilNceSettings(size=64, lower_case=False), Setup(files))
    scores = grounder.frame_scores(stretch, ["Egg", "none", "egg"])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], atol=1e-6)
    assert not np.allclose(scores[:, 0], scores[:, 2], atol=1e-6)


def test_half_precision_is_close(files, clips, stretch) -> None:
    half = MilNceGrounder(SMALL, Setup(files, half=True)).encode(clips[:1])
    for name, values in stretch.features.items():
        np.testing.assert_allclose(half[name], values[:1], atol=0.01 * np.abs(values).max())
        assert not np.array_equal(half[name], values[:1])


@pytest.mark.parametrize("role", ["checkpoint", "dictionary"])
def test_a_missing_file_is_asked_for(files, role) -> None:
    given = {name: path for name, path in files.items() if name != role}
    with pytest.raises(InputError, match=f"needs the file '{role}'.*--file {role}=PATH"):
        MilNceGrounder(SMALL, Setup(given))


def test_the_dictionary_of_another_checkpoint_is_refused(files, tmp_path) -> None:
    np.save(tmp_path / "dict.npy", np.array([*WORDS, "more"]))
    with pytest.raises(InputError, match="6 words, but the checkpoint knows 5"):
        MilNceGrounder(SMALL, Setup({**files, "dictionary": tmp_path / "dict.npy"}))


def test_without_torch_it_says_what_to_install(files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gytbench.models.s3d", None)
    with pytest.raises(InputError, match=r"needs torch: pip install 'gytbench\[models\]'"):
        MilNceGrounder(SMALL, Setup(files))


@pytest.mark.parametrize("setting", [{"frames": 15}, {"size": 0}, {"fps": 0}, {"max_words": 0}])
def test_settings_that_cannot_be_are_refused(setting) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(setting))):
        msgspec.convert(setting, MilNceSettings)


def test_importing_adapters_does_not_import_torch() -> None:
    code = (
        "import sys, gytbench.grounding.adapters.mil_nce, gytbench.grounding.adapters.comma;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
