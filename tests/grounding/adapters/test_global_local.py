"""The paper's model as a system: a small CLIP with a whole vocabulary, and S3D on small frames."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.attending import OnClip, Texts
from gytbench.grounding.adapters.global_local import GlobalLocalGrounder, GlobalLocalSettings
from gytbench.grounding.adapters.mil_nce import MilNceGrounder, MilNceSettings
from gytbench.grounding.contract import Sampling, Setup, Stretch, capabilities
from gytbench.models.clip import Clip, load_clip
from gytbench.models.clip_blocks import Transformer
from gytbench.models.clip_resnet import ModifiedResNet
from gytbench.models.clip_tokens import tokenize
from gytbench.models.clip_vit import VisionTransformer
from gytbench.models.cross_attention import pair_scores, rollout
from gytbench.models.global_local import (
    GlobalLocalHead,
    GlobalLocalS3D,
    load_global_local_head,
    start_from_mil_nce,
)
from gytbench.models.s3d import S3D
from tests.models.filling import filled, shapes

WORDS = ["crack", "egg", "the", "whisk", "cream"]
QUERIES = ["crack egg", "whisk the cream"]
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def save(state, path: Path) -> Path:
    torch.save(state, path)
    return path


def vit(grid: int, embedding: int) -> Clip:
    """Images of grid x grid cells of 8 pixels."""
    vision = VisionTransformer(width=64, layers=2, patch=8, grid=grid, embedding=embedding)
    return Clip(vision, Transformer(64, 2, "quick_gelu"), (49408, 64), 24, embedding)


def settings(**given) -> GlobalLocalSettings:
    return msgspec.convert(given, GlobalLocalSettings)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """As published: a head with the prefix, and a finetuned backbone under state_dict."""
    folder = tmp_path_factory.mktemp("clip")
    head = filled(shapes(GlobalLocalHead(64, 64, video=64, text=64)))
    head = {f"module.{name}": value for name, value in head.items()}
    clip = {f"module.{name}": value for name, value in filled(shapes(vit(2, 64))).items()}
    return {
        "checkpoint": save({"epoch": 9, "state_dict": head, "optimizer": {}}, folder / "head.pth"),
        "backbone": save({"state_dict": clip}, folder / "clip.pth.tar"),
    }


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """A frame for each of 20 seconds, as clips of one frame."""
    return np.random.default_rng(2).integers(0, 256, (20, 1, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def systems(files) -> dict[str, GlobalLocalGrounder]:
    """The system in both variants."""
    return {
        variant: GlobalLocalGrounder(settings(variant=variant), Setup(files))
        for variant in ("paper", "official")
    }


@pytest.fixture(scope="module", params=["paper", "official"])
def case(request, systems, frames):
    """A variant's name, the system, and the features of 20 seconds."""
    system = systems[request.param]
    return request.param, system, Stretch(system.encode(frames), range(30, 50))


@pytest.fixture(scope="module")
def official(systems, frames) -> tuple[GlobalLocalGrounder, Stretch]:
    system = systems["official"]
    return system, Stretch(system.encode(frames), range(30, 50))


@pytest.fixture(scope="module")
def head(files) -> GlobalLocalHead:
    return load_global_local_head(files["checkpoint"])


def looked_at(files, frames, variant):
    """CLIP's vectors and tokens (as stored) of frames, in the pixels of a variant."""
    pixels = torch.tensor(frames[:, 0] / 255, dtype=torch.float32).permute(0, 3, 1, 2)
    if variant == "paper":
        pixels = torch.stack([(pixels[:, c] - MEAN[c]) / DEVIATION[c] for c in range(3)], dim=1)
    with torch.inference_mode():
        whole, tokens = load_clip(files["backbone"]).encode_image(pixels)
    return whole, tokens.half().float()


def read(files, query):
    with torch.inference_mode():
        return load_clip(files["backbone"]).encode_text(tokenize([query], 24))


def test_it_says_when_and_where(systems) -> None:
    assert capabilities(systems["paper"]).tasks == ("st", "spatial", "temporal")


def test_a_frame_stands_for_its_second(systems) -> None:
    assert systems["paper"].sampling == Sampling(size=(16, 16))


def test_features_are_the_vector_of_the_frame_and_the_tokens(case, files, frames) -> None:
    variant, _, stretch = case
    whole, tokens = looked_at(files, frames, variant)
    found, cells = stretch.features["global"], stretch.features["cells"]
    assert (found.dtype, found.shape) == (np.float32, (20, 1, 64))
    assert (cells.dtype, cells.shape) == (np.float16, (20, 1, 2, 2, 64))
    np.testing.assert_allclose(found[:, 0], whole.numpy(), atol=1e-5)
    np.testing.assert_allclose(cells.reshape(20, 4, 64), tokens.numpy(), rtol=2e-3, atol=1e-5)


def test_features_are_those_of_a_frame_by_itself(official, frames) -> None:
    system, stretch = official
    alone = system.encode(frames[3:4])
    np.testing.assert_allclose(alone["global"], stretch.features["global"][3:4], atol=1e-5)
    np.testing.assert_allclose(alone["cells"], stretch.features["cells"][3:4], rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_a_second_is_scored_by_the_global_branch(files, head, frames, similarity) -> None:
    system = GlobalLocalGrounder(settings(variant="official", similarity=similarity), Setup(files))
    stretch = Stretch(system.encode(frames), range(30, 50))
    whole, _ = looked_at(files, frames, "official")
    with torch.inference_mode():
        videos = head.global_video(whole)
        texts = head.global_text(torch.cat([read(files, query).text for query in QUERIES]))
        expected = videos @ texts.T
        if similarity == "cosine":
            expected = torch.cosine_similarity(videos[:, None], texts[None], dim=-1)
    scores = system.frame_scores(stretch, QUERIES)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected.numpy(), rtol=1e-4, atol=1e-6)
    part = system.frame_scores(stretch.part(range(35, 40)), QUERIES)
    np.testing.assert_allclose(part, scores[5:10], rtol=1e-6, atol=1e-9)


def test_heatmaps_are_the_rollout_of_each_clip(case, files, head, frames) -> None:
    variant, system, stretch = case
    black = np.zeros((12, 1, 16, 16, 3), dtype=np.uint8)
    seen = np.concatenate([frames, black]) if variant == "official" else frames
    _, regions = looked_at(files, seen, variant)
    features = read(files, "crack egg")
    with torch.inference_mode():
        expected = torch.cat(
            [
                rollout(head, clip.reshape(1, -1, 64), features.tokens, features.mask, variant)[0]
                for clip in regions.split(16)
            ]
        )
    heat = system.heatmaps(stretch, "crack egg")
    assert heat.shape == (20, 2, 2)
    assert heat.dtype == np.float64
    np.testing.assert_allclose(heat, expected.view(-1, 2, 2)[:20].numpy(), rtol=2e-3)
    assert len(np.unique(heat[:, 0, 0])) == 20


def test_black_frames_take_attention_in_the_official_variant_alone(case) -> None:
    variant, system, _ = case
    dark = system.encode(np.zeros((5, 1, 16, 16, 3), dtype=np.uint8))
    heat = system.heatmaps(Stretch(dark, range(30, 35)), "crack egg")
    # Five seconds that look like the black ones after them.
    np.testing.assert_allclose(heat.sum(), 5 / 16 if variant == "official" else 1, rtol=1e-2)


def test_clips_are_counted_from_the_first_second_asked_for(official) -> None:
    system, stretch = official
    heat = system.heatmaps(stretch.part(range(34, 50)), "crack egg")
    np.testing.assert_allclose(heat.sum(), 1, rtol=1e-5)
    assert not np.allclose(heat, system.heatmaps(stretch, "crack egg")[4:])


@pytest.mark.parametrize("kind", ["linear", "gated"])
def test_official_heatmaps_of_given_tokens_are_those_of_the_reference(
    facts, tmp_path, monkeypatch, kind
) -> None:
    with np.load(facts / "golden" / f"global_local_clip_{kind}.npz") as stored:
        golden = dict(stored)
    generator = np.random.Generator(np.random.PCG64(1))
    _, _, _, words, tokens = (
        (0.3 * generator.standard_normal(shape)).astype(np.float32)
        for shape in ((3, 512), (3, 8, 49, 512), (3, 512), (3, 20, 512), (2, 16, 49, 512))
    )
    texts = Texts(
        torch.from_numpy(words[:1]), torch.from_numpy(golden["mask"][:1]), torch.zeros(1, 512)
    )
    monkeypatch.setattr(OnClip, "texts", lambda *_: texts)
    gated = kind == "gated"
    state = filled(shapes(GlobalLocalHead(512, 512, video=512, text=512, gated=gated)))
    given = {
        "checkpoint": save(state, tmp_path / "head.pth"),
        "backbone": save(filled(shapes(vit(7, 512))), tmp_path / "clip.pt"),
    }
    system = GlobalLocalGrounder(settings(variant="official"), Setup(given))
    features = {"cells": tokens.reshape(32, 1, 7, 7, 512)}
    heat = system.heatmaps(Stretch(features, range(32)), "given")
    np.testing.assert_allclose(
        heat.reshape(2, 784), golden["heat"], rtol=0, atol=1e-4 * golden["heat"].max()
    )


def test_variants_differ_in_pixels_and_heatmaps_alone(systems, official) -> None:
    system, stretch = official
    paper = systems["paper"]
    scores = [each.frame_scores(stretch, QUERIES) for each in (paper, system)]
    np.testing.assert_allclose(*scores, rtol=1e-5, atol=1e-6)
    heats = [each.heatmaps(stretch.part(range(30, 46)), "egg") for each in (paper, system)]
    assert not np.allclose(*heats, rtol=1e-2)


def test_the_published_evaluation_forgets_the_attention_among_regions_alone(
    files, official, frames
) -> None:
    system, stretch = official
    heat = system.heatmaps(stretch, "crack egg")
    drawn = []
    for seed in (1, 1, 2):
        random = GlobalLocalGrounder(
            settings(variant="official", compat="official", seed=seed), Setup(files)
        )
        drawn.append(random.heatmaps(stretch, "crack egg"))
        scores = [each.frame_scores(stretch, QUERIES) for each in (random, system)]
        np.testing.assert_allclose(*scores, rtol=1e-5, atol=1e-6)
        for name, values in random.encode(frames).items():
            np.testing.assert_allclose(values, stretch.features[name], rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(drawn[0], drawn[1], rtol=1e-5)
    assert not np.allclose(drawn[0], heat, rtol=1e-3)
    assert not np.allclose(drawn[0], drawn[2], rtol=1e-3)


def test_an_empty_query_has_finite_answers(case) -> None:
    _, system, stretch = case
    assert np.isfinite(system.frame_scores(stretch, ["", "egg"])).all()
    assert np.isfinite(system.heatmaps(stretch, "")).all()


def test_a_query_is_answered_alike_whatever_else_is_asked(official) -> None:
    system, stretch = official
    among = system.frame_scores(stretch, ["whisk the cream", "egg", ""])[:, 1:2]
    np.testing.assert_allclose(among, system.frame_scores(stretch, ["egg"]), rtol=1e-4, atol=1e-6)


def test_regions_of_a_resnet_are_the_cells_of_its_last_map(tmp_path) -> None:
    vision = ModifiedResNet(width=16, layers=(1, 1, 1, 1), grid=2, embedding=32)
    clip = Clip(vision, Transformer(64, 1, "quick_gelu"), (49408, 64), 24, 32)
    head = GlobalLocalHead(512, 32, video=32, text=32)
    given = {
        "checkpoint": save(filled(shapes(head)), tmp_path / "head.pth"),
        "backbone": save(filled(shapes(clip)), tmp_path / "clip.pt"),
    }
    system = GlobalLocalGrounder(settings(variant="official"), Setup(given))
    frames = np.random.default_rng(4).integers(0, 256, (3, 1, 64, 64, 3), dtype=np.uint8)
    features = system.encode(frames)
    model = load_clip(given["backbone"])
    with torch.inference_mode():
        pixels = torch.tensor(frames[:, 0] / 255, dtype=torch.float32).permute(0, 3, 1, 2)
        trunk = model.trunk(pixels)
        whole = model.image_of(trunk)
    np.testing.assert_allclose(features["global"][:, 0], whole.numpy(), rtol=1e-4, atol=1e-5)
    expected = trunk.permute(0, 2, 3, 1)[:, None].numpy()
    np.testing.assert_allclose(features["cells"], expected, rtol=2e-3, atol=1e-4)
    heat = system.heatmaps(Stretch(features, range(3)), "egg")
    assert heat.shape == (3, 2, 2)
    assert np.isfinite(heat).all()
    by_global = GlobalLocalGrounder(settings(variant="official", where="global"), Setup(given))
    branch = load_global_local_head(given["checkpoint"])
    with torch.inference_mode():
        text = branch.global_text(model.encode_text(model.tokenize(["egg"])).text)[0]
        places = branch.global_video(model.visual.values(trunk)) @ text
    heat = by_global.heatmaps(Stretch(features, range(3)), "egg")
    largest = places.abs().max().item()
    np.testing.assert_allclose(heat.reshape(3, 4), places, atol=5e-3 * largest)


def with_untrained(files, folder, layers) -> dict[str, Path]:
    """The files with some layers of the head as nan."""
    head = torch.load(files["checkpoint"], weights_only=True)["state_dict"]
    for name, value in head.items():
        if name.removeprefix("module.").split(".")[0] in layers:
            value.fill_(torch.nan)
    return {**files, "checkpoint": save(head, folder / "head.pth")}


@pytest.mark.parametrize(
    ("branch", "untrained"),
    [
        ("local", ("vis_proj_mat_g", "lang_proj_mat_g")),
        ("global", ("vis_proj_mat", "lang_proj_mat", "sa_layer")),
    ],
)
def test_one_branch_can_answer_alone(files, tmp_path, frames, branch, untrained) -> None:
    chosen = settings(when=branch, where=branch)
    answers = []
    for given in (files, with_untrained(files, tmp_path, untrained)):
        system = GlobalLocalGrounder(chosen, Setup(given))
        stretch = Stretch(system.encode(frames[:5]), range(30, 35))
        answers.append([system.frame_scores(stretch, QUERIES), system.heatmaps(stretch, "egg")])
    for one, other in zip(*answers, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_the_local_branch_scores_the_regions_of_a_second_with_the_words(
    files, head, frames, variant
) -> None:
    system = GlobalLocalGrounder(settings(variant=variant, when="local"), Setup(files))
    stretch = Stretch(system.encode(frames), range(30, 50))
    _, regions = looked_at(files, frames, variant)
    scores = system.frame_scores(stretch, QUERIES)
    assert scores.dtype == np.float64
    for column, query in enumerate(QUERIES):
        features = read(files, query)
        with torch.inference_mode():
            expected = pair_scores(head, regions, features.tokens, features.mask, variant)
        largest = expected.abs().max().item()
        np.testing.assert_allclose(scores[:, [column]], expected, atol=2e-3 * largest)
    part = system.frame_scores(stretch.part(range(35, 40)), QUERIES[1:])
    np.testing.assert_allclose(part, scores[5:10, 1:], rtol=1e-4)
    assert len(np.unique(scores)) == scores.size


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_the_global_branch_compares_cells_with_the_query(files, head, frames, similarity) -> None:
    system = GlobalLocalGrounder(
        settings(variant="official", where="global", similarity=similarity), Setup(files)
    )
    stretch = Stretch(system.encode(frames), range(30, 50))
    _, cells = looked_at(files, frames, "official")
    with torch.inference_mode():
        mapped, text = head.global_video(cells), head.global_text(read(files, "crack egg").text)
        expected = mapped @ text[0]
        if similarity == "cosine":
            expected = torch.cosine_similarity(mapped, text[None], dim=-1)
    heat = system.heatmaps(stretch, "crack egg")
    assert heat.dtype == np.float64
    largest = expected.abs().max().item()
    np.testing.assert_allclose(heat, expected.view(20, 2, 2), atol=2e-3 * largest)
    part = system.heatmaps(stretch.part(range(35, 40)), "crack egg")
    np.testing.assert_allclose(part, heat[5:10], rtol=1e-4, atol=1e-5 * largest)


def test_features_do_not_depend_on_the_branches(files, frames, official) -> None:
    system = GlobalLocalGrounder(
        settings(variant="official", when="local", where="global"), Setup(files)
    )
    for name, values in system.encode(frames).items():
        np.testing.assert_array_equal(values, official[1].features[name])


@pytest.mark.parametrize(
    ("widths", "reason"),
    [
        ((96, 64, 64, 64), "regions of 96 dimensions, but this backbone gives 64"),
        ((64, 32, 64, 64), "words of 32"),
        ((64, 64, 32, 64), "videos of 32"),
        ((64, 64, 64, 32), "texts of 32"),
    ],
)
def test_a_head_for_another_backbone_is_refused(files, tmp_path, widths, reason) -> None:
    regions, words, video, text = widths
    head = GlobalLocalHead(regions, words, video=video, text=text)
    path = save(filled(shapes(head)), tmp_path / "head.pth")
    with pytest.raises(InputError, match=reason):
        GlobalLocalGrounder(settings(), Setup({**files, "checkpoint": path}))


@pytest.mark.parametrize(
    ("backbone", "role"),
    [("s3d", "checkpoint"), ("s3d", "dictionary"), ("clip", "checkpoint"), ("clip", "backbone")],
)
def test_a_missing_file_is_asked_for(s3d_files, files, backbone, role) -> None:
    given = {**files, **(s3d_files if backbone == "s3d" else {})}
    del given[role]
    with pytest.raises(InputError, match=f"needs the file '{role}'.*--file {role}=PATH"):
        GlobalLocalGrounder(settings(backbone=backbone), Setup(given))


def test_without_torch_it_says_what_to_install(files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gytbench.models.comma", None)
    with pytest.raises(InputError, match=r"needs torch: pip install 'gytbench\[models\]'"):
        GlobalLocalGrounder(settings(), Setup(files))


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, gytbench.grounding.adapters.global_local; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "setting",
    [
        {"when": "both"},
        {"where": "x"},
        {"variant": "x"},
        {"similarity": "l2"},
        {"clips": "x"},
        {"fps": 0},
        {"max_words": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(setting) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(setting))):
        settings(**setting)


# On S3D


@pytest.fixture(scope="module")
def s3d_files(tmp_path_factory) -> dict[str, Path]:
    """A checkpoint whose global branch was started from MIL-NCE, and MIL-NCE's own."""
    folder = tmp_path_factory.mktemp("s3d")
    mil_nce = filled(shapes(S3D(rows=6)))
    model = GlobalLocalS3D(rows=6)
    model.load_state_dict(filled(shapes(model)))
    start_from_mil_nce(model, mil_nce)
    np.save(folder / "dict.npy", np.array(WORDS))
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    return {
        "checkpoint": save({"state_dict": state}, folder / "model.pth.tar"),
        "dictionary": folder / "dict.npy",
        "mil_nce": save(mil_nce, folder / "s3d.pth"),
    }


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Two clips of 16 frames; in the second, the last eight are bright."""
    drawn = np.random.default_rng(0).integers(0, 60, (2, 16, 64, 64, 3), dtype=np.uint8)
    drawn[1, 8:] += 190
    return drawn


@pytest.fixture(scope="module")
def mil_nce(s3d_files, clips):
    """MIL-NCE's scores of the two clips, by clip and query."""
    given = {"checkpoint": s3d_files["mil_nce"], "dictionary": s3d_files["dictionary"]}
    system = MilNceGrounder(MilNceSettings(max_words=20, lower_case=False), Setup(given))
    stretch = Stretch(system.encode(clips), range(2))
    return system.sampling, system.frame_scores(stretch, [*QUERIES, "Fry onions"])


def test_started_from_mil_nce_a_clip_for_each_second_has_its_scores(
    s3d_files, clips, mil_nce
) -> None:
    sampling, expected = mil_nce
    system = GlobalLocalGrounder(settings(backbone="s3d", clips="second"), Setup(s3d_files))
    assert system.sampling == sampling
    stretch = Stretch(system.encode(clips), range(2))
    scores = system.frame_scores(stretch, [*QUERIES, "Fry onions"])
    np.testing.assert_array_equal(scores, expected)
    heat = system.heatmaps(stretch, "egg")
    assert heat.shape == (2, 2, 2)
    alone = Stretch(system.encode(clips[1:]), range(1, 2))
    np.testing.assert_allclose(system.heatmaps(alone, "egg"), heat[1:], rtol=1e-3)
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), 0.5, rtol=1e-5)


@pytest.fixture(scope="module", params=["paper", "official"])
def sixteen(request, s3d_files, clips):
    """A variant's name, the system, and 32 seconds."""
    system = GlobalLocalGrounder(settings(backbone="s3d", variant=request.param), Setup(s3d_files))
    return request.param, system, Stretch(system.encode(clips), range(5, 37), stride=16)


def test_started_from_mil_nce_the_steps_of_a_clip_have_its_score_as_their_mean(
    sixteen, mil_nce
) -> None:
    _, system, stretch = sixteen
    assert system.sampling == Sampling(
        size=(224, 224), frames=16, stride=16, trimmed=True, black_after=True
    )
    by_step = system.frame_scores(stretch, QUERIES).reshape(2, 2, 8, 2)
    assert (by_step == by_step[:, :, :1]).all()
    assert (by_step[1, 0, 0] != by_step[1, 1, 0]).all()
    np.testing.assert_allclose(by_step[:, :, 0].mean(axis=1), mil_nce[1][:, :2], rtol=1e-4)


def test_a_step_without_a_second_takes_attention_in_the_official_variant_alone(sixteen) -> None:
    variant, system, stretch = sixteen
    first_step = system.heatmaps(stretch.part(range(21, 29)), "crack egg")
    assert first_step.shape == (8, 2, 2)
    if variant == "paper":
        np.testing.assert_allclose(first_step.sum(axis=(1, 2)), 1, rtol=1e-5)
        assert (first_step == first_step[0]).all()
    else:
        assert (first_step[0].sum() < 0.9) & (first_step[4] != first_step[3]).any()


def test_parts_that_start_within_a_clip_have_the_maps_of_the_whole(sixteen) -> None:
    _, system, stretch = sixteen
    part = stretch.part(range(10, 37))
    np.testing.assert_allclose(
        system.heatmaps(part, "egg"), system.heatmaps(stretch, "egg")[5:], rtol=1e-6
    )


def test_queries_without_a_known_word_are_one_pad(sixteen) -> None:
    _, system, stretch = sixteen
    scores = system.frame_scores(stretch, ["fry onions", "", "egg"])
    assert (scores[:, 0] == scores[:, 1]).all()
    assert not np.allclose(scores[:, 0], scores[:, 2], rtol=1e-3)
    heat = system.heatmaps(stretch, "fry onions")
    np.testing.assert_allclose(heat, system.heatmaps(stretch, ""), rtol=1e-6)
    assert np.isfinite(heat).all()


def test_on_s3d_the_branches_answer_by_step(s3d_files, sixteen) -> None:
    variant, system, stretch = sixteen
    swapped = GlobalLocalGrounder(
        settings(backbone="s3d", variant=variant, when="local", where="global"), Setup(s3d_files)
    )
    scores = swapped.frame_scores(stretch, QUERIES).reshape(2, 2, 8, 2)
    assert (scores == scores[:, :, :1]).all()
    assert len(np.unique(scores[:, :, 0])) == 8
    part = swapped.frame_scores(stretch.part(range(10, 37)), QUERIES)
    np.testing.assert_allclose(part, scores.reshape(32, 2)[5:], rtol=1e-4)
    heat = swapped.heatmaps(stretch, "crack egg")
    # The mean of the cells is the whole step, and the branch is linear; the first four
    # seconds are before the middle of the first step, so that they are of it alone.
    expected = system.frame_scores(stretch, ["crack egg"])[0, 0]
    np.testing.assert_allclose(heat[:4].mean(axis=(1, 2)), expected, rtol=2e-3)


def test_around_a_second_the_regions_of_the_whole_clip_are_scored(s3d_files, clips) -> None:
    system = GlobalLocalGrounder(
        settings(backbone="s3d", clips="second", when="local", where="global"), Setup(s3d_files)
    )
    stretch = Stretch(system.encode(clips), range(2))
    scores = system.frame_scores(stretch, QUERIES)
    assert scores.shape == (2, 2)
    assert len(np.unique(scores)) == 4
    heat = system.heatmaps(stretch, "egg")
    assert heat.shape == (2, 2, 2)
    by_global = GlobalLocalGrounder(settings(backbone="s3d", clips="second"), Setup(s3d_files))
    expected = by_global.frame_scores(stretch, ["egg"])[:, 0]
    np.testing.assert_allclose(heat.mean(axis=(1, 2)), expected, rtol=2e-3)
