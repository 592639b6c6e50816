"""OWLv2: its answers are those of transformers' own network and processor."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gytbench.errors import InputError
from gytbench.grounding.adapters.owlv2 import Owlv2Grounder, Owlv2Settings
from gytbench.grounding.contract import Asked, Request, Setup, Stretch, capabilities
from gytbench.models.clip_tokens import tokenize
from gytbench.videos import open_frames
from tests.models.tiny_detectors import make_owlv2
from tests.videos.making import steady, write_video

QUERIES = ["crack egg", "stir the pan"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("owlv2")


@pytest.fixture(scope="module")
def network(folder: Path) -> Any:
    return make_owlv2(folder)


@pytest.fixture(scope="module")
def files(folder: Path, network: Any) -> dict[str, Path]:  # noqa: ARG001
    return {"checkpoint": folder / "model.safetensors", "config": folder / "config.json"}


@pytest.fixture(scope="module")
def grounder(files: dict[str, Path]) -> Owlv2Grounder:
    return Owlv2Grounder(Owlv2Settings(), Setup(files))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def processed(frame: np.ndarray) -> torch.Tensor:
    """A square frame by transformers' own preprocessing (which pads others with black)."""
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    processor = Owlv2ImageProcessorPil(size={"height": 64, "width": 64})
    return processor(frame, return_tensors="pt").pixel_values


def direct(network: Any, pixels: torch.Tensor, texts: list[str]) -> Any:
    ids = tokenize(texts, 16)
    with torch.no_grad():
        return network(input_ids=ids, attention_mask=(ids > 0).long(), pixel_values=pixels)


def test_a_square_frame_is_answered_as_transformers_does(
    network: Any, grounder: Owlv2Grounder
) -> None:
    frame = noise(150, 150)
    scores, boxes = grounder.detect(frame, QUERIES)
    found = direct(network, processed(frame), QUERIES)
    best, at = found.logits[0].sigmoid().max(dim=0)
    np.testing.assert_allclose(scores, best, atol=1e-5)
    x, y, width, height = found.pred_boxes[0, at].T.numpy()
    corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    np.testing.assert_allclose(boxes, corners.clip(0, 1), atol=1e-5)


# The network has 4 x 4 patches of 16 pixels.
@pytest.mark.parametrize(
    ("size", "shown"),
    [((64, 32), (4, 2)), ((32, 64), (2, 4)), ((33, 64), (3, 4)), ((64, 5), (4, 1))],
)
def test_the_padding_is_grey_and_gives_no_answer(
    network: Any, grounder: Owlv2Grounder, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    height, width = size
    frame = noise(height, width)
    square = np.full((64, 64, 3), 0.5)
    square[:height, :width] = frame / 255
    mean, deviation = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    pixels = torch.tensor(((square - mean) / deviation).transpose(2, 0, 1)[None]).float()
    found = direct(network, pixels, QUERIES)
    scores, boxes = grounder.detect(frame, QUERIES)
    for query in range(2):
        best = (-np.inf, (0, 0))
        for row in range(shown[0]):
            for column in range(shown[1]):
                best = max(best, (found.logits[0, 4 * row + column, query].item(), (row, column)))
        logit, (row, column) = best
        np.testing.assert_allclose(scores[query], 1 / (1 + np.exp(-logit)), atol=1e-5)
        x, y, wide, high = (found.pred_boxes[0, 4 * row + column] * 64).tolist()
        corners = np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])
        expected = (corners / [width, height, width, height]).clip(0, 1)
        np.testing.assert_allclose(boxes[query], expected, atol=1e-4)


def test_a_prompt_is_put_around_the_query(files: dict[str, Path], grounder: Owlv2Grounder) -> None:
    prompted = Owlv2Grounder(Owlv2Settings(prompt="a photo of a {}"), Setup(files))
    frame = noise(64, 64)
    np.testing.assert_array_equal(
        prompted.detect(frame, ["pan"])[0], grounder.detect(frame, ["a photo of a pan"])[0]
    )
    with pytest.raises(InputError, match=r"no \{\} for the query"):
        Owlv2Grounder(Owlv2Settings(prompt="a photo"), Setup(files))


def test_a_video_is_grounded_second_by_second(grounder: Owlv2Grounder, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", steady(3), (64, 48))
    asked = (Asked(QUERIES[0], range(3)), Asked(QUERIES[1], range(1, 3)))
    request = Request("v", video, range(3), "st", asked)
    stretch = Stretch(grounder.read(request), range(3))
    scores = grounder.frame_scores(stretch, QUERIES)
    source = open_frames(video)
    for second, frame in enumerate(source.sampled(range(3), source.size)):
        expected, boxes = grounder.detect(frame, QUERIES)
        np.testing.assert_allclose(scores[second, 0], expected[0], rtol=1e-6)
        np.testing.assert_allclose(grounder.boxes(stretch, QUERIES[0])[second], boxes[0], rtol=1e-6)
    assert scores[0, 1] == -np.inf
    again = grounder.frame_scores(Stretch(grounder.read(request), range(3)), QUERIES)
    np.testing.assert_array_equal(again, scores)
    assert capabilities(grounder).tasks == ("st", "spatial", "temporal")


def test_a_pool_of_700_is_read_once(
    grounder: Owlv2Grounder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = [f"step {number}, stirring for a very long time" for number in range(700)]
    asked: list[int] = []
    encode = grounder._encoded
    monkeypatch.setattr(grounder, "_encoded", lambda some: asked.append(len(some)) or encode(some))
    scores, boxes = grounder.detect(noise(40, 64), pool)
    grounder.detect(noise(64, 40), pool)
    assert sum(asked) == 700
    assert np.isfinite(scores).all()
    assert np.isfinite(boxes).all()
    alone, place = grounder.detect(noise(40, 64), pool[300:301])
    np.testing.assert_allclose(alone, scores[300], rtol=1e-5)
    np.testing.assert_allclose(place[0], boxes[300], rtol=1e-5)


def test_half_precision_is_close(files: dict[str, Path], grounder: Owlv2Grounder) -> None:
    half = Owlv2Grounder(Owlv2Settings(), Setup(files, half=True))
    frame = noise(64, 64)
    whole, (close, _) = grounder.detect(frame, QUERIES)[0], half.detect(frame, QUERIES)
    np.testing.assert_allclose(close, whole, atol=0.01)
    assert not np.array_equal(close, whole)


def test_weights_that_are_no_numbers_are_told(files: dict[str, Path], tmp_path: Path) -> None:
    state = load_file(files["checkpoint"])
    state["class_head.dense0.weight"][:] = torch.nan
    save_file(state, tmp_path / "nan.safetensors")
    grounder = Owlv2Grounder(
        Owlv2Settings(), Setup({**files, "checkpoint": tmp_path / "nan.safetensors"})
    )
    video = write_video(tmp_path / "v.mp4", steady(2))
    request = Request("v", video, range(2), "st", [Asked("egg", range(1, 2))])
    with pytest.raises(InputError, match=r"v: .*'egg'.*\(NaN\) at second 1"):
        grounder.read(request)


@pytest.mark.parametrize("role", ["checkpoint", "config"])
def test_a_file_that_is_missing_is_named(files: dict[str, Path], role: str) -> None:
    rest = {name: path for name, path in files.items() if name != role}
    with pytest.raises(InputError, match=f"needs the file '{role}': .*--file {role}=PATH"):
        Owlv2Grounder(Owlv2Settings(), Setup(rest))
