from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.stcat import StcatGrounder, StcatSettings
from gytbench.grounding.adapters.windows import pixels, start_and_end
from gytbench.grounding.contract import Asked, Request, Setup, capabilities
from gytbench.videos import open_frames
from tests.grounding.real import real_video
from tests.models.stcats import make_small, small_state, write_small
from tests.models.tokens import write_tokenizer
from tests.videos.making import steady, write_video

SIZE = (103, 44)
"""Of the real video's frames, whose shorter side is 64 or whose longer one is 103 at most."""


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


def settings(**changed: object) -> StcatSettings:
    return StcatSettings(**{"resolution": 64, "window": 4, "hop": 3, **changed})


@pytest.fixture(scope="module")
def grounder(files) -> StcatGrounder:
    return StcatGrounder(settings(), Setup(files))


def asked_of(path: Path, task: str, *asked: Asked, count: int = 10) -> Request:
    return Request("bikes", path, range(count), task, asked)


def answers(grounder: StcatGrounder, window: range, query: str) -> list[tuple[np.ndarray, ...]]:
    """Boxes and logits of the two halves of a window, straight from the model."""
    times = [window.start + k / 5 for k in range(5 * len(window))]
    frames = np.stack(list(open_frames(real_video()).sampled(times, SIZE)))
    model = grounder._model
    with torch.inference_mode():
        tokens = model.read(torch.tensor(grounder._tokens.ids(query)))
        found = [model.find(model.look(pixels(frames[k::2], "cpu")), tokens)[:2] for k in (0, 1)]
    return [(boxes.numpy(), logits.numpy().astype(float)) for boxes, logits in found]


def corners(boxes: np.ndarray) -> np.ndarray:
    centres, sides = boxes[:, :2], boxes[:, 2:]
    return np.hstack([centres - sides / 2, centres + sides / 2])


def test_it_does_all_tasks_by_itself() -> None:
    assert capabilities(StcatGrounder).tubes


def test_even_and_odd_frames_are_found_by_themselves(grounder, monkeypatch) -> None:
    """A network that answers with what a frame shows, and with how many frames it was given."""
    given = []

    def find(cells, tokens):
        shown = cells[:, 0, 0, 0]
        given.append(shown.tolist())
        boxes = shown[:, None].expand(-1, 4)
        logits = torch.full((len(cells), 2), float(len(cells)))
        return boxes, logits, tokens

    monkeypatch.setattr(grounder._model, "find", find)
    cells = torch.arange(10.0, 15)[:, None, None, None].expand(-1, 256, 2, 3)
    boxes, logits = grounder.find(cells, torch.zeros(4, 256))
    assert given == [[10, 12, 14], [11, 13]]
    assert boxes.tolist() == [[value] * 4 for value in (10, 11, 12, 13, 14)]
    assert logits[:, 0].tolist() == [3, 2, 3, 2, 3]
    given.clear()
    grounder.find(cells[:1], torch.zeros(4, 256))
    assert given == [[10]]


@pytest.mark.parametrize(
    ("even", "odd", "expected"),
    [
        ((1, 2), (0, 1), (1, 4)),  # frames 2 to 4, and 1 to 3
        ((0, 1), (1, 2), (0, 5)),  # frames 0 to 2, and 3 to 5
        ((0, 2), (1, 2), (0, 5)),  # frames 0 to 4, and 3 to 5
    ],
)
def test_a_tube_has_the_earlier_start_and_the_later_end(grounder, even, odd, expected) -> None:
    logits = np.zeros((6, 2))
    for k, (start, end) in enumerate((even, odd)):
        logits[2 * start + k, 0] = logits[2 * end + k, 1] = 5
    first, last, score = grounder.span(logits)
    assert (first, last) == expected
    # Each of the four has e^5 of e^5 + 2, where chance has a third.
    assert score == pytest.approx(2 * np.log(3 * np.exp(5) / (np.exp(5) + 2)))


def test_the_score_is_the_mean_of_the_halves(grounder) -> None:
    logits = 2 * np.random.default_rng(0).standard_normal((9, 2))
    scores = [start_and_end(logits[k::2])[2] for k in (0, 1)]
    assert grounder.span(logits)[2] == pytest.approx(np.mean(scores))
    assert grounder.span(logits[:1]) == (0, 0, 0)
    assert grounder.span(logits[:2]) == (0, 1, 0)


def test_boxes_are_joined_linearly(grounder) -> None:
    """Frames at 10, 12.5, 15 and 17.5 seconds; after the last frame its box stays."""
    boxes = np.array([[0, 0.5, 0.1, 1], [0.1, 0.4, 0.1, 0], [0.2, 0.3, 0.1, 0], [0.3, 0.2, 0.1, 0]])
    found = grounder.boxes_at(boxes, range(10, 20), range(11, 20))
    np.testing.assert_allclose(found[:, 0], [0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.3, 0.3])
    np.testing.assert_allclose(found[:2, 1], [0.46, 0.42])
    np.testing.assert_allclose(found[:3, 3], [0.6, 0.2, 0], atol=1e-12)


def test_a_clip_has_the_boxes_of_its_seconds(grounder) -> None:
    asked = [Asked("crack egg", range(2, 5), 7), Asked("egg", range(6, 7), 8)]
    first, second = grounder.tubes(asked_of(real_video(), "spatial", *asked))
    assert (first.label, first.instance, first.start, first.end) == ("crack egg", 7, 2, 5)
    (even, _), (odd, _) = answers(grounder, range(2, 5), "crack egg")
    shown = np.array([even[0], odd[2], even[5]])  # frames 0, 5 and 10
    np.testing.assert_allclose(first.boxes, corners(shown), atol=1e-5)
    np.testing.assert_allclose(first.points, shown[:, :2], atol=1e-5)
    (even, _), _ = answers(grounder, range(6, 7), "egg")
    assert second.points == [pytest.approx(even[0, :2], abs=1e-5)]


def _grey(time: float, size: tuple[int, int]) -> np.ndarray:
    return np.full((size[1], size[0], 3), int(4 * time), np.uint8)


def test_a_long_clip_is_one_window_of_128_frames(grounder, tmp_path, monkeypatch) -> None:
    path = write_video(tmp_path / "long.mp4", steady(50, rate=5), draw=_grey)
    seen, found = [], []
    model = grounder._model
    look, find = model.look, model.find
    monkeypatch.setattr(model, "look", lambda some: seen.append(len(some)) or look(some))
    monkeypatch.setattr(model, "find", lambda *some: found.append(len(some[0])) or find(*some))
    (tube,) = grounder.tubes(asked_of(path, "spatial", Asked("egg", range(50), 0), count=50))
    assert (sum(seen), max(seen), found) == (128, 8, [64, 64])
    assert len(tube.boxes) == 50


def test_a_video_has_the_best_tube_of_its_windows(grounder) -> None:
    """Windows of 4 seconds, one each 3: 0 to 4, 3 to 7, 6 to 10."""
    found = grounder.tubes(asked_of(real_video(), "st", Asked("egg", range(10))))
    expected = []
    for window in (range(4), range(3, 7), range(6, 10)):
        (even, of_even), (odd, of_odd) = answers(grounder, window, "egg")
        spans = [start_and_end(logits) for logits in (of_even, of_odd)]
        first = min(2 * spans[0][0], 2 * spans[1][0] + 1)
        last = max(2 * spans[0][1], 2 * spans[1][1] + 1)
        seconds = window[first // 5 : last // 5 + 1]
        frames = [5 * (second - window.start) for second in seconds]
        boxes = np.array([(even, odd)[frame % 2][frame // 2] for frame in frames])
        expected.append(((spans[0][2] + spans[1][2]) / 2, seconds, corners(boxes)))
    expected.sort(key=lambda each: -each[0])
    taken: set[int] = set()
    kept = []
    for each in expected:
        if not taken & set(each[1]):
            kept.append(each)
            taken |= set(each[1])
    assert len(kept) == len(found)
    for tube, (score, seconds, boxes) in zip(found, kept, strict=True):
        assert (tube.label, tube.start, tube.end) == ("egg", seconds.start, seconds.stop)
        assert tube.score == pytest.approx(score, abs=1e-5)
        np.testing.assert_allclose(tube.boxes, boxes, atol=1e-5)


def test_descriptions_share_what_is_seen_of_a_window(grounder, monkeypatch) -> None:
    events, read = [], []
    model = grounder._model
    look, find, words = model.look, model.find, model.read
    monkeypatch.setattr(grounder, "_texts", {})
    monkeypatch.setattr(model, "look", lambda some: events.append(len(some)) or look(some))
    monkeypatch.setattr(model, "find", lambda *some: events.append(0) or find(*some))
    monkeypatch.setattr(model, "read", lambda ids: read.append(len(ids)) or words(ids))
    queries = ("egg", "crack", "crack egg")
    asked = [Asked(query, range(10)) for query in queries]
    found = grounder.tubes(asked_of(real_video(), "st", *asked))
    assert {tube.label for tube in found} == set(queries)
    assert sum(events) == 10 * 5  # though windows overlap
    assert len(read) == 3
    # Each window is answered, in halves for each description, before the next is decoded.
    seen = "".join("L" if event else "f" for event in events)
    assert [len(part) for part in seen.split("L") if part] == [6, 6, 6]


def test_texts_are_made_lower_case(files, grounder) -> None:
    asked = Asked("Crack EGG", range(2), 0)
    (tube,) = grounder.tubes(asked_of(real_video(), "spatial", asked))
    assert tube.label == "Crack EGG"
    plain = grounder.tubes(asked_of(real_video(), "spatial", asked._replace(query="crack egg")))
    assert tube.boxes == plain[0].boxes
    prompted = StcatGrounder(settings(prompt="Crack {}"), Setup(files))
    other = prompted.tubes(asked_of(real_video(), "spatial", asked._replace(query="egg")))
    assert other[0].boxes == plain[0].boxes


def test_weights_that_give_no_numbers_are_told(files, tmp_path) -> None:
    state = small_state()
    state["temp_embed.layers.1.bias"] = torch.tensor([np.nan, 0])
    torch.save({"model": state}, tmp_path / "broken.pth")
    broken = StcatGrounder(settings(), Setup({**files, "checkpoint": tmp_path / "broken.pth"}))
    with pytest.raises(InputError) as error:
        broken.tubes(asked_of(real_video(), "st", Asked("egg", range(3, 10))))
    assert error.value.faults[0].where == "bikes"
    assert "for 'egg' gives no number (NaN) at second 3" in str(error.value)
