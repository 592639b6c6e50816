"""Programs of any environment as grounders: how they are asked, and how they answer.

The protocol `gytbench-exec/1`, over standard input and output, in lines of JSON (UTF-8,
each ended by a newline):

1. The program is started once for a run, in the working directory and with the
   environment of gytbench. When it has loaded what it needs, it writes
   ``{"ready": "gytbench-exec/1"}``.
2. For each video gytbench writes one request, and waits for the end of its answer before
   the next::

       {"video": "a_1", "path": "/videos/a_1.mp4", "task": "st", "seconds": [0, 217],
        "asked": [{"query": "crack egg", "seconds": [0, 217]}]}

   `path` is absolute, of a video file or of a folder of images. `seconds` are half-open:
   [0, 217] has 0 to 216. Those at the top are what the video has, those of a query what is
   asked about it. In the task `spatial` each of the asked has an `instance` too, its id;
   one query may be asked of several instances. In `temporal`, "background" may be a query.
3. The program answers with any number of lines, in any order, which it flushes.

   `ExecGrounder` takes seconds: ``{"video": "a_1", "second": 3, "query": "crack egg",
   "score": 0.31, "box": [0.2, 0.4, 0.5, 0.9]}``. `second` and `query` are among what is
   asked, each pair once at most; a second counts from the start of the video, in the task
   `spatial` too. `score` is any finite number, of one scale for all videos, and higher
   where the query fits better. `box` is [x1, y1, x2, y2] with x2 >= x1 and y2 >= y1, or
   null, or left out: the query is nowhere. It is in fractions of the frame as shown, or,
   with ``"frame_size": [width, height]``, in pixels of such a frame; x runs right, y down.
   No corner may lie outside by more than the frame's side. What is asked and not answered
   has no score and no box.

   `ExecTubes` takes tubes: ``{"tube": {...}}``, a tube of gytbench-predictions/1
   (docs/format.md), whose `video` is the request's, and whose `label` is one of the queries
   as written there. In `spatial` its `instance` is asked under that query, and is answered
   once.
4. ``{"video": "a_1", "done": true}`` ends the answer; ``{"video": "a_1", "error": "why"}``
   ends it and says that this video cannot be answered.
5. When standard input ends, the program ends. It has 10 seconds for it.

Lines that do not begin with a brace are log text, and so is standard error; the last of
them is shown when something goes wrong. A line that begins with a brace and is none of the
above (unknown keys, other videos, what was not asked, numbers that are none), a line above
16 MiB, or more than 1 GiB for one video: that video fails. So it does when the program ends
or its time is over. Nothing of a video that fails is kept; the program is ended with all of
its process group, and started anew for the next video (except after `error`: then it goes
on). If it fails to become ready three times in a row, it is not started again.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.detecting import AnswersBySecond
from gytbench.grounding.adapters.program import Program, ProgramError, shown
from gytbench.grounding.contract import Features, Request, Setup
from gytbench.metrics.arrays import Bools
from gytbench.predictions import Tube
from gytbench.predictions.faults import split_path
from gytbench.predictions.schema import Box, FrameSize
from gytbench.predictions.syntax import NOT_DECODED, syntax_fault

MAX_TUBES = 100_000
"""Of one video."""

_NOWHERE = (math.nan, math.nan, math.nan, math.nan)
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w-]*)\}")


class ProgramSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the program is started, and how long it may take."""

    command: tuple[str, ...] = ()
    """The words of the command, without a shell, such as ["/envs/glip/bin/python", "glip.py",
    "--device", "{device}"]. {device} stands for the device, and the name of a role in braces
    for the path of the file that the recipe has for it."""
    time_limit: Annotated[float, Meta(gt=0)] = 600.0
    """Seconds for one video, from the request to the end of the answer."""
    start_limit: Annotated[float, Meta(gt=0)] = 600.0
    """Seconds from the start to the ready line."""


class _Second(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    video: str
    second: int
    query: str
    score: float
    box: Box | None = None
    frame_size: FrameSize | None = None


class _Tube(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tube: Tube


class _Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    video: str
    done: bool


class _Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    video: str
    error: str


_Answer = TypeVar("_Answer", _Second, _Tube)


class _Asking:
    """What both grounders share: a program that runs until `close`, or until the end."""

    Settings = ProgramSettings
    extra: ClassVar[str] = ""
    roles: ClassVar[dict[str, str]] = {}

    def __init__(self, settings: ProgramSettings, setup: Setup) -> None:
        """Starts the program and waits until it is ready.

        Raises `InputError` for a command that is missing, cannot be started, names an
        unknown placeholder or is not ready in time, and for half precision, which is
        up to the command.
        """
        if not settings.command:
            reason = 'set it to the words that start your program, such as ["python", "mine.py"]'
            raise InputError(reason, where="command")
        if setup.half:
            raise InputError("half precision is up to the command; say it there")
        known = {"device": setup.device, **{role: str(p) for role, p in setup.files.items()}}
        words = [_filled(word, known) for word in settings.command]
        self._time_limit = settings.time_limit
        self._program = Program(words, settings.start_limit)

    def close(self) -> None:
        """Ends the program; a further request would start it again."""
        self._program.close()

    def _ask(
        self, request: Request, answer: type[_Answer], take: Callable[[_Answer], None]
    ) -> None:
        """Asks about a video, and gives all of the answer to `take`, line by line.

        `take` raises `ProgramError` for what does not answer the request. Raises
        `InputError` that names the video.
        """
        message = _message(request)
        with self._program.asked(message, self._time_limit, request.video) as lines:
            for line in lines:
                said = _decoded(line, answer)
                try:
                    if not isinstance(said, _Tube) and said.video != request.video:
                        raise ProgramError(f"spoke of {said.video!r}, which was not asked about")
                    if isinstance(said, _Done | _Refused):
                        break
                    take(said)
                except ProgramError as error:
                    raise ProgramError(f"{error}, in the line {shown(line)}") from None
        if isinstance(said, _Refused):
            raise InputError(f"the program refused it: {shown(said.error)}", where=request.video)


class ExecGrounder(_Asking, AnswersBySecond):
    """A program in an environment of its own that scores seconds and gives boxes."""

    def read(self, request: Request) -> Features:
        """For each query, "scores of QUERY" (seconds) and "boxes of QUERY" (seconds x 4).

        As `frame_scores` and `boxes` give them. Raises `InputError` where the video fails;
        `ProgramLostError` where the program does not start any more.
        """
        answers = _Seconds(request)
        self._ask(request, _Second, answers.take)
        return answers.features


class ExecTubes(_Asking):
    """A program in an environment of its own that finds whole tubes."""

    def tubes(self, request: Request) -> Sequence[Tube]:
        """The program's tubes of a video, in its order.

        Raises `InputError` where the video fails; `ProgramLostError` where the program does
        not start any more.
        """
        answers = _Tubes(request)
        self._ask(request, _Tube, answers.take)
        return answers.tubes


class _Seconds:
    """The answer of a program that speaks of seconds."""

    def __init__(self, request: Request) -> None:
        self._first = request.seconds.start
        self._asked: dict[str, Bools] = {}
        features: dict[str, np.ndarray] = {}
        count = len(request.seconds)
        for query, seconds, _ in request.asked:
            if query not in self._asked:
                self._asked[query] = np.zeros(count, dtype=np.bool_)
                features[f"scores of {query}"] = np.full(count, -np.inf)
                features[f"boxes of {query}"] = np.full((count, 4), np.nan)
            part = _within(seconds, request.seconds)
            self._asked[query][part.start - self._first : part.stop - self._first] = True
        self.features: Features = features

    def take(self, said: _Second) -> None:
        """Notes the answer for one second and query."""
        asked = self._asked.get(said.query)
        if asked is None:
            raise ProgramError(f"answered {shown(said.query)!r}, which was not asked")
        at = said.second - self._first
        if not 0 <= at < len(asked) or not asked[at]:
            raise ProgramError(f"answered second {said.second}, which was not asked")
        scores = self.features[f"scores of {said.query}"]
        if scores[at] > -np.inf:
            raise ProgramError(f"answered second {said.second} of {said.query!r} twice")
        if not math.isfinite(said.score):
            raise ProgramError("gave a score that is not finite")
        scores[at] = said.score
        self.features[f"boxes of {said.query}"][at] = _fractions(said)


class _Tubes:
    """The answer of a program that speaks of tubes."""

    def __init__(self, request: Request) -> None:
        self._video = request.video
        self._spatial = request.task == "spatial"
        self._queries = {each.query for each in request.asked}
        self._open = {(each.query, each.instance) for each in request.asked}
        self.tubes: list[Tube] = []

    def take(self, said: _Tube) -> None:
        """Notes a tube."""
        tube = said.tube
        if tube.video != self._video:
            raise ProgramError(f"spoke of {shown(tube.video)!r}, which was not asked about")
        if tube.label not in self._queries:
            raise ProgramError(f"answered {shown(tube.label)!r}, which was not asked")
        if not tube.end > tube.start or not math.isfinite(tube.score):
            raise ProgramError("gave a tube that does not end after its start, or no finite score")
        if self._spatial:
            if (tube.label, tube.instance) not in self._open:
                reason = "which was not asked with that label, or answered before"
                raise ProgramError(f"answered instance {tube.instance}, {reason}")
            self._open.remove((tube.label, tube.instance))
        if len(self.tubes) == MAX_TUBES:
            raise ProgramError(f"gave more than {MAX_TUBES:,} tubes")
        self.tubes.append(tube)


def _filled(word: str, known: Mapping[str, str]) -> str:
    """A word of the command, its placeholders replaced."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            reason = f"{found[0]} is none of {', '.join(f'{{{name}}}' for name in known)}"
            raise InputError(reason, where="command")
        return known[found[1]]

    return _PLACEHOLDER.sub(value, word)


def _within(seconds: range, video: range) -> range:
    """Those of the seconds that the video has; it may be empty."""
    start = min(max(seconds.start, video.start), video.stop)
    return range(start, max(start, min(seconds.stop, video.stop)))


def _message(request: Request) -> bytes:
    """The request's line; raises `InputError` for names that are not text."""
    asked = []
    for query, seconds, instance in request.asked:
        part = _within(seconds, request.seconds)
        each: dict[str, Any] = {"query": query, "seconds": [part.start, part.stop]}
        asked.append(each if instance is None else each | {"instance": instance})
    message = {
        "video": request.video,
        "path": str(request.path.absolute()),
        "task": request.task,
        "seconds": [request.seconds.start, request.seconds.stop],
        "asked": asked,
    }
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError:
        raise InputError("its name or path is not UTF-8; rename it", where=request.video) from None


def _decoded(line: bytes, answer: type[_Answer]) -> _Answer | _Done | _Refused:
    """What a line says; raises `ProgramError` for one that says nothing of the protocol."""
    try:
        keys = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        if "error" in keys:
            return msgspec.json.decode(line, type=_Refused)
        if "done" not in keys:
            return msgspec.json.decode(line, type=answer)
        done = msgspec.json.decode(line, type=_Done)
    except NOT_DECODED as error:
        broken = syntax_fault("", line, one_line=True)
        reason, path = split_path(str(error))
        reason = broken.reason if broken else f"{path}: {reason}"
        raise ProgramError(f"wrote a line that is no answer ({reason}): {shown(line)}") from None
    if not done.done:
        raise ProgramError(f"wrote `done` that is not true: {shown(line)}")
    return done


def _fractions(said: _Second) -> Sequence[float]:
    """The box in fractions of the frame."""
    if said.box is None:
        return _NOWHERE
    width, height = said.frame_size or (1.0, 1.0)
    x1, y1, x2, y2 = said.box
    box = (x1 / width, y1 / height, x2 / width, y2 / height)
    if not (x2 >= x1 and y2 >= y1):
        raise ProgramError("gave a box with x2 < x1 or y2 < y1")
    if not all(-1 <= side <= 2 for side in box):
        hint = "boxes in pixels need `frame_size`"
        raise ProgramError(f"gave a box that lies far outside the frame ({hint})")
    return box
