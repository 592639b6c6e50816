"""What detectors of single frames share: which frames they see, and what comes of answers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.grounding.adapters.detecting import FrameDetector
from gytbench.grounding.contract import Asked, Reader, Request, Stretch, capabilities
from tests.videos.making import grey, steady, write_video

SIZE = (64, 48)


class Brightness(FrameDetector):
    """The grey of the frame's middle; the box tells which of the queries of the frame it is."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[int, ...], tuple[str, ...]]] = []

    def detect(self, frame: np.ndarray, queries: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        self.calls.append((frame.shape, tuple(queries)))
        scores = np.full(len(queries), float(frame[24, 32, 0]))
        boxes = np.array([[0, 0, 0.5, 0.25 * (1 + row)] for row in range(len(queries))])
        return scores, boxes


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "v.mp4", steady(5), SIZE)


def request(video: Path, *asked: Asked, seconds: range = range(5)) -> Request:
    return Request("v", video, seconds, "st", asked)


def test_it_says_when_and_where_by_reading():
    detector = Brightness()
    assert isinstance(detector, Reader)
    assert capabilities(detector).tasks == ("st", "spatial", "temporal")


def test_each_second_is_answered_by_its_own_frame(video):
    detector = Brightness()
    features = detector.read(
        request(video, Asked("stir", range(5)), Asked("fold", range(5)), Asked("stir", range(2)))
    )
    stretch = Stretch(features, range(5))
    scores = detector.frame_scores(stretch, ["fold", "stir"])
    assert scores.shape == (5, 2)
    assert np.abs(scores - np.array([grey(second) for second in range(5)])[:, None]).max() < 4
    assert detector.calls == [((48, 64, 3), ("stir", "fold"))] * 5
    np.testing.assert_array_equal(detector.boxes(stretch, "stir"), [[0, 0, 0.5, 0.25]] * 5)
    np.testing.assert_array_equal(detector.boxes(stretch, "fold"), [[0, 0, 0.5, 0.5]] * 5)


def test_only_what_is_asked_is_looked_at(video):
    detector = Brightness()
    asked = (
        Asked("fold", range(3, 4), instance=2),
        Asked("stir", range(1, 3), instance=1),
        Asked("stir", range(3, 9), instance=3),
    )
    features = detector.read(request(video, *asked))
    assert [queries for _, queries in detector.calls] == [
        ("stir",), ("stir",), ("fold", "stir"), ("stir",),
    ]  # fmt: skip
    found = {name: np.isfinite(values).tolist() for name, values in features.items()}
    assert found["scores of stir"] == [False, True, True, True, True]
    assert found["scores of fold"] == [False, False, False, True, False]
    assert found["boxes of fold"] == [[number == 3] * 4 for number in range(5)]
    np.testing.assert_array_equal(features["boxes of stir"][3], [0, 0, 0.5, 0.5])
    assert features["scores of fold"][0] == -np.inf
    part = Stretch(features, range(5)).part(range(1, 3))
    assert len(detector.boxes(part, "stir")) == 2


def test_nothing_asked_opens_no_file(tmp_path):
    missing = tmp_path / "missing.mp4"
    assert Brightness().read(request(missing)) == {}
    found = Brightness().read(request(missing, Asked("stir", range(7, 9))))
    assert (found["scores of stir"] == -np.inf).all()
    with pytest.raises(InputError, match="no such video file"):
        Brightness().read(request(missing, Asked("stir", range(2))))


class At(FrameDetector):
    """Nothing before second 2; a score is the second's number."""

    def detect_at(
        self, video: str, second: int, frame: np.ndarray, queries: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        assert (video, frame.shape) == ("v", (48, 64, 3))
        score = second if second > 1 else -np.inf
        return np.full(len(queries), score), np.full((len(queries), 4), np.nan)


def test_a_detector_may_ask_which_frame_it_is_and_find_nothing(video):
    features = At().read(request(video, Asked("stir", range(5))))
    assert features["scores of stir"].tolist() == [-np.inf, -np.inf, 2, 3, 4]
    assert np.isnan(features["boxes of stir"]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_refused(video, value):
    class Broken(FrameDetector):
        def detect(self, frame, queries):  # noqa: ARG002
            return np.array([0.5, value]), np.zeros((2, 4))

    asked = (Asked("fold", range(2, 4)), Asked("stir", range(2, 4)))
    with pytest.raises(InputError) as caught:
        Broken().read(request(video, *asked))
    assert str(caught.value).startswith(
        "v: the network for 'stir' gives no number (NaN) at second 2: "
    )
