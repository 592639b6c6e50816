"""What detectors of single frames share: a video read second by second, answers by query."""

from collections.abc import Sequence

import numpy as np

from gytbench.errors import InputError
from gytbench.grounding.contract import Features, Request, Stretch
from gytbench.metrics.arrays import Bools, Floats


def no_number(what: str, video: str, second: int) -> InputError:
    """The error to raise where a network's answer to a frame cannot be compared."""
    reason = (
        f"{what} gives no number (NaN) at second {second}: the weights are damaged, or half "
        "precision does not do for them"
    )
    return InputError(reason, where=video)


class AnswersBySecond:
    """Answers from features that hold, for each query, what was found in each second."""

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """The scores, seconds x queries; -inf where there is none."""
        scores = [stretch.by_second(stretch.features[f"scores of {each}"]) for each in queries]
        return np.array(scores).reshape(len(queries), len(stretch.seconds)).T

    def boxes(self, stretch: Stretch, query: str) -> Floats:
        """The boxes, seconds x 4, in fractions of the frame; nan where there is none."""
        return stretch.by_second(stretch.features[f"boxes of {query}"])


class FrameDetector(AnswersBySecond):
    """Reads a video second by second and asks a detector for each frame.

    To be extended with `detect`, or with `detect_at` where it must know which frame it is.
    """

    def detect(self, frame: np.ndarray, queries: Sequence[str]) -> tuple[Floats, Floats]:
        """How well each query fits a frame, and where it is; to be defined.

        frame: RGB, height x width x 3 uint8, not to be written to. Returns scores, one for
        each query and higher where it fits better, -inf where it is nowhere; and boxes,
        queries x (x1, y1, x2, y2) in fractions of the frame, nan where there is none.
        """
        raise NotImplementedError

    def detect_at(
        self,
        video: str,  # noqa: ARG002
        second: int,  # noqa: ARG002
        frame: np.ndarray,
        queries: Sequence[str],
    ) -> tuple[Floats, Floats]:
        """As `detect`, of the frame of a second of a video."""
        return self.detect(frame, queries)

    def read(self, request: Request) -> Features:
        """For each query, "scores of QUERY" (seconds) and "boxes of QUERY" (seconds x 4).

        As `frame_scores` and `boxes` give them. Only seconds of which something is asked
        are decoded, each once, one after the other. Raises `InputError` where the video
        cannot be decoded, and where a score is not a number.
        """
        from gytbench.videos import open_frames

        asked = _Asked(request)
        if asked.seconds:
            source = open_frames(request.path)
            frames = source.sampled(asked.seconds, source.size)
            for second, frame in zip(asked.seconds, frames, strict=True):
                found = self.detect_at(request.video, second, frame, asked.queries_at(second))
                asked.note(second, *found)
        return asked.features


class _Asked:
    """What is asked of each second of a video, and what was answered."""

    def __init__(self, request: Request) -> None:
        self._video = request.video
        self._first = request.seconds.start
        self._queries = tuple(dict.fromkeys(each.query for each in request.asked))
        shape = (len(request.seconds), len(self._queries))
        self._asked: Bools = np.zeros(shape, dtype=np.bool_)
        self._scores: Floats = np.full(shape, -np.inf)
        self._boxes: Floats = np.full((*shape, 4), np.nan)
        for query, seconds, _ in request.asked:
            start, stop = (max(at - self._first, 0) for at in (seconds.start, seconds.stop))
            self._asked[start:stop, self._queries.index(query)] = True

    @property
    def seconds(self) -> list[int]:
        """Those of which something is asked, ascending."""
        rows: list[int] = np.flatnonzero(self._asked.any(axis=1)).tolist()
        return [self._first + row for row in rows]

    @property
    def features(self) -> Features:
        """All that was noted, by query."""
        features: dict[str, np.ndarray] = {}
        for column, query in enumerate(self._queries):
            features[f"scores of {query}"] = self._scores[:, column]
            features[f"boxes of {query}"] = self._boxes[:, column]
        return features

    def queries_at(self, second: int) -> list[str]:
        """What is asked of a second."""
        row = self._asked[second - self._first]
        return [query for query, asked in zip(self._queries, row, strict=True) if asked]

    def note(self, second: int, scores: Floats, boxes: Floats) -> None:
        """Keep the answers to what is asked of a second; raises `InputError` for NaN."""
        wrong = np.isnan(scores) | (scores == np.inf)
        if wrong.any():
            query = self.queries_at(second)[int(wrong.argmax())]
            raise no_number(f"the network for {query!r}", self._video, second)
        row = second - self._first
        self._scores[row, self._asked[row]] = scores
        self._boxes[row, self._asked[row]] = boxes
