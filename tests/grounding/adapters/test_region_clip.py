"""RegionCLIP as a system: where regions come from, and what wins of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import gytbench
from gytbench.cli.main import main
from gytbench.errors import InputError
from gytbench.grounding.adapters.region_clip import RegionClipGrounder, RegionClipSettings
from gytbench.grounding.adapters.regions import sliding_windows
from gytbench.grounding.contract import Asked, Request, Setup, Stretch
from gytbench.models.clip import normalised
from gytbench.models.prompts import REGION_CLIP
from gytbench.models.region_clip import load_region_clip, text_embeddings
from gytbench.models.region_proposals import RegionProposals
from gytbench.predictions import load_predictions
from tests.grounding.making import Ground, make_ground
from tests.grounding.real import real_video
from tests.models.filling import fill
from tests.models.regions import small_region_clip_state, written_region_clip

QUERIES = ["ride bicycle", "crack egg", "walk"]
BOXES = [[0.1, 0.2, 0.6, 0.9], [0.5, 0.5, 0.75, 1.0], [0.0, 0.0, 1.0, 1.0]]
SIDE = 64


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_region_clip(tmp_path_factory.mktemp("weights") / "rc.pth")


@pytest.fixture(scope="module")
def rpn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "rpn.pth"
    torch.save({"model": fill(RegionProposals()).state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def started(checkpoint: Path, files: dict[str, Path] | None = None, **settings: object):
    chosen = RegionClipSettings(**{"short_side": SIDE, **settings})
    return RegionClipGrounder(chosen, Setup({"checkpoint": checkpoint, **(files or {})}))


def proposals(folder: Path, seconds: dict[str, object]) -> dict[str, Path]:
    path = folder / "proposals.json"
    path.write_text(json.dumps({"v": seconds}))
    return {"proposals": path}


@pytest.fixture(scope="module")
def grounder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> RegionClipGrounder:
    """Its regions in second 0 of the video v are `BOXES`."""
    return started(checkpoint, proposals(tmp_path_factory.mktemp("boxes"), {"0": BOXES}))


def cosines(checkpoint, frame, boxes, templates=("{}",), size=(85, 64)) -> np.ndarray:
    """Regions x queries: step by step as the published code, for a frame resized to 85 x 64."""
    model, tower = load_region_clip(checkpoint)
    resized = np.array(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))
    pixels = torch.from_numpy(resized).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        image_map = model.image_map(normalised(pixels))
        places = torch.tensor(boxes).float() * torch.tensor([*size, *size])
        features = model.region_features(image_map, places).numpy()
        texts = text_embeddings(tower, QUERIES, templates).numpy()
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (features, texts)]
    return units[0] @ units[1].T


def test_each_query_has_the_region_that_is_most_like_it(grounder, checkpoint, frame):
    scores, boxes = grounder.detect_at("v", 0, frame, QUERIES)
    expected = cosines(checkpoint, frame, BOXES)
    np.testing.assert_allclose(scores, expected.max(axis=0), atol=1e-5)
    np.testing.assert_allclose(boxes, np.array(BOXES)[expected.argmax(axis=0)])
    assert (np.abs(scores) <= 1).all()


def test_the_published_sentences(checkpoint, frame, tmp_path):
    files = proposals(tmp_path, {"0": BOXES})
    scores, _ = started(checkpoint, files, prompts="templates").detect_at("v", 0, frame, QUERIES)
    expected = cosines(checkpoint, frame, BOXES, REGION_CLIP).max(axis=0)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_query_does_not_depend_on_the_others(grounder, frame):
    together = grounder.detect_at("v", 0, frame, QUERIES)
    for number, query in enumerate(QUERIES):
        alone = grounder.detect_at("v", 0, frame, [query])
        assert alone[0][0] == pytest.approx(together[0][number], abs=1e-6)
        np.testing.assert_array_equal(alone[1][0], together[1][number])


def test_without_proposals_regions_are_windows(checkpoint, frame):
    _, boxes = started(checkpoint).detect_at("v", 0, frame, QUERIES)
    windows = sliding_windows().tolist()
    assert all(box in windows for box in boxes.tolist())
    _, boxes = started(checkpoint, max_regions=1).detect_at("v", 0, frame, QUERIES)
    assert boxes.tolist() == [[0, 0, 1, 1]] * 3


def test_regions_of_the_proposal_network(checkpoint, rpn, frame, monkeypatch):
    """They are what it proposes for the frame, resized, in RGB from 0 to 255."""
    seen = []

    def propose(_self, pixels, count):
        seen.append((pixels, count))
        return torch.tensor([[0.0, 0, 42.5, 32], [42.5, 32, 85, 64]])

    grounder = started(checkpoint, {"rpn": rpn}, max_regions=5)
    monkeypatch.setattr(RegionProposals, "forward", propose)
    scores, boxes = grounder.detect_at("v", 0, frame, QUERIES)
    halves = [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]
    expected = cosines(checkpoint, frame, halves)
    np.testing.assert_allclose(scores, expected.max(axis=0), atol=1e-5)
    np.testing.assert_allclose(boxes, np.array(halves)[expected.argmax(axis=0)])
    ((pixels, count),) = seen
    resized = np.array(Image.fromarray(frame).resize((85, 64), Image.Resampling.BILINEAR))
    assert count == 5
    np.testing.assert_array_equal(pixels.permute(1, 2, 0).numpy(), resized)


def test_proposals_that_are_given_go_before_the_network(checkpoint, rpn, frame, tmp_path):
    files = proposals(tmp_path, {"0": BOXES[:1]})
    _, boxes = started(checkpoint, {"rpn": rpn, **files}).detect_at("v", 0, frame, QUERIES)
    assert boxes.tolist() == BOXES[:1] * 3


def test_a_network_that_proposes_nothing_finds_nothing(checkpoint, rpn, frame, monkeypatch):
    monkeypatch.setattr(RegionProposals, "forward", lambda *_: torch.empty(0, 4))
    scores, boxes = started(checkpoint, {"rpn": rpn}).detect_at("v", 0, frame, QUERIES)
    assert (scores == -np.inf).all()
    assert np.isnan(boxes).all()
    assert boxes.shape == (3, 4)


def test_regions_of_the_extraction_script(checkpoint, frame, tmp_path):
    """Their features are compared as they are; a second without a file has no region."""
    texts = text_embeddings(load_region_clip(checkpoint)[1], QUERIES, ("{}",))
    stored = {
        "boxes": torch.tensor([[0.0, 0, 60, 45], [60, 45, 120, 90]]),
        "feats": torch.stack([2 * texts[0] / texts[0].norm(), texts[2] + texts[1] * 0.01]),
    }
    torch.save(stored, tmp_path / "v_3.pth")
    grounder = started(checkpoint, regions=str(tmp_path))
    scores, boxes = grounder.detect_at("v", 3, frame, QUERIES)
    assert scores[0] == pytest.approx(1, abs=1e-6)
    assert scores[2] == pytest.approx(1, abs=1e-2)
    assert boxes[[0, 2]].tolist() == [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]
    scores, boxes = grounder.detect_at("v", 4, frame, QUERIES)
    assert (scores == -np.inf).all()
    assert np.isnan(boxes).all()
    only_first = started(checkpoint, regions=str(tmp_path), max_regions=1)
    assert only_first.detect_at("v", 3, frame, QUERIES)[1].tolist() == [[0, 0, 0.5, 0.5]] * 3


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((640, 480), 64, (85, 64)),
        ((480, 640), 64, (64, 85)),
        ((1000, 100), 800, (1333, 133)),
        ((3000, 20), 64, (1333, 32)),
        ((30, 20), 64, (96, 64)),
    ],
)
def test_frames_are_resized_by_their_shorter_side(
    checkpoint, monkeypatch, size, side, expected, tmp_path
):
    grounder = started(checkpoint, proposals(tmp_path, {"0": BOXES}), short_side=side)
    seen = []
    image_map = torch.zeros(256, 4, 4)
    monkeypatch.setattr(grounder._model, "image_map", lambda p: seen.append(p.shape) or image_map)
    grounder.detect_at("v", 0, np.zeros((size[1], size[0], 3), np.uint8), ["stir"])
    assert seen == [(3, expected[1], expected[0])]


def test_texts_are_embedded_once(checkpoint, frame, tmp_path, monkeypatch):
    from gytbench.models import region_clip

    asked = []
    embed = region_clip.text_embeddings
    monkeypatch.setattr(
        region_clip, "text_embeddings", lambda *given: asked.append(given[1]) or embed(*given)
    )
    grounder = started(checkpoint, proposals(tmp_path, {"0": BOXES}))
    for queries in (QUERIES[:2], QUERIES, QUERIES[::-1]):
        scores, _ = grounder.detect_at("v", 0, frame, queries)
    assert asked == [QUERIES[:2], QUERIES[2:]]
    expected = cosines(checkpoint, frame, BOXES).max(axis=0)
    np.testing.assert_allclose(scores, expected[::-1], atol=1e-5)


def test_a_pool_of_700_descriptions(grounder, frame):
    queries = [f"step {number}" for number in range(700)]
    scores, boxes = grounder.detect_at("v", 0, frame, queries)
    assert scores.shape == (700,)
    assert np.isfinite(scores).all()
    assert boxes.shape == (700, 4)


def request(*asked: Asked) -> Request:
    return Request("v", real_video(), range(10), "st", asked)


def test_a_real_video_is_read_second_by_second(checkpoint):
    grounder = started(checkpoint, max_regions=7)
    asked = [Asked(QUERIES[0], range(2, 5)), Asked(QUERIES[1], range(4, 6))]
    stretch = Stretch(grounder.read(request(*asked)), range(10))
    scores = grounder.frame_scores(stretch, QUERIES[:2])
    known = np.zeros((10, 2), dtype=bool)
    known[2:5, 0] = known[4:6, 1] = True
    np.testing.assert_array_equal(np.isfinite(scores), known)
    for number, query in enumerate(QUERIES[:2]):
        boxes = grounder.boxes(stretch, query)
        np.testing.assert_array_equal(np.isfinite(boxes).all(axis=1), known[:, number])
    assert len(np.unique(scores[2:5, 0])) == 3


def test_the_whole_proposal_network_on_a_real_video(checkpoint, rpn):
    grounder = started(checkpoint, {"rpn": rpn}, max_regions=5)
    stretch = Stretch(grounder.read(request(Asked(QUERIES[0], range(2)))), range(10))
    boxes = grounder.boxes(stretch, QUERIES[0])[:2]
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert not (boxes[:, None] == sliding_windows()).all(axis=2).any(axis=1).all()


@pytest.mark.parametrize("damaged", ["checkpoint", "rpn"])
def test_no_numbers_are_told_with_video_and_second(checkpoint, rpn, tmp_path, damaged):
    files = {"checkpoint": checkpoint, "rpn": rpn}
    state = torch.load(files[damaged], weights_only=True)["model"]
    name = "backbone.bn1.bias" if damaged == "checkpoint" else "backbone.fpn_output4.bias"
    state[name] = torch.full_like(state[name], torch.nan)
    files[damaged] = tmp_path / "damaged.pth"
    torch.save({"model": state}, files[damaged])
    grounder = started(files.pop("checkpoint"), files)
    with pytest.raises(InputError) as caught:
        grounder.read(request(Asked(QUERIES[0], range(3, 5))))
    assert str(caught.value).startswith("v: the ")
    assert "gives no number (NaN) at second 3" in str(caught.value)


def test_what_is_said_of_the_regions():
    says, settings = RegionClipGrounder.says, RegionClipSettings()
    path = Path("file")
    assert says(settings, {"checkpoint": path}).startswith("regions are sliding windows")
    assert says(settings, {"rpn": path}) == "regions from the proposal network"
    assert says(settings, {"rpn": path, "proposals": path}) == "regions from a file of proposals"
    given = RegionClipSettings(regions="folder")
    assert "extraction script" in says(given, {"rpn": path})


def test_files_that_are_missing_or_too_many(checkpoint, tmp_path):
    with pytest.raises(InputError, match="needs the file 'checkpoint'"):
        RegionClipGrounder(RegionClipSettings(), Setup())
    with pytest.raises(InputError, match="no such folder of region features"):
        started(checkpoint, regions=str(tmp_path / "missing"))
    files = proposals(tmp_path, {"0": BOXES})
    with pytest.raises(InputError, match="'regions' or the file 'proposals', not both"):
        started(checkpoint, files, regions=str(tmp_path))
    bare = written_region_clip(tmp_path / "bare.pth", small_region_clip_state(texts=False))
    with pytest.raises(InputError, match="--file text=PATH"):
        started(bare)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


@pytest.mark.parametrize(
    ("name", "part", "task"),
    [
        ("regionclip", "", "st"),
        ("regionclip-rn50", "", "spatial"),
        ("uniform-segments+regionclip", "where.", "st"),
    ],
)
def test_from_the_command_to_the_scored_file(checkpoint, ground, tmp_path, name, part, task):
    words = ["run-baseline", name, "--task", task]
    words += ["--videos", ground.videos, "--data", ground.data]
    words += ["--file", f"{part}checkpoint={checkpoint}", "-o", tmp_path / "preds.json"]
    words += ["--set", f"{part}short_side=32", "--set", f"{part}max_regions=4"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0
    assert result.stderr.endswith(
        ": regions are sliding windows: no proposals and no proposal network were given\n"
    )
    predictions = load_predictions(tmp_path / "preds.json")
    assert all(box is not None for tube in predictions.tubes for box in tube.boxes or [None])
    metrics = gytbench.evaluate(tmp_path / "preds.json", data=ground.data).metrics
    assert next(iter(metrics.values())) is not None
