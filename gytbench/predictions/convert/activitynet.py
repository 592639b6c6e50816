"""ActivityNet detection JSON: {"results": {video: [{"label", "score", "segment": [s, e]}]}}.

Times are seconds of the untrimmed video, continuous, [start, end]; video ids are those of
YouTube, without "v_". "version" and "external_data" are kept in the file's `model`. No boxes,
no points. Source: the submission format and the evaluation kit of activity-net/ActivityNet
(Evaluation/eval_detection.py), also used by OpenTAD and ActionFormer.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import msgspec

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.json_pieces import JsonPieces, key_path
from gytbench.predictions.convert.tubes import checked, lose_fields, seconds_of
from gytbench.predictions.schema import Tube

PIXELS = False

_KEPT = ("version", "external_data")


class _Detection(msgspec.Struct):
    label: str
    segment: tuple[float, float]
    score: float = 1.0


def model(path: Path) -> dict[str, Any]:
    """What the file says of the system that made it."""
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        told = {}
        for key in pieces.members():
            if key in _KEPT:
                told[key] = pieces.value(Any, key_path("$", key))
            else:
                pieces.skip()
    return {"activitynet": told} if told else {}


def read(path: Path, _options: Options, report: Report) -> Iterator[Tube]:
    """The tubes of a file; one video's detections are in memory at a time."""
    results = False
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        for key in pieces.members():
            if key == "results":
                results = True
                yield from _results(pieces, str(path))
            else:
                if key not in _KEPT:
                    report.lose(f"the key {key!r}")
                pieces.skip()
        pieces.end()
    if not results:
        raise InputError("the key `results` is missing", where=f"{path}: $")


def _results(pieces: JsonPieces, source: str) -> Iterator[Tube]:
    for video in pieces.members():
        where = key_path("$.results", video)
        found = pieces.value(list[_Detection], where)
        for index, each in enumerate(found):
            start, end = each.segment
            place = f"{source}: {where}[{index}]"
            yield checked(place, Tube(video, each.label, start, end, each.score))


def write(
    tubes: Iterable[Placed],
    file: IO[bytes],
    _options: Options,
    report: Report,
    told: Mapping[str, Any],
) -> bool:
    """The intervals; the tubes of a video must lie together.

    Raises `InputError` for a video whose tubes do not: JSON would have its key twice.
    """
    kept = told.get("activitynet", {})
    begin = {"version": "gytbench"} | {k: v for k, v in kept.items() if k in _KEPT}
    begin.setdefault("external_data", {})
    file.write(msgspec.json.encode(begin)[:-1] + b',"results":{')
    seen: set[str] = set()
    for video, group in groupby(tubes, key=lambda placed: placed.tube.video):
        first = True
        for placed in group:
            if first and video in seen:
                reason = f"the tubes of video {video!r} do not lie together; sort them by video"
                raise InputError(reason, where=placed.where)
            head = (b",\n" if seen else b"\n") + msgspec.json.encode(video) + b":["
            file.write(head if first else b",")
            file.write(msgspec.json.encode(_detection(placed, report)))
            first = False
            seen.add(video)
        file.write(b"]")
    file.write(b"\n}}\n")
    return set(told) <= {"activitynet"} and "activitynet" in told


def _detection(placed: Placed, report: Report) -> dict[str, Any]:
    tube = placed.tube
    seconds_of(placed)
    lose_fields(tube, report, ())
    return {"label": tube.label, "score": tube.score, "segment": [tube.start, tube.end]}
