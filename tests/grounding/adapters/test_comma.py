import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.grounding.adapters.comma import CommaGrounder, CommaSettings
from gytbench.grounding.contract import Sampling, Setup, Stretch, capabilities
from gytbench.models.clip import Clip, load_clip
from gytbench.models.clip_blocks import Transformer
from gytbench.models.clip_tokens import tokenize
from gytbench.models.clip_vit import VisionTransformer
from gytbench.models.comma import Comma, load_clip_head, load_comma
from gytbench.models.cross_attention import CrossAttentionHead, pair_vectors, rollout
from tests.models.filling import filled, shapes

WORDS = ["crack", "egg", "the", "whisk", "cream"]
ON_CLIP = CommaSettings(backbone="clip")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.save(filled(shapes(Comma(rows=6))), folder / "comma.pth")
    np.save(folder / "dict.npy", np.array(WORDS))
    return {"checkpoint": folder / "comma.pth", "dictionary": folder / "dict.npy"}


@pytest.fixture(scope="module")
def grounder(files) -> CommaGrounder:
    return CommaGrounder(CommaSettings(), Setup(files))


@pytest.fixture(scope="module")
def model(files) -> Comma:
    return load_comma(files["checkpoint"])


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Two clips of 16 seconds; in the second, the last eight are bright."""
    drawn = np.random.default_rng(0).integers(0, 60, (2, 16, 64, 64, 3), dtype=np.uint8)
    drawn[1, 8:] += 190
    return drawn


@pytest.fixture(scope="module")
def stretch(grounder, clips) -> Stretch:
    """All 32 seconds of both clips, of a trimmed video that began at second 5."""
    return Stretch(grounder.encode(clips), range(5, 37), stride=16)


@pytest.fixture(scope="module")
def clip_files(tmp_path_factory) -> dict[str, Path]:
    """A head and a small CLIP: images of 16 pixels a side, 2 x 2 cells, 64 dimensions."""
    folder = tmp_path_factory.mktemp("clip")
    torch.save(filled(shapes(CrossAttentionHead(64, 64))), folder / "head.pth.tar")
    vision = VisionTransformer(width=64, layers=2, patch=8, grid=2, embedding=64)
    clip = Clip(vision, Transformer(64, 2, "quick_gelu"), (49408, 64), 24, 64)
    torch.save(filled(shapes(clip)), folder / "clip.pt")
    return {"checkpoint": folder / "head.pth.tar", "backbone": folder / "clip.pt"}


@pytest.fixture(scope="module")
def on_clip(clip_files) -> CommaGrounder:
    return CommaGrounder(ON_CLIP, Setup(clip_files))


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """A frame for each of 20 seconds, as clips of one frame."""
    return np.random.default_rng(2).integers(0, 256, (20, 1, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def clip_stretch(on_clip, frames) -> Stretch:
    return Stretch(on_clip.encode(frames), range(30, 50))


def clip_regions(files, frames):
    """The tokens of CLIP for frames in [0, 1]: frames x 4 x 64."""
    pixels = torch.tensor(frames[:, 0] / 255, dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        return load_clip(files["backbone"]).encode_image(pixels)[1]


def clip_words(files, query):
    with torch.inference_mode():
        features = load_clip(files["backbone"]).encode_text(tokenize([query], 24))
    return features.tokens, features.mask


def cells(model, clips):
    """Clips x steps x rows x columns x 1024, as stored."""
    video = torch.tensor(clips / 255, dtype=torch.float32).permute(0, 4, 1, 2, 3)
    with torch.inference_mode():
        return model.feature_map(video).permute(0, 2, 3, 4, 1).half().float()


def words(model, ids):
    """The vectors of 20 words, and which of them are no pads."""
    ids = torch.tensor([ids + [0] * (20 - len(ids))])
    with torch.inference_mode():
        return model.text_module.word_vectors(ids), ids > 0


def test_it_says_when_and_where(grounder) -> None:
    assert capabilities(grounder).tasks == ("st", "spatial", "temporal")


def test_clips_are_sixteen_seconds_from_the_start_of_a_trimmed_clip(grounder) -> None:
    assert grounder.sampling == Sampling(
        size=(224, 224), frames=16, fps=1.0, stride=16, trimmed=True, black_after=True
    )


def test_features_are_the_cells_of_a_clip_by_itself(grounder, model, clips, stretch) -> None:
    stored = stretch.features["cells"]
    assert stored.dtype == np.float16
    assert stored.shape == (2, 2, 2, 2, 1024)
    for k in range(2):
        alone = grounder.encode(clips[k : k + 1])["cells"][0]
        np.testing.assert_allclose(alone, stored[k], atol=1e-5, rtol=1e-3)
        np.testing.assert_allclose(cells(model, clips)[k], stored[k], atol=1e-5, rtol=1e-3)


def test_heatmaps_are_the_rollout_of_each_clip_joined_over_time(
    grounder, model, clips, stretch
) -> None:
    with torch.inference_mode():
        regions = cells(model, clips).flatten(1, 3)
        steps = rollout(model, regions, *words(model, [1, 2])).view(1, 1, 4, 2, 2)
        expected = functional.interpolate(steps, (32, 2, 2), mode="trilinear")[0, 0].numpy()
    heat = grounder.heatmaps(stretch, "crack an egg")
    assert heat.shape == (32, 2, 2)
    assert heat.dtype == np.float64
    np.testing.assert_allclose(heat, expected, atol=1e-6)
    # Equal up to the middle of the first step and from that of the last on, and else not.
    assert (heat[:4] == heat[0]).all()
    assert (heat[4] != heat[3]).any()
    assert (heat[28:] == heat[28]).all()


def test_a_second_is_scored_by_its_own_step(grounder, model, clips, stretch) -> None:
    with torch.inference_mode():
        regions = cells(model, clips).flatten(2, 3).flatten(0, 1)
        by_query = []
        for ids in ([1, 2], [4, 3, 5]):
            video, text = pair_vectors(model, regions, *words(model, ids))
            by_query.append((video * text).sum(dim=-1)[:, 0].repeat_interleave(8).numpy())
    scores = grounder.frame_scores(stretch, ["crack an egg", "whisk the cream"])
    assert scores.shape == (32, 2)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, np.transpose(by_query), rtol=1e-5)


def test_scores_change_where_the_video_does(grounder, stretch) -> None:
    (scores,) = grounder.frame_scores(stretch, ["crack egg"]).T
    dark, bright = scores[16:24], scores[24:]
    assert (dark == dark[0]).all()
    assert (bright == bright[0]).all()
    assert abs(dark[0] - bright[0]) > 1e-3 * abs(dark[0])


def test_a_part_of_the_seconds_is_answered_from_the_clips_that_it_touches(
    grounder, stretch
) -> None:
    part = stretch.part(range(20, 26))
    assert len(part.features["cells"]) == 2
    np.testing.assert_array_equal(
        grounder.frame_scores(part, ["egg"]), grounder.frame_scores(stretch, ["egg"])[15:21]
    )
    np.testing.assert_array_equal(
        grounder.heatmaps(part, "egg"), grounder.heatmaps(stretch, "egg")[15:21]
    )


def test_a_query_without_a_known_word_is_one_pad(grounder, model, stretch) -> None:
    vectors, _ = words(model, [])
    mask = torch.arange(20)[None] < 1
    regions = torch.from_numpy(stretch.features["cells"]).float()
    with torch.inference_mode():
        video, text = pair_vectors(model, regions.flatten(2, 3).flatten(0, 1), vectors, mask)
        expected = (video * text).sum(dim=-1).repeat_interleave(8, dim=0).numpy()
    scores = grounder.frame_scores(stretch, ["fry onions", "", "egg"])
    np.testing.assert_allclose(scores[:, :2], np.broadcast_to(expected, (32, 2)), rtol=1e-5)
    assert not np.allclose(scores[:, 2], expected[:, 0], rtol=1e-5)
    heat = grounder.heatmaps(stretch, "fry onions")
    np.testing.assert_allclose(heat, grounder.heatmaps(stretch, ""), atol=1e-7)
    assert np.isfinite(heat).all()


def test_a_query_is_answered_alike_whatever_else_is_asked(grounder, stretch) -> None:
    alone = grounder.frame_scores(stretch, ["egg"])
    among = grounder.frame_scores(stretch, ["whisk the cream", "egg", "none"])
    np.testing.assert_allclose(among[:, 1:2], alone, rtol=1e-5)


def test_the_published_evaluation_does_not_load_the_attention_among_regions(
    clip_files, clip_stretch
) -> None:
    heats = [
        CommaGrounder(
            CommaSettings(backbone="clip", compat=compat, seed=seed), Setup(clip_files)
        ).heatmaps(clip_stretch, "crack egg")
        for compat, seed in (("fixed", 1), ("fixed", 2), ("official", 1), ("official", 2))
    ]
    np.testing.assert_array_equal(heats[0], heats[1])
    # Far above what another order of sums would change.
    assert np.abs(heats[0] - heats[2]).max() > 1e-5 * heats[0].max()
    assert np.abs(heats[2] - heats[3]).max() > 1e-5 * heats[0].max()


def test_on_clip_a_frame_stands_for_its_second(on_clip) -> None:
    assert on_clip.sampling == Sampling(size=(16, 16))


def test_on_clip_features_are_the_tokens_of_a_frame_by_itself(
    on_clip, clip_files, frames, clip_stretch
) -> None:
    stored = clip_stretch.features["cells"]
    assert stored.dtype == np.float32
    assert stored.shape == (20, 1, 2, 2, 64)
    expected = clip_regions(clip_files, frames).numpy().reshape(stored.shape)
    np.testing.assert_allclose(stored, expected, atol=1e-5)
    alone = on_clip.encode(frames[3:4])["cells"]
    np.testing.assert_allclose(alone, stored[3:4], atol=1e-5)


def test_on_clip_heatmaps_look_at_sixteen_seconds_together_filled_with_black(
    on_clip, clip_files, frames, clip_stretch
) -> None:
    black = np.zeros((12, 1, 16, 16, 3), dtype=np.uint8)
    head = load_clip_head(clip_files["checkpoint"])
    with torch.inference_mode():
        regions = clip_regions(clip_files, np.concatenate([frames, black]))
        query = clip_words(clip_files, "crack egg")
        expected = rollout(head, regions.reshape(2, 64, 64), *query).view(32, 2, 2)[:20].numpy()
    heat = on_clip.heatmaps(clip_stretch, "crack egg")
    np.testing.assert_allclose(heat, expected, atol=1e-6)
    assert len(np.unique(heat[:, 0, 0])) == 20


def test_on_clip_clips_are_counted_from_the_first_second_asked_for(on_clip, clip_stretch) -> None:
    part = clip_stretch.part(range(34, 50))
    heat = on_clip.heatmaps(part, "crack egg")
    np.testing.assert_allclose(heat.sum(), 1)
    assert not np.allclose(heat, on_clip.heatmaps(clip_stretch, "crack egg")[4:])


def test_on_clip_a_second_is_scored_by_its_own_frame(
    on_clip, clip_files, frames, clip_stretch
) -> None:
    head = load_clip_head(clip_files["checkpoint"])
    regions = clip_regions(clip_files, frames)
    with torch.inference_mode():
        pairs = [
            pair_vectors(head, regions, *clip_words(clip_files, query))
            for query in ("crack egg", "whisk the cream")
        ]
        expected = torch.cat([(v * t).sum(dim=-1) for v, t in pairs], dim=1).numpy()
    scores = on_clip.frame_scores(clip_stretch, ["crack egg", "whisk the cream"])
    assert scores.shape == (20, 2)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_on_clip_an_empty_query_has_finite_answers(on_clip, clip_stretch) -> None:
    assert np.isfinite(on_clip.frame_scores(clip_stretch, [""])).all()
    assert np.isfinite(on_clip.heatmaps(clip_stretch, "")).all()


def test_a_head_for_another_clip_is_refused(clip_files, tmp_path) -> None:
    torch.save(filled(shapes(CrossAttentionHead(96, 64))), tmp_path / "head.pth")
    with pytest.raises(InputError, match=r"regions of 96 and words of 64 .* this CLIP gives 64"):
        CommaGrounder(ON_CLIP, Setup({**clip_files, "checkpoint": tmp_path / "head.pth"}))


@pytest.mark.parametrize(
    ("backbone", "role"),
    [("s3d", "checkpoint"), ("s3d", "dictionary"), ("clip", "checkpoint"), ("clip", "backbone")],
)
def test_a_missing_file_is_asked_for(files, backbone, role) -> None:
    given = {**files, "backbone": files["checkpoint"]}
    del given[role]
    with pytest.raises(InputError, match=f"needs the file '{role}'.*--file {role}=PATH"):
        CommaGrounder(CommaSettings(backbone=backbone), Setup(given))


def test_the_dictionary_of_another_checkpoint_is_refused(files, tmp_path) -> None:
    np.save(tmp_path / "dict.npy", np.array([*WORDS, "more"]))
    with pytest.raises(InputError, match="6 words, but the checkpoint knows 5"):
        CommaGrounder(CommaSettings(), Setup({**files, "dictionary": tmp_path / "dict.npy"}))


def test_without_torch_it_says_what_to_install(files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gytbench.models.comma", None)
    with pytest.raises(InputError, match=r"needs torch: pip install 'gytbench\[models\]'"):
        CommaGrounder(CommaSettings(), Setup(files))


@pytest.mark.parametrize("setting", [{"backbone": "i3d"}, {"compat": "x"}, {"max_words": 0}])
def test_settings_that_cannot_be_are_refused(setting) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(setting))):
        msgspec.convert(setting, CommaSettings)
