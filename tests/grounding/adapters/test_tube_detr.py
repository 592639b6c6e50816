from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.tube_detr import TubeDetrGrounder, TubeDetrSettings
from gytbench.grounding.adapters.windows import pixels, start_and_end
from gytbench.grounding.contract import Asked, Request, Setup, capabilities
from gytbench.models.tube_detr import MAX_FRAMES
from gytbench.videos import open_frames
from tests.grounding.real import real_video
from tests.models.tokens import write_tokenizer
from tests.models.tubes import make_small, small_state, write_small
from tests.videos.making import steady, write_video

SIZE = (105, 45)
"""Of the real video's frames, whose shorter side is 64 or whose longer one is 107 at most."""


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    vocabulary, merges = write_tokenizer(folder)
    return {"checkpoint": write_small(folder), "vocabulary": vocabulary, "merges": merges}


def settings(**changed: object) -> TubeDetrSettings:
    return TubeDetrSettings(**{"resolution": 64, "window": 4, "hop": 3, **changed})


@pytest.fixture(scope="module")
def grounder(files) -> TubeDetrGrounder:
    return TubeDetrGrounder(settings(), Setup(files))


def asked_of(path: Path, task: str, *asked: Asked, count: int = 10) -> Request:
    return Request("bikes", path, range(count), task, asked)


def answer(grounder: TubeDetrGrounder, window: range, query: str) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and logits of a window, straight from the model: 5 frames a second."""
    times = [window.start + k / 5 for k in range(5 * len(window))]
    frames = np.stack(list(open_frames(real_video()).sampled(times, SIZE)))
    model = grounder._model
    with torch.inference_mode():
        tokens = model.read(torch.tensor(grounder._tokens.ids(query)))
        boxes, logits = model.find(model.look(pixels(frames, "cpu")), tokens)
    return boxes.numpy(), logits.numpy().astype(float)


def corners(boxes: np.ndarray) -> np.ndarray:
    centres, sides = boxes[:, :2], boxes[:, 2:]
    return np.hstack([centres - sides / 2, centres + sides / 2])


def test_it_does_all_tasks_by_itself() -> None:
    assert capabilities(TubeDetrGrounder).tubes
    assert TubeDetrGrounder.most == MAX_FRAMES


def test_a_clip_has_the_boxes_of_its_seconds(grounder) -> None:
    asked = [Asked("crack egg", range(2, 5), 7), Asked("egg", range(6, 7), 8)]
    first, second = grounder.tubes(asked_of(real_video(), "spatial", *asked))
    assert (first.label, first.instance, first.start, first.end) == ("crack egg", 7, 2, 5)
    assert (second.label, second.instance, second.start, second.end) == ("egg", 8, 6, 7)
    boxes, _ = answer(grounder, range(2, 5), "crack egg")
    np.testing.assert_allclose(first.boxes, corners(boxes[[0, 5, 10]]), atol=1e-5)
    np.testing.assert_allclose(first.points, boxes[[0, 5, 10], :2], atol=1e-5)
    assert second.points == [pytest.approx(answer(grounder, range(6, 7), "egg")[0][0, :2])]


def _grey(time: float, size: tuple[int, int]) -> np.ndarray:
    return np.full((size[1], size[0], 3), int(4 * time), np.uint8)


def test_a_long_clip_is_one_window(grounder, tmp_path) -> None:
    """50 seconds at 5 frames a second would be 250 frames; 200 are seen, 4 a second."""
    path = write_video(tmp_path / "long.mp4", steady(50, rate=5), draw=_grey)
    asked = Asked("egg", range(50), 0)
    seen = []
    look = grounder._model.look
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grounder._model, "look", lambda some: seen.append(len(some)) or look(some))
        (tube,) = grounder.tubes(asked_of(path, "spatial", asked, count=50))
    assert sum(seen) == 200
    assert len(tube.boxes) == 50


def test_a_video_has_the_best_tube_of_its_windows(grounder) -> None:
    """Windows of 4 seconds, one each 3: 0 to 4, 3 to 7, 6 to 10."""
    found = grounder.tubes(asked_of(real_video(), "st", Asked("egg", range(10))))
    expected = []
    for window in (range(4), range(3, 7), range(6, 10)):
        boxes, logits = answer(grounder, window, "egg")
        first, last, score = start_and_end(logits)
        seconds = window[first // 5 : last // 5 + 1]
        shown = [5 * (second - window.start) for second in seconds]
        expected.append((score, seconds, corners(boxes[shown])))
    expected.sort(key=lambda each: -each[0])
    taken: set[int] = set()
    kept = []
    for each in expected:
        if not taken & set(each[1]):
            kept.append(each)
            taken |= set(each[1])
    assert len(kept) == len(found)
    for tube, (score, seconds, boxes) in zip(found, kept, strict=True):
        assert (tube.label, tube.instance) == ("egg", None)
        assert (tube.start, tube.end) == (seconds.start, seconds.stop)
        assert tube.score == pytest.approx(score, abs=1e-5)
        np.testing.assert_allclose(tube.boxes, boxes, atol=1e-5)


def test_descriptions_share_what_is_seen_of_a_window(grounder, monkeypatch) -> None:
    looked, read = [], []
    model = grounder._model
    look, words = model.look, model.read
    monkeypatch.setattr(grounder, "_texts", {})
    monkeypatch.setattr(model, "look", lambda some: looked.append(len(some)) or look(some))
    monkeypatch.setattr(model, "read", lambda ids: read.append(len(ids)) or words(ids))
    queries = ("egg", "crack", "crack egg")
    asked = [Asked(query, range(10)) for query in queries]
    found = grounder.tubes(asked_of(real_video(), "st", *asked))
    assert {tube.label for tube in found} == set(queries)
    assert sum(looked) == 10 * 5  # though windows overlap
    assert max(looked) <= 8
    assert len(read) == 3


def test_windows_are_read_one_after_the_other(grounder, monkeypatch) -> None:
    """No window is decoded before the one before it is answered."""
    events = []
    model = grounder._model
    look, find = model.look, model.find
    monkeypatch.setattr(model, "look", lambda some: events.append("look") or look(some))
    monkeypatch.setattr(model, "find", lambda *some: events.append("find") or find(*some))
    grounder.tubes(asked_of(real_video(), "st", Asked("egg", range(10))))
    assert [each for k, each in enumerate(events) if k == 0 or events[k - 1] != each] == [
        "look",
        "find",
    ] * 3


def test_the_prompt_is_put_around_the_query(files, grounder) -> None:
    asked = Asked("egg", range(2), 0)
    plain = grounder.tubes(asked_of(real_video(), "spatial", asked))
    prompted = TubeDetrGrounder(settings(prompt="crack {}"), Setup(files))
    (tube,) = prompted.tubes(asked_of(real_video(), "spatial", asked))
    assert tube.label == "egg"
    assert tube.boxes != plain[0].boxes
    other = asked._replace(query="crack egg")
    assert tube.boxes == grounder.tubes(asked_of(real_video(), "spatial", other))[0].boxes


def test_weights_that_give_no_numbers_are_told(files, tmp_path) -> None:
    state = small_state()
    state["sted_embed.layers.1.bias"] = torch.tensor([np.nan, 0])
    torch.save({"model_ema": state}, tmp_path / "broken.pth")
    broken = TubeDetrGrounder(settings(), Setup({**files, "checkpoint": tmp_path / "broken.pth"}))
    with pytest.raises(InputError) as error:
        broken.tubes(asked_of(real_video(), "st", Asked("egg", range(10))))
    assert error.value.faults[0].where == "bikes"
    assert "the network for 'egg' gives no number (NaN) at second 0" in str(error.value)


def test_a_stride_that_cannot_be_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="stride"):
        msgspec.convert({"stride": 0}, TubeDetrSettings)
