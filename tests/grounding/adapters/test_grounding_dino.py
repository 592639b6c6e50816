"""Grounding DINO: its answers are those of transformers' own network, caption by caption."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from gytbench.errors import InputError
from gytbench.grounding.adapters.grounding_dino import (
    GroundingDinoGrounder,
    GroundingDinoSettings,
)
from gytbench.grounding.contract import Asked, Request, Setup, Stretch, capabilities
from gytbench.videos import open_frames
from tests.models.tiny_detectors import make_grounding_dino, vocabulary
from tests.videos.making import steady, write_video

SMALL = GroundingDinoSettings(short_side=64, long_side=107)
QUERIES = ["crack eggs", "Stir the pan."]
IDS = {word: number for number, word in enumerate(vocabulary())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dino")


@pytest.fixture(scope="module")
def network(folder: Path) -> Any:
    return make_grounding_dino(folder)


@pytest.fixture(scope="module")
def files(folder: Path, network: Any) -> dict[str, Path]:  # noqa: ARG001
    return {
        "checkpoint": folder / "model.safetensors",
        "config": folder / "config.json",
        "vocabulary": folder / "vocab.txt",
    }


@pytest.fixture(scope="module")
def grounder(files: dict[str, Path]) -> GroundingDinoGrounder:
    return GroundingDinoGrounder(SMALL, Setup(files))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def normalised(frame: np.ndarray) -> torch.Tensor:
    """A frame in the size that it has, with ImageNet's mean and deviation."""
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return torch.tensor(((frame / 255 - mean) / deviation).transpose(2, 0, 1)[None]).float()


def direct(
    network: Any, frame: np.ndarray, phrases: Mapping[str, list[str]]
) -> dict[str, tuple[float, np.ndarray]]:
    """One caption's answers; the phrases with their tokens in words."""
    words = ["[CLS]"]
    spans = {}
    for query, own in phrases.items():
        spans[query] = slice(len(words), len(words) + len(own))
        words += [*own, "."]
    ids = torch.tensor([[IDS[word] for word in [*words, "[SEP]"]]])
    with torch.no_grad():
        found = network(
            pixel_values=normalised(frame),
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            token_type_ids=torch.zeros_like(ids),
            pixel_mask=torch.ones(1, *frame.shape[:2], dtype=torch.long),
        )
    answers = {}
    for query, span in spans.items():
        scores = found.logits[0, :, span].sigmoid().mean(dim=1)
        x, y, width, height = found.pred_boxes[0, scores.argmax()].numpy()
        box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        answers[query] = scores.max().item(), np.clip(box, 0, 1)
    return answers


def test_a_frame_is_answered_as_transformers_does(
    network: Any, grounder: GroundingDinoGrounder
) -> None:
    frame = noise(64, 96)
    scores, boxes = grounder.detect(frame, QUERIES)
    phrases = {QUERIES[0]: ["crack", "egg", "##s"], QUERIES[1]: ["stir", "the", "pan"]}
    for row, (score, box) in enumerate(direct(network, frame, phrases).values()):
        np.testing.assert_allclose(scores[row], score, atol=1e-5)
        np.testing.assert_allclose(boxes[row], box, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "seen"), [((100, 100), (64, 64)), ((36, 64), (60, 106)), ((50, 60), (64, 76))]
)
def test_frames_are_resized_by_their_shorter_or_longer_side(
    network: Any, grounder: GroundingDinoGrounder, size: tuple[int, int], seen: tuple[int, int]
) -> None:
    for turn in (1, -1):
        frame = noise(*size[::turn])
        image = Image.fromarray(frame).resize(seen[::-turn], Image.Resampling.BILINEAR)
        expected = direct(network, np.asarray(image), {"pan": ["pan"]})["pan"]
        scores, boxes = grounder.detect(frame, ["pan"])
        np.testing.assert_allclose(scores[0], expected[0], atol=1e-5)
        np.testing.assert_allclose(boxes[0], expected[1], atol=1e-5)


def test_a_video_is_grounded_second_by_second(
    grounder: GroundingDinoGrounder, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "v.mp4", steady(3), (64, 48))
    asked = (Asked(QUERIES[0], range(3)), Asked(QUERIES[1], range(1, 3)))
    request = Request("v", video, range(3), "st", asked)
    stretch = Stretch(grounder.read(request), range(3))
    scores = grounder.frame_scores(stretch, QUERIES)
    source = open_frames(video)
    for second, frame in enumerate(source.sampled(range(3), source.size)):
        expected, boxes = grounder.detect(frame, QUERIES[: 1 + (second > 0)])
        np.testing.assert_array_equal(scores[second, : len(expected)], expected)
        np.testing.assert_array_equal(grounder.boxes(stretch, QUERIES[0])[second], boxes[0])
    assert scores[0, 1] == -np.inf
    again = grounder.frame_scores(Stretch(grounder.read(request), range(3)), QUERIES)
    np.testing.assert_array_equal(again, scores)
    assert capabilities(grounder).tasks == ("st", "spatial", "temporal")


def test_a_pool_of_700_takes_captions_that_share_the_frame(
    network: Any, grounder: GroundingDinoGrounder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = [f"stir the {number // 10} {number % 10}" for number in range(100)]
    pool += [f"crack {number:03}" for number in range(600)]
    model = grounder._network._network.model
    runs = {"whole": 0, "backbone": 0, "text": 0}

    def counted(name: str, module: Any) -> None:
        forward = module.forward

        def count(*words: Any, **options: Any) -> Any:
            runs[name] += 1
            return forward(*words, **options)

        monkeypatch.setattr(module, "forward", count)

    counted("whole", model)
    counted("backbone", model.backbone.backbone)
    counted("text", model.text_backbone.encoder)
    frame = noise(64, 96)
    scores, boxes = grounder.detect(frame, pool)
    assert np.isfinite(scores).all()
    assert np.isfinite(boxes).all()
    # The first 100 take 5 tokens each, dot included, so that two captions hold them.
    assert runs == {"whole": 10, "backbone": 1, "text": 10}
    grounder.detect(noise(96, 64), pool)
    assert runs == {"whole": 20, "backbone": 2, "text": 10}
    first = {query: query.split() for query in pool[:50]}
    expected = direct(network, frame, first)
    np.testing.assert_allclose(scores[:50], [expected[q][0] for q in pool[:50]], atol=1e-5)


def test_what_ends_a_phrase_is_no_part_of_it(network: Any, grounder: GroundingDinoGrounder) -> None:
    frame = noise(64, 64)
    scores, boxes = grounder.detect(frame, ["stir. the? [SEP] pan", "...", "pan", ""])
    phrases = {"a": ["stir", "the", "pan"], "b": ["pan"]}
    expected = direct(network, frame, phrases)
    np.testing.assert_allclose(scores[[0, 2]], [expected[q][0] for q in "ab"], atol=1e-5)
    assert (scores[[1, 3]] == -np.inf).all()
    assert np.isnan(boxes[[1, 3]]).all()


def test_a_query_that_is_too_long_is_cut(grounder: GroundingDinoGrounder) -> None:
    frame = noise(64, 64)
    long, cut = " ".join(["stir"] * 400), " ".join(["stir"] * 253)
    scores, _ = grounder.detect(frame, ["pan", long])
    np.testing.assert_array_equal(scores[1:], grounder.detect(frame, [cut])[0])


def test_half_precision_is_close(files: dict[str, Path], grounder: GroundingDinoGrounder) -> None:
    half = GroundingDinoGrounder(SMALL, Setup(files, half=True))
    frame = noise(64, 64)
    whole, close = grounder.detect(frame, QUERIES)[0], half.detect(frame, QUERIES)[0]
    np.testing.assert_allclose(close, whole, atol=0.02)
    assert not np.array_equal(close, whole)


def test_weights_that_are_no_numbers_are_told(files: dict[str, Path], tmp_path: Path) -> None:
    state = load_file(files["checkpoint"])
    state["model.text_projection.bias"][:] = torch.nan
    save_file(state, tmp_path / "nan.safetensors")
    grounder = GroundingDinoGrounder(
        SMALL, Setup({**files, "checkpoint": tmp_path / "nan.safetensors"})
    )
    video = write_video(tmp_path / "v.mp4", steady(2))
    request = Request("v", video, range(2), "st", [Asked("egg", range(1, 2))])
    with pytest.raises(InputError, match=r"v: .*'egg'.*\(NaN\) at second 1"):
        grounder.read(request)


@pytest.mark.parametrize("role", ["checkpoint", "config", "vocabulary"])
def test_a_file_that_is_missing_is_named(files: dict[str, Path], role: str) -> None:
    rest = {name: path for name, path in files.items() if name != role}
    with pytest.raises(InputError, match=f"needs the file '{role}': .*--file {role}=PATH"):
        GroundingDinoGrounder(SMALL, Setup(rest))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"crack\negg\n", "is not the vocabulary of bert-base-uncased, one token a line"),
        ("\n".join(vocabulary()).replace("?", "!").encode(), "is not the vocabulary"),
        ("\n".join([*vocabulary(), "more"]).encode(), "is not the vocabulary"),
        (b'{"model": {"vocab": {}}}', "is not the vocabulary"),
        (b"\xff\xfe\n", "is not UTF-8 text"),
        (b"", "is not the vocabulary"),
        (b"a\n" * (6 << 20), "is too large"),
    ],
)
def test_a_vocabulary_of_another_network_is_refused(
    files: dict[str, Path], tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path}: {told}"):
        GroundingDinoGrounder(SMALL, Setup({**files, "vocabulary": path}))


def test_a_network_of_other_parts_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for part, model_type in {"backbone_config": "swin", "text_config": "bert"}.items():
        text = files["config"].read_text()
        path.write_text(text.replace(f'"model_type": "{model_type}"', '"model_type": "resnet"'))
        told = f"its {part} is of type 'resnet'; only '{model_type}' is supported"
        with pytest.raises(InputError, match=told):
            GroundingDinoGrounder(SMALL, Setup({**files, "config": path}))
