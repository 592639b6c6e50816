"""AVA CSV: video, timestamp, x1, y1, x2, y2, action_id, score; no header.

The timestamp is in seconds of the untrimmed video, of the middle frame of its second; boxes are
corners in fractions of the frame, continuous. Actions are numbers: --labels (AVA's .pbtxt or
lines). No tracks: boxes of one label are joined where their seconds follow each other. The rows
of a video lie together. Source: research.google.com/ava and get_ava_performance.py of
activitynet/ActivityNet (Evaluation), which reads the eighth column as the score.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from gytbench.errors import InputError
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.labels import Numbers
from gytbench.predictions.convert.text import csv_rows, number_of, shown_number, whole_of
from gytbench.predictions.convert.tubes import (
    Row,
    check_box,
    entries_of,
    joined,
    lose_fields,
    lose_interval,
    scaled,
    together,
)
from gytbench.predictions.schema import Tube

PIXELS = False
_UNIT = (1.0, 1.0)


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """The tubes of a file; a video's rows are in memory at a time."""
    return joined(together(_rows(path, options)), report)


def _rows(path: Path, options: Options) -> Iterator[Row]:
    numbers = Numbers(options)
    for where, fields in csv_rows(path):
        if len(fields) not in (7, 8):
            reason = f"{len(fields)} fields; AVA has 8: video, time, x1, y1, x2, y2, action, score"
            raise InputError(reason, where=where)
        time = number_of(fields[1], "timestamp", where)
        x1, y1, x2, y2 = (number_of(text, "box", where) for text in fields[2:6])
        label = numbers.name(whole_of(fields[6], "action_id", where), where)
        score = number_of(fields[7], "score", where) if len(fields) == 8 else 1.0
        box = check_box((x1, y1, x2, y2), where)
        yield Row(where, fields[0].strip(), label, time, time + 1, score, box)


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A row for each box."""
    numbers = Numbers(options)
    for placed in tubes:
        tube = placed.tube
        lose_fields(tube, report, ("boxes", "scores"))
        if any(c in ',"\n\r' for c in tube.video):
            raise InputError("AVA has no form for this name of a video", where=placed.where)
        number = numbers.number(tube.label, placed.where)
        seconds = []
        for entry in entries_of(placed):
            if entry.box is not None:
                seconds.append(entry.second)
                box = scaled(entry.box, tube.frame_size or _UNIT, _UNIT)
                told = (entry.second, *map(shown_number, box), number, shown_number(entry.score))
                file.write(",".join(map(str, (tube.video, *told))).encode() + b"\n")
        lose_interval(tube, seconds, report, tracks=False)
