"""What is asked of each video: its pool of descriptions, its clips, its transcript."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Literal, get_args

from gytbench.benchmark import Benchmark, FrameClock, Instance
from gytbench.errors import InputError
from gytbench.grounding.contract import Asked
from gytbench.predictions import Task

Pool = Literal["instances", "steps", "all"]
POOLS: tuple[Pool, ...] = get_args(Pool)

BACKGROUND = "background"
"""How the time between the steps is described, where a transcript has it."""


def described(label: str) -> str:
    """A class or step name in words: crack_egg is "crack egg"."""
    return label.replace("_", " ")


@dataclass(frozen=True)
class Question:
    """What is asked of one video, without knowing how long it is."""

    video: str
    labels: tuple[str, ...]
    """What to tell apart, each once; in `temporal` with BACKGROUND last where it occurs."""
    clips: tuple[Instance, ...] = ()
    """In the task `spatial`: the instances whose description and seconds are given."""
    clock: FrameClock | None = None
    """Where the times of `clips` count frames; None = they count seconds."""
    cues: tuple[Instance, ...] = ()
    """In the task `temporal`: the steps in order, of which only the order is given."""

    def asked_of_clips(self, seconds: range) -> list[Asked]:
        """The clips, each as far as the video lasts; those beyond its end are left out."""
        asked = (
            Asked(described(clip.step), _within(self.seconds_of(clip), seconds), clip.id)
            for clip in self.clips
        )
        return [each for each in asked if each.seconds]

    def seconds_of(self, clip: Instance) -> range:
        """The whole seconds that a clip touches."""
        frames = clip.seconds()
        if self.clock is None:
            return frames
        return range(self.clock.second(frames[0]), self.clock.second(frames[-1]) + 1)

    def transcript(self, seconds: range) -> list[str]:
        """The labels in order, with background wherever no step adjoins the next.

        As in MiningYouTube's own transcripts. What follows the last step is background
        where it lasts a second at least.
        """
        steps: list[str] = []
        if self.cues and self.cues[0].start > 0:
            steps.append(BACKGROUND)
        for cue, following in pairwise(self.cues):
            steps.append(cue.label)
            if following.start > cue.end:
                steps.append(BACKGROUND)
        if self.cues:
            steps.append(self.cues[-1].label)
            if ceil(self.cues[-1].end) < seconds.stop:
                steps.append(BACKGROUND)
        return steps


def _within(seconds: range, video: range) -> range:
    return range(max(seconds.start, video.start), min(seconds.stop, video.stop))


def questions(benchmark: Benchmark, task: Task, pool: Pool = "instances") -> list[Question]:
    """The question of every video that has one, by video id.

    `pool`, for the task `st`: `instances`, the classes of the video's own instances;
    `steps`, those of vid2step.json; `all`, every class. Raises `InputError` where
    vid2step.json is needed and missing.
    """
    if task == "temporal":
        return _about_transcripts(benchmark)
    by_video = _by_video(benchmark.instances)
    if task == "spatial":
        return [
            Question(video, (), tuple(clips), benchmark.clocks.get(video))
            for video, clips in by_video.items()
        ]
    pools = _pools(benchmark, pool, by_video)
    return [Question(video, labels) for video, labels in pools.items() if labels]


def _pools(
    benchmark: Benchmark, pool: Pool, by_video: dict[str, list[Instance]]
) -> dict[str, tuple[str, ...]]:
    if pool == "all":
        return dict.fromkeys(benchmark.videos, benchmark.classes.names)
    if pool == "instances":
        return {
            video: _once(instance.label for instance in instances)
            for video, instances in by_video.items()
        }
    if pool != "steps":
        raise InputError(f"no pool {pool!r}: there are {', '.join(POOLS)}")
    # Of the steps of one class the first stands for it: runs are of classes.
    first: dict[str, tuple[str, ...]] = {}
    for video, steps in sorted(benchmark.pools.items()):
        by_class: dict[str | None, str] = {}
        for step in steps:
            by_class.setdefault(benchmark.classes.name_of(step), step)
        first[video] = tuple(by_class.values())
    return first


def _about_transcripts(benchmark: Benchmark) -> list[Question]:
    found = []
    for video, cues in _by_video(benchmark.cues).items():
        labels = (*_once(cue.label for cue in cues), BACKGROUND)
        found.append(Question(video, labels, cues=tuple(cues)))
    return found


def _once(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(labels))


def _by_video(instances: Sequence[Instance]) -> dict[str, list[Instance]]:
    """The instances of each video by start, videos by id."""
    found: dict[str, list[Instance]] = defaultdict(list)
    for instance in sorted(instances, key=lambda i: (i.video, i.start, i.end, i.id)):
        found[instance.video].append(instance)
    return dict(found)
