"""One video under annotation: what the page may ask for and what it may send."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import msgspec

from gytbench.collection.export import encode_csv
from gytbench.collection.log import Answer, AnswerLog, Key, Kind
from gytbench.collection.tasks import Task
from gytbench.errors import InputError
from gytbench.videos import EncodedImage, FrameSource


class Posted(msgspec.Struct, forbid_unknown_fields=True):
    """An answer as the page sends it; the rest of the line is known here."""

    second: int
    step: str | None
    annotator: str
    answer: Kind
    x: float | None = None
    y: float | None = None


class Session:
    """The tasks of one source, answered into one log."""

    def __init__(self, source: FrameSource, tasks: Sequence[Task], log: AnswerLog) -> None:
        self._source = source
        self._tasks = tasks
        self._known = frozenset(tasks)
        self._seconds = frozenset(task.second for task in tasks)
        self._log = log

    def overview(self, annotator: str) -> dict[str, Any]:
        """The tasks with the answers of one annotator, and the names of all, as JSON values."""
        answers = {answer.key: answer for answer in self._log.answers()}
        name = clean_name(annotator)
        width, height = self._source.size
        video = self._source.video
        return {
            "video": video,
            "width": width,
            "height": height,
            "annotators": sorted({key.annotator for key in answers}),
            "tasks": [
                {**task._asdict(), "answer": _shown(answers.get(Key(name, video, *task)))}
                for task in self._tasks
            ],
        }

    def accept(self, body: bytes) -> None:
        """Log an answer that the page sent.

        Raises `InputError` for one that is malformed or answers nothing that was
        asked, and OSError where it cannot be written.
        """
        try:
            posted = msgspec.json.decode(body, type=Posted)
            if Task(posted.second, posted.step) not in self._known:
                raise ValueError("no such task")
            answer = self._answer(posted)
        # msgspec's own errors are ValueErrors.
        except (ValueError, RecursionError) as error:
            raise InputError(str(error)) from None
        self._log.append(answer)

    def image(self, second: int) -> EncodedImage | None:
        """The frame of a second; None where no task is about it."""
        return self._source.image(second) if second in self._seconds else None

    def export(self) -> bytes:
        """All answers of the log as CSV."""
        return encode_csv(self._log.answers())

    def _answer(self, posted: Posted) -> Answer:
        width, height = self._source.size
        return Answer(
            video=self._source.video,
            second=posted.second,
            step=posted.step,
            annotator=clean_name(posted.annotator),
            x=posted.x,
            y=posted.y,
            width=width,
            height=height,
            answer=posted.answer,
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )


def clean_name(name: str) -> str:
    """An annotator's name without space around it, accents composed, as it is logged."""
    return normalize("NFC", name).strip()


def _shown(answer: Answer | None) -> dict[str, Any] | None:
    return {"answer": answer.answer, "x": answer.x, "y": answer.y} if answer else None
