"""An example of a program for gytbench's `exec` grounder, to start one's own from.

It needs numpy and PyAV 14 (pip install numpy av), and nothing of gytbench. Its answer does
not depend on the query: the box round the bright part of each frame, scored by how much
brighter that part is. Replace `Model` by a model; the rest can stay.

Run by gytbench with the command ["python", "baselines/runners/brightest.py"]. The protocol
is told in gytbench/grounding/adapters/exec.py.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np


class Model:
    """Stands for a model, which is loaded once, here."""

    def ground(self, frame: np.ndarray, query: str) -> tuple[float, list[float] | None]:  # noqa: ARG002
        """Score and box (x1, y1, x2, y2 in pixels, None = nowhere) of a query in a grey frame."""
        low, high = float(frame.min()), float(frame.max())
        if high == low:
            return 0.0, None
        rows, columns = np.nonzero(frame > (low + high) / 2)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return (high - low) / 255, [float(side) for side in box]


def frames(path: str, seconds: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Each second with its frame, rows x columns: the last that begins not after it."""
    pending = sorted(seconds, reverse=True)
    shown = start = None
    with av.open(path) as container:
        for frame in container.decode(video=0):
            if frame.time is None:
                continue
            start = frame.time if start is None else start
            while pending and shown is not None and frame.time - start > pending[-1]:
                yield pending.pop(), grey(shown)
            if not pending:
                return
            shown = frame
        while pending and shown is not None:
            yield pending.pop(), grey(shown)


def grey(frame: av.VideoFrame) -> np.ndarray:
    """A frame in grey, turned as its rotation flag says: boxes are of the frame as shown."""
    return np.rot90(frame.to_ndarray(format="gray"), round(frame.rotation / 90))


def answer(model: Model, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The lines for one video."""
    video = request["video"]
    # In the task spatial, one query may be asked of several clips: each second once.
    asked: dict[int, set[str]] = {}
    for each in request["asked"]:
        for second in range(*each["seconds"]):
            asked.setdefault(second, set()).add(each["query"])
    for second, frame in frames(request["path"], asked):
        size = [frame.shape[1], frame.shape[0]]
        for query in sorted(asked[second]):
            score, box = model.ground(frame, query)
            line = {"video": video, "second": second, "query": query, "score": score}
            yield line if box is None else {**line, "box": box, "frame_size": size}


def main() -> None:
    # What libraries print would mix with the answers, so it goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    model = Model()
    say({"ready": "gytbench-exec/1"})
    # Standard input ends with the run.
    for text in sys.stdin.buffer:
        request = json.loads(text)
        try:
            for line in answer(model, request):
                say(line)
            end: dict[str, Any] = {"done": True}
        except Exception as error:
            end = {"error": f"{type(error).__name__}: {error}"}
        say({"video": request["video"], **end})


if __name__ == "__main__":
    main()
