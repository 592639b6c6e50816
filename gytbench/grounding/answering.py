"""From one video and what is asked of it to tubes: the shared inference, step by step."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

import msgspec
import numpy as np

from gytbench.benchmark import FrameClock, Instance
from gytbench.errors import InputError
from gytbench.grounding.contract import Asked, MakesHeatmaps, Request, Stretch
from gytbench.grounding.features import Looker, Video
from gytbench.grounding.inference import (
    Place,
    Run,
    aligned_runs,
    best_runs,
    place_of_boxes,
    place_of_heatmaps,
)
from gytbench.grounding.questions import BACKGROUND, Question, described
from gytbench.grounding.systems import Loaded, System
from gytbench.predictions import Task, Tube

_BY_TIME = ("points", "boxes", "heatmaps", "masks", "scores")
"""The fields of a tube that have an entry for each of its times."""


@dataclass(frozen=True)
class Choices:
    """What may change without a video being read again."""

    task: Task
    tau: float | None = None
    """The similarity below which a second is background; None = no second is."""
    temperature: float = 1.0
    """What similarities are divided by before the softmax of the alignment."""
    mean_length: float | None = None
    """Of a step, in seconds, in the alignment's Poisson term; None = no such term."""


@dataclass(frozen=True)
class Answerer:
    """A system with everything that decides its predictions."""

    system: System
    choices: Choices
    looker: Looker
    times: Mapping[str, Sequence[Tube]]
    """By video, what a floor or ceiling says of when; for a system that has none."""

    def tubes(self, question: Question, video: Video) -> list[Tube]:
        """The predictions for one video; raises `InputError` where it cannot be answered."""
        if self.system.whole is not None:
            return self._whole(self.system.whole, question, video)
        if self.choices.task == "spatial":
            asked = question.asked_of_clips(video.seconds)
            places = self._places(asked, video)
            tubes = [_clip_tube(question, *pair) for pair in zip(asked, places, strict=True)]
            return _as_asked(tubes, question)
        runs, labels, seen = self._runs(question, video)
        if self.choices.task == "temporal":
            return [_tube(question.video, labels, run, None) for run in runs]
        asked = [Asked(described(labels[run.query]), run.seconds) for run in runs]
        places = self._places(asked, video, seen if self.system.alone else None)
        return [_tube(question.video, labels, *pair) for pair in zip(runs, places, strict=True)]

    def _whole(self, loaded: Loaded, question: Question, video: Video) -> list[Tube]:
        asked = question.asked_of_clips(video.seconds) or [
            Asked(described(label), video.seconds)
            for label in question.labels
            if label != BACKGROUND
        ]
        request = Request(video.id, video.path, video.seconds, self.choices.task, asked)
        with video.watch.on("model"):
            tubes = list(loaded.grounder.tubes(request))
        for tube in tubes:
            _check_whole(loaded, tube, request)
        return _as_asked(tubes, question)

    def _runs(
        self, question: Question, video: Video
    ) -> tuple[list[Run], tuple[str, ...], Stretch | None]:
        """The seconds of each label, the labels that they count, and what was looked at."""
        when = self.system.when
        if when is None:
            return *_given_runs(self.times.get(question.video, ()), video.seconds), None
        queries = [described(label) for label in question.labels]
        stretch = self.looker.whole(when, video, self.choices.task, queries)
        with video.watch.on("model"), _answer_of(when):
            scores = np.asarray(when.grounder.frame_scores(stretch, queries), dtype=np.float64)
            expected = (len(stretch.seconds), len(queries))
            if scores.shape != expected:
                raise InputError(f"the scores have the shape {scores.shape}, not {expected}")
            if self.choices.task == "temporal":
                return self._aligned(question, scores), question.labels, stretch
            return best_runs(scores, self.choices.tau), question.labels, stretch

    def _aligned(self, question: Question, scores: np.ndarray) -> list[Run]:
        seconds = range(len(scores))
        transcript = [question.labels.index(label) for label in question.transcript(seconds)]
        return aligned_runs(
            scores,
            transcript,
            background=question.labels.index(BACKGROUND),
            temperature=self.choices.temperature,
            mean_length=self.choices.mean_length,
        )

    def _places(
        self, asked: Sequence[Asked], video: Video, seen: Stretch | None = None
    ) -> list[Place]:
        """Where each thing asked is; from features of the whole video, where it was seen."""
        where = self.system.where
        if seen is None:
            stretches = self.looker.each(where, video, self.choices.task, asked)
        else:
            stretches = [seen.part(each.seconds) for each in asked]
        with video.watch.on("model"), _answer_of(where):
            return [
                _place(where, stretch, each.query)
                for stretch, each in zip(stretches, asked, strict=True)
            ]


@contextmanager
def _answer_of(loaded: Loaded) -> Iterator[None]:
    """Says whose answer does not serve."""
    try:
        yield
    except InputError as error:
        raise InputError(error.faults[0].reason, where=loaded.name) from None


def _place(where: Loaded, stretch: Stretch, query: str) -> Place:
    heats = isinstance(where.grounder, MakesHeatmaps)
    answer = where.grounder.heatmaps if heats else where.grounder.boxes
    values = np.asarray(answer(stretch, query), dtype=np.float64)
    if len(values) != len(stretch.seconds) or values.ndim != (3 if heats else 2):
        what = "heatmaps" if heats else "boxes"
        count = len(stretch.seconds)
        raise InputError(f"{what} for {count} seconds have the shape {values.shape}")
    return place_of_heatmaps(values) if heats else place_of_boxes(values)


def _tube(video: str, labels: Sequence[str], run: Run, place: Place | None) -> Tube:
    tube = Tube(
        video=video,
        label=labels[run.query],
        start=float(run.seconds.start),
        end=float(run.seconds.stop),
        score=run.score,
        scores=list(run.scores),
    )
    if place is not None:
        _set_place(tube, place)
    return tube


def _clip_tube(question: Question, asked: Asked, place: Place) -> Tube:
    """The answer to a given clip; its interval is given, so only the places are news."""
    clip = next(clip for clip in question.clips if clip.id == asked.instance)
    tube = Tube(
        video=question.video,
        label=clip.step,
        start=clip.start,
        end=clip.end,
        instance=clip.id,
    )
    if question.clock is not None or asked.seconds != clip.seconds():
        tube.times = list(asked.seconds)
    _set_place(tube, place)
    return tube


def _as_asked(tubes: list[Tube], question: Question) -> list[Tube]:
    """Answers to clips whose times count frames, with every frame as its second; else as is."""
    if question.clock is None:
        return tubes
    clips = {clip.id: clip for clip in question.clips}
    return [
        _in_frames(tube, clips[tube.instance], question.clock)
        for tube in tubes
        if tube.instance is not None
    ]


def _in_frames(tube: Tube, clip: Instance, clock: FrameClock) -> Tube:
    seconds = tube.times or range(ceil(tube.start), ceil(tube.end))
    row = {second: i for i, second in enumerate(seconds)}
    frames = [frame for frame in clip.seconds() if clock.second(frame) in row]
    rows = [row[clock.second(frame)] for frame in frames]
    spread = {
        name: None if values is None else [values[i] for i in rows]
        for name in _BY_TIME
        for values in [getattr(tube, name)]
    }
    return msgspec.structs.replace(tube, start=clip.start, end=clip.end, times=frames, **spread)


def _set_place(tube: Tube, place: Place) -> None:
    tube.points, tube.boxes = list(place.points), place.boxes
    tube.heatmaps = None if place.heatmaps is None else list(place.heatmaps)


def _given_runs(tubes: Sequence[Tube], seconds: range) -> tuple[list[Run], tuple[str, ...]]:
    """The intervals of a floor or ceiling, as far as the video lasts."""
    runs, labels = [], tuple(dict.fromkeys(tube.label for tube in tubes))
    for tube in tubes:
        own = range(max(ceil(tube.start), 0), min(ceil(tube.end), seconds.stop))
        if own:
            runs.append(Run(labels.index(tube.label), own, (tube.score,) * len(own)))
    return runs, labels


def _check_whole(loaded: Loaded, tube: Tube, request: Request) -> None:
    """What a system says by itself is about what it was asked."""
    known = {described(tube.label), tube.label} & {asked.query for asked in request.asked}
    if tube.video != request.video:
        reason = f"answered for the video {tube.video!r}"
    elif not known:
        reason = f"answered for {tube.label!r}, which was not asked"
    elif request.task == "spatial" and tube.instance not in {a.instance for a in request.asked}:
        reason = f"answered for instance {tube.instance}, which was not asked"
    else:
        return
    raise InputError(reason, where=loaded.name)
