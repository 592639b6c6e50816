"""THUMOS detection text: video start end class score, a line each, delimited by blanks.

Times are seconds of the untrimmed video, continuous; classes are numbers, with the names of
--labels (detclasslist.txt: lines "7 BaseballPitch"). No boxes. Source: the THUMOS Challenge 2014
evaluation setup (TH14evaldet.m), also read by the ISBA copy of it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from gytbench.errors import InputError
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.labels import Numbers
from gytbench.predictions.convert.text import number_of, shown_number, text_lines, whole_of
from gytbench.predictions.convert.tubes import checked, lose_fields, seconds_of
from gytbench.predictions.schema import Tube

PIXELS = False


def read(path: Path, options: Options, _report: Report) -> Iterator[Tube]:
    """A tube for each line."""
    numbers = Numbers(options)
    for number, line in text_lines(path):
        where = f"{path}: line {number}"
        fields = line.split()
        if len(fields) != 5:
            reason = f"{len(fields)} fields; THUMOS has 5: video, start, end, class, score"
            raise InputError(reason, where=where)
        start, end = (number_of(text, "time", where) for text in fields[1:3])
        label = numbers.name(whole_of(fields[3], "class", where), where)
        score = number_of(fields[4], "score", where)
        yield checked(where, Tube(fields[0], label, start, end, score))


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A line for each tube."""
    numbers = Numbers(options)
    for placed in tubes:
        tube = placed.tube
        seconds_of(placed)
        lose_fields(tube, report, ())
        if not tube.video or any(c.isspace() for c in tube.video):
            raise InputError("THUMOS has no form for this name of a video", where=placed.where)
        number = numbers.number(tube.label, placed.where)
        told = map(shown_number, (tube.start, tube.end))
        fields = (tube.video, *told, number, shown_number(tube.score))
        file.write(" ".join(map(str, fields)).encode() + b"\n")
