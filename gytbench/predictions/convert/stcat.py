"""Results of STCAT on VidSTG and HC-STVG, the test_results.pt that it saves.

A dictionary of torch.save: `predictions` {ID: {frame: [[x1, y1, x2, y2]]}}, `video_predictions`
{ID: {"sted": [first, last], "qtype"}}, `vid2names` {ID: video}, `vid2sents` {ID: sentence}. Frames
count from 0 in the untrimmed video at its own rate (--fps or --queries); [first, last) is
half-open; corners are continuous, in the pixels of the video. Source:
datasets/evaluation/vidstg_eval.py of jy0205/STCAT. The pickle is read without torch, by the
restricted unpickler; it is in memory whole.
"""

import pickle
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from gytbench.errors import InputError
from gytbench.plain_pickle import read_pickle
from gytbench.predictions.convert.contract import Options, Placed, Query, Report
from gytbench.predictions.convert.labels import query_of
from gytbench.predictions.convert.response import Found, first_box, frames_of_tube, tube_of_answer
from gytbench.predictions.convert.tubes import check_box
from gytbench.predictions.schema import Box, Tube

PIXELS = True
MAX_BOXES = 20_000_000

_FIXED = (1980, 1, 1, 0, 0, 0)


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """A tube for each query; raises `InputError` with the query of the first fault."""
    document = read_pickle(path)
    parts = [_part(document, name, path) for name in ("predictions", "video_predictions")]
    names, sentences = (_part(document, n, path, need=False) for n in ("vid2names", "vid2sents"))
    count = 0
    for key, told in parts[1].items():
        where = f"{path}: ['video_predictions'][{str(key)[:100]!r}]"
        boxes = _boxes(parts[0].get(key), where)
        count += len(boxes)
        if count > MAX_BOXES:
            raise InputError(f"more than {MAX_BOXES:,} boxes", where=where)
        found = Found(where, str(key), *_interval(told, where), boxes, _kind(told))
        query = _query(str(key), names.get(key), sentences.get(key), options, where)
        yield tube_of_answer(found, query, options, report)


def _part(document: Any, name: str, path: Path, need: bool = True) -> dict[Any, Any]:
    found = document.get(name) if isinstance(document, dict) else None
    if found is None and not need:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"needs a dictionary `{name}`", where=str(path))
    return found


def _interval(told: Any, where: str) -> tuple[int, int]:
    sted = told.get("sted") if isinstance(told, dict) else None
    if not isinstance(sted, list | tuple) or len(sted) != 2 or not all(map(_is_frame, sted)):
        raise InputError("needs `sted`, a first and a last frame", where=where)
    return int(sted[0]), int(sted[1])


def _kind(told: Any) -> str | None:
    kind = told.get("qtype")
    return kind if isinstance(kind, str) else None


def _is_frame(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= 1e9 and value == int(value)


def _boxes(found: Any, where: str) -> dict[int, Box]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError("its boxes are no dictionary of frames", where=where)
    boxes = {}
    for frame, each in found.items():
        if not _is_frame(frame):
            raise InputError("a key of its boxes is no frame", where=where)
        place = f"{where}, frame {int(frame)}"
        boxes[int(frame)] = check_box(first_box(each, place), place)
    return boxes


def _query(key: str, video: Any, sentence: Any, options: Options, where: str) -> Query:
    if options.queries or not (isinstance(video, str) and isinstance(sentence, str)):
        return query_of(key, options, where)
    return Query(video, options.label or sentence)


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A query for each tube, as torch.save would write it; all are in memory.

    Of several tubes of one query the first is written.
    """
    out: dict[str, dict[str, Any]] = {
        name: {} for name in ("predictions", "video_predictions", "vid2names", "vid2sents")
    }
    for placed in tubes:
        found = frames_of_tube(placed, options, report)
        key = found.key
        if key in out["video_predictions"]:
            report.lose("tubes of one query beyond the first")
            continue
        out["predictions"][key] = {frame: [list(box)] for frame, box in found.boxes.items()}
        kind = found.kind or "declarative"
        out["video_predictions"][key] = {"sted": [found.first, found.last], "qtype": kind}
        out["vid2names"][key] = placed.tube.video
        out["vid2sents"][key] = placed.tube.label
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (
            ("data.pkl", pickle.dumps(out, protocol=2)),
            ("byteorder", b"little"),
            ("version", b"3\n"),
        ):
            archive.writestr(zipfile.ZipInfo(f"test_results/{name}", _FIXED), content)
