"""MOTChallenge text: frame, id, left, top, width, height, conf, x, y, z; a file per video.

Frames, ids and boxes are 1-based: frame 1 is at 0 s, and left and top of the whole frame are 1;
here they are continuous from 0. The rate is --fps. Several videos are VIDEO.txt in one .zip, as
they are submitted; a single .txt is the video of its name, or --video. The label is --label, or,
with --labels, the class in the eighth field (MOT16 and later). Source: motchallenge.net
(instructions, "File Format"). The rows of a video are in memory together.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import IO

from gytbench.errors import InputError
from gytbench.plain_pickle import BROKEN_ZIP
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.labels import Numbers
from gytbench.predictions.convert.text import (
    csv_fields,
    csv_rows,
    number_of,
    shown_number,
    whole_of,
)
from gytbench.predictions.convert.tubes import (
    Row,
    check_box,
    entries_of,
    frame_of,
    joined,
    lose_fields,
    lose_interval,
    scaled,
)
from gytbench.predictions.schema import Tube

PIXELS = True
MAX_SEQUENCE = 512 << 20

Rows = Iterator[tuple[str, list[str]]]


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """A tube for each id."""
    if path.suffix.lower() != ".zip":
        video = options.video or path.name.removesuffix(".gz").removesuffix(".txt")
        yield from joined(_rows(csv_rows(path), video, options), report)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = PurePosixPath(info.filename)
                if name.suffix == ".txt":
                    rows = _zipped(archive, info, f"{path}: {info.filename}")
                    yield from joined(_rows(rows, name.stem, options), report)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except BROKEN_ZIP as error:
        raise InputError(f"not a zip file that can be read ({error})", str(path)) from None


def _zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Rows:
    with archive.open(info) as file:
        data = file.read(MAX_SEQUENCE + 1)
    if len(data) > MAX_SEQUENCE:
        raise InputError(f"holds more than {MAX_SEQUENCE >> 20} MiB", where=where)
    return csv_fields(io.BytesIO(data), where)


def _rows(fields: Rows, video: str, options: Options) -> Iterator[Row]:
    for where, row in fields:
        if not 6 <= len(row) <= 10:
            reason = f"{len(row)} fields; MOT has frame, id, left, top, width, height, conf, ..."
            raise InputError(reason, where=where)
        fps = options.need_fps(where)
        frame = whole_of(row[0], "frame", where) - 1
        if frame < 0:
            raise InputError("frames count from 1", where=where)
        left, top, width, height = (number_of(text, "box", where) for text in row[2:6])
        box = check_box((left - 1, top - 1, left - 1 + width, top - 1 + height), where)
        score = number_of(row[6], "conf", where) if len(row) > 6 else 1.0
        track = str(whole_of(row[1], "id", where))
        label = _label(row, options, where)
        yield Row(where, video, label, frame / fps, (frame + 1) / fps, score, box, track=track)


def _label(row: list[str], options: Options, where: str) -> str:
    if options.labels and len(row) > 7:
        return Numbers(options).name(whole_of(row[7], "class", where), where)
    if options.label is None:
        raise InputError("names no label: give one for all with --label", where=where)
    return options.label


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A .zip of a text for each video where OUT ends in .zip; else the text of one video.

    The tubes of a video must lie together. Raises `InputError` for two videos in a .txt.
    """
    groups = groupby(tubes, key=lambda placed: placed.tube.video)
    if options.zipped:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            seen: set[str] = set()
            for video, group in groups:
                if video in seen or "/" in video or "\\" in video or video in ("", ".", ".."):
                    reason = f"{video!r} comes twice, or is no name of a file"
                    raise InputError(reason, where=next(group).where)
                seen.add(video)
                info = zipfile.ZipInfo(f"{video}.txt", (1980, 1, 1, 0, 0, 0))
                archive.writestr(info, "".join(_lines(group, options, report)))
        return
    for index, (_, group) in enumerate(groups):
        if index:
            reason = "a second video; several need a file each: let OUT end in .zip"
            raise InputError(reason, where=next(group).where)
        file.write("".join(_lines(group, options, report)).encode())


def _lines(group: Iterable[Placed], options: Options, report: Report) -> list[str]:
    """The lines of a video, ordered by frame, then by id."""
    found: list[tuple[int, int, str]] = []
    for number, placed in enumerate(group, start=1):
        found += _of_tube(number, placed, options, report)
    return [line for _, _, line in sorted(found)]


def _of_tube(
    number: int, placed: Placed, options: Options, report: Report
) -> Iterator[tuple[int, int, str]]:
    tube = placed.tube
    lose_fields(tube, report, ("boxes", "scores"))
    kind = "-1"
    if options.labels:
        kind = str(Numbers(options).number(tube.label, placed.where))
    else:
        report.lose("labels")
    seconds = []
    for entry in entries_of(placed):
        if entry.box is None:
            continue
        seconds.append(entry.second)
        size = frame_of(placed, options.frame_size)
        x1, y1, x2, y2 = scaled(entry.box, tube.frame_size or (1.0, 1.0), size)
        frame = round(entry.second * options.need_fps(placed.where)) + 1
        told = (x1 + 1, y1 + 1, x2 - x1, y2 - y1, entry.score)
        box = ",".join(map(shown_number, told))
        yield frame, number, f"{frame},{number},{box},{kind},-1,-1\n"
    lose_interval(tube, seconds, report)
