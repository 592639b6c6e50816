"""A converter takes as much memory for a large file as for a small one."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gytbench.predictions.convert import Options, Report, convert_from, convert_to

OPTIONS = Options(label="a", fps=5.0, frame_size=(640.0, 480.0), labels={1: "stir", 2: "a"})


def _detections(video: int) -> str:
    each = [{"label": "stir", "score": 0.5, "segment": [s, s + 3.5]} for s in range(30)]
    return f'"video{video}": {json.dumps(each)}'


def _result(video: int, second: int) -> str:
    box = [second, 10.5, 50.25, 60]
    return json.dumps({"image_id": f"video{video}_{second}", "category_id": 1, "bbox": box})


def _answer(video: int, second: int) -> str:
    text = f"From {second} to {second + 8} seconds; at {second + 2} s: [0.1, 0.2, 0.5, 0.6]"
    return json.dumps({"video": f"video{video}", "answer": text})


def _frame(video: int, second: int) -> str:
    return f'"{video}_{second}": {{"boxes": [[1, 2, 3, 4.5]]}}'


def _both(videos: int) -> Iterator[tuple[int, int]]:
    return ((video, second) for video in range(videos) for second in range(30))


def _csv(videos: int) -> str:
    rows = (f"video{v},stir,{s},1.5,2,3,4.25,0.{s + 1}\n" for v, s in _both(videos))
    return "video,label,second,x1,y1,x2,y2,score\n" + "".join(rows)


def _ava(videos: int) -> str:
    return "".join(f"video{v},{s},0.1,0.2,0.3,0.4,1,0.{s + 1}\n" for v, s in _both(videos))


def _tubedetr(videos: int) -> str:
    intervals = json.dumps({str(v): {"sted": [0, 30]} for v in range(videos)})
    frames = ",".join(_frame(*each) for each in _both(videos))
    return f'{{"predictions": {{{frames}}}, "video_predictions": {intervals}}}'


MADE: dict[str, Any] = {
    "csv": _csv,
    "ava": _ava,
    "activitynet": lambda n: f'{{"results": {{{",".join(map(_detections, range(n)))}}}}}',
    "coco": lambda n: f"[{','.join(_result(*each) for each in _both(n))}]",
    "answers": lambda n: "\n".join(_answer(*each) for each in _both(n)),
    "tubedetr": _tubedetr,
}


def _peak(call: Any, *arguments: Any) -> int:
    tracemalloc.start()
    try:
        call(*arguments, OPTIONS, Report())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", MADE)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    peaks = []
    for videos in (40, 240):
        source, there = tmp_path / "in", tmp_path / f"there{videos}.jsonl"
        source.write_text(MADE[name](videos))
        both = [_peak(convert_from, name, source, there)]
        if name != "answers":
            both.append(_peak(convert_to, name, there, tmp_path / "back"))
        peaks.append(both)
    for small, large in zip(*peaks, strict=True):
        # Ids that have been met are remembered, and files are read 256 kB at a time.
        assert large < 1.2 * small + 600_000
