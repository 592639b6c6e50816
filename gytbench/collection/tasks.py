"""Which frames are to be annotated, and for which step."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from gytbench.benchmark.classes import normalise_label
from gytbench.benchmark.decoding import decode_file
from gytbench.benchmark.groundingyoutube import SegmentRow
from gytbench.errors import InputError
from gytbench.videos import FrameSource


class Task(NamedTuple):
    """One question: where is the centre of the step (normalised; None: of the action)."""

    second: int
    step: str | None


class TaskList(NamedTuple):
    """The tasks by second, and how many were left out for want of a frame."""

    tasks: tuple[Task, ...]
    without_frame: int


def list_tasks(source: FrameSource, segments: Path | None = None, every: int = 1) -> TaskList:
    """What to annotate in a video.

    With `segments`, a file in the layout of seg.json, the seconds of the video's
    segments, both ends included; without it every second that the source has,
    for the steps that it names. Of each segment, or of the seconds, only each
    `every`th. Raises `InputError` for a file without the video or without any
    second of it.
    """
    if segments is not None:
        return _of_segments(source, _rows(segments, source.video), every, segments)
    tasks = {
        Task(second, step and normalise_label(step)): None
        for second in source.seconds[::every]
        for step in source.steps.get(second, [None])
    }
    return TaskList(tuple(tasks), 0)


def _rows(path: Path, video: str) -> Sequence[SegmentRow]:
    videos = decode_file(path, dict[str, list[SegmentRow]])
    if video in videos:
        return videos[video]
    close = get_close_matches(video, videos, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "name the video by its id"
    raise InputError(f"has no video {video!r}; {hint}", where=str(path))


def _of_segments(
    source: FrameSource, rows: Sequence[SegmentRow], every: int, path: Path
) -> TaskList:
    tasks: set[Task] = set()
    without = 0
    for row in rows:
        asked = range(row.segment[0], row.segment[1] + 1, every)
        kept = [second for second in source.seconds if second in asked]
        without += len(asked) - len(kept)
        tasks |= {Task(second, normalise_label(row.sentence)) for second in kept}
    if not tasks:
        has = f"which has seconds {source.seconds[0]} to {source.seconds[-1]}"
        raise InputError(f"no segment has a frame in {source.video}, {has}", where=str(path))
    return TaskList(tuple(sorted(tasks)), without)
