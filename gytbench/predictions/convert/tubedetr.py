"""Results of TubeDETR on VidSTG and HC-STVG: `predictions` and `video_predictions` in JSON.

{"predictions": {"ID_FRAME": {"boxes": [[x1, y1, x2, y2]]}}, "video_predictions": {"ID": {"sted":
[first, last], "qtype"}}}; the keys may have a prefix, as in log_stats.json. ID is the query's,
not the video's; frames count from 0 in the untrimmed video at its own rate; [first, last) is
half-open; corners are continuous, in the pixels of the video. Boxes stand at 5 frames a second
and over the whole clip, those outside [first, last) are no part of the tube. Label, video and
rate come from --queries (the annotation file that TubeDETR reads), or --label and --fps. Source:
datasets/vidstg_eval.py, datasets/hcstvg_eval.py and main.py of antoyang/TubeDETR.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO

import msgspec

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.json_pieces import JsonPieces, key_path
from gytbench.predictions.convert.labels import query_of
from gytbench.predictions.convert.response import Found, frames_of_tube, tube_of_answer
from gytbench.predictions.convert.tubes import check_box
from gytbench.predictions.schema import Box, Tube

PIXELS = True


class _Interval(msgspec.Struct):
    sted: tuple[int, int]
    qtype: str | None = None


class _Boxes(msgspec.Struct):
    boxes: list[Box]


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """A tube for each query; the boxes of one query are in memory at a time, and all intervals."""
    intervals = _intervals(path)
    answered: set[str] = set()
    for key, boxes in _by_query(path):
        if key in answered:
            reason = "the frames of this query do not lie together"
            raise InputError(reason, where=f"{path}: {key_path('$.predictions', key)}")
        if key not in intervals:
            report.lose("queries without an interval in `video_predictions`")
            continue
        answered.add(key)
        yield _tube(path, key, intervals[key], boxes, options, report)
    for key, interval in intervals.items():
        if key not in answered:
            yield _tube(path, key, interval, {}, options, report)


def _tube(
    path: Path,
    key: str,
    interval: _Interval,
    boxes: dict[int, Box],
    options: Options,
    report: Report,
) -> Tube:
    where = f"{path}: {key_path('$.video_predictions', key)}"
    found = Found(where, key, *interval.sted, boxes, interval.qtype)
    return tube_of_answer(found, query_of(key, options, where), options, report)


def _intervals(path: Path) -> dict[str, _Interval]:
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        found: dict[str, _Interval] | None = None
        for name in pieces.members():
            if not name.endswith("video_predictions"):
                pieces.skip()
                continue
            found = {}
            for key in pieces.members():
                found[key] = pieces.value(_Interval, key_path("$." + name, key))
        pieces.end()
    if found is None:
        raise InputError("the key `video_predictions` is missing", where=f"{path}: $")
    return found


def _by_query(path: Path) -> Iterator[tuple[str, dict[int, Box]]]:
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        for name in pieces.members():
            if name.endswith("video_predictions") or not name.endswith("predictions"):
                pieces.skip()
                continue
            frames = _frames(pieces, "$." + name)
            for key, group in groupby(frames, key=lambda frame: frame[0]):
                yield key, {frame: box for _, frame, box in group}


def _frames(pieces: JsonPieces, path: str) -> Iterator[tuple[str, int, Box]]:
    for name in pieces.members():
        where = key_path(path, name)
        key, _, frame = name.rpartition("_")
        if not key or not frame.isdecimal() or len(frame) > 9:
            raise InputError("a key is ID_FRAME", where=f"{pieces.source}: {where}")
        found = pieces.value(_Boxes, where).boxes
        if len(found) != 1:
            reason = f"holds {len(found)} boxes; a frame has one"
            raise InputError(reason, where=f"{pieces.source}: {where}")
        yield key, int(frame), check_box(found[0], f"{pieces.source}: {where}")


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A query for each tube; of several tubes of one query the first is written."""
    intervals: dict[str, _Interval] = {}
    file.write(b'{"predictions":{')
    between = b"\n"
    for placed in tubes:
        found = frames_of_tube(placed, options, report)
        if found.key in intervals:
            report.lose("tubes of one query beyond the first")
            continue
        intervals[found.key] = _Interval((found.first, found.last), found.kind or "declarative")
        for frame, box in found.boxes.items():
            head = between + msgspec.json.encode(f"{found.key}_{frame}")
            file.write(head + b":" + msgspec.json.encode(_Boxes([box])))
            between = b",\n"
    file.write(b'},\n"video_predictions":' + msgspec.json.encode(intervals) + b"}\n")
