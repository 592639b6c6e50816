"""GROVE's pickle: {clip: {"pts_to_bbox", "final_boxes", "selected_pts"}}, only read.

A clip is VIDEO_N, N the index of the segment. `final_boxes` holds, for each asked second, the
array (1, 4) of corners x1, y1, x2, y2 in pixels of the video file, continuous (NaN: none), of the
frame at `selected_pts` seconds of the untrimmed video, the nearest of 5 a second. Labels, which
were given to the model, are not in the file: --queries or --label. Source: ekazakos/grove,
infer_groundingyoutube.py and eval_youcookinteractions.py.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gytbench.errors import InputError
from gytbench.plain_pickle import plain_array, read_pickle
from gytbench.predictions.convert.contract import Options, Report
from gytbench.predictions.convert.labels import query_of
from gytbench.predictions.convert.tubes import Row, check_box, tube_of
from gytbench.predictions.faults import quoted
from gytbench.predictions.schema import Box, Tube

PIXELS = True
MAX_BOXES = 20_000_000


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """A tube for each clip; raises `InputError` with the clip of the first fault."""
    document = read_pickle(path)
    if not isinstance(document, dict):
        raise InputError("must be a dictionary of clips", where=str(path))
    if not any(query.frame_size for query in options.queries.values()):
        options.need_size(str(path))
    boxes = 0
    for clip, content in document.items():
        where = f"{path}: [{quoted(str(clip))}]"
        if not isinstance(clip, str) or not isinstance(content, dict):
            raise InputError("must be a clip's name and its dictionary", where=where)
        found = _pairs(content, where)
        boxes += len(found)
        if boxes > MAX_BOXES:
            raise InputError(f"more than {MAX_BOXES:,} boxes", where=where)
        yield from _tube(clip, found, where, options, report)


def _pairs(content: dict[Any, Any], where: str) -> list[tuple[float, Box | None]]:
    """Time and box of each second that was asked for."""
    columns = [content.get(name) for name in ("selected_pts", "final_boxes")]
    times, boxes = columns
    if not isinstance(times, list) or not isinstance(boxes, list) or len(times) != len(boxes):
        reason = "needs `selected_pts` and `final_boxes`, lists of one length"
        raise InputError(reason, where=where)
    found = []
    for index, (time, box) in enumerate(zip(times, boxes, strict=True)):
        place = f"{where}['final_boxes'][{index}]"
        number = time.item() if isinstance(time, np.generic) else time
        if not isinstance(number, int | float) or not 0 <= number <= 1e6:
            raise InputError("its time is no number of seconds", where=place)
        found.append((float(number), _box(box, place)))
    return found


def _box(value: Any, where: str) -> Box | None:
    array = plain_array(value)
    if array is None:
        return None
    try:
        numbers = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape not in {(1, 4), (4,)}:
        raise InputError(f"an array of shape {numbers.shape}, not (1, 4)", where=where)
    x1, y1, x2, y2 = numbers.reshape(4).tolist()
    if np.isnan(numbers).any():
        return None
    return check_box((x1, y1, x2, y2), where)


def _tube(
    clip: str, found: list[tuple[float, Box | None]], where: str, options: Options, report: Report
) -> Iterator[Tube]:
    video, _, number = clip.rpartition("_")
    if not video or not number.isdecimal() or len(number) > 9:
        raise InputError("a clip's name is VIDEO_N, N the index of its segment", where=where)
    asked = query_of(clip, options if options.queries else replace(options, video=video), where)
    rows = [
        Row(where, asked.video, asked.label, time, time + 1, box=box, frame_size=asked.frame_size)
        for time, box in sorted(found, key=lambda pair: pair[0])
    ]
    if not rows:
        report.lose("clips without a box")
        return
    first = float(round(rows[0].time))
    start = first if asked.start is None else asked.start
    end = round(rows[-1].time) + 1.0 if asked.end is None else asked.end
    instance = int(number) if asked.instance is None else asked.instance
    yield tube_of(rows, report, start, end=end, instance=instance)
