"""What the two programs that run GLIP share: the protocol, frames, captions, weights.

They run in environments of their own (Python 3.9 or later), so nothing of gytbench is
imported. The protocol, gytbench-exec/1, is told in gytbench/grounding/adapters/exec.py.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

# Before transformers is imported: what is not in the given folder is an error, not a download.
os.environ["HF_HUB_OFFLINE"] = "1"

import av
import numpy as np
import torch

MOST_TOKENS = 256
"""Of a caption, its first and last token included: what GLIP's BERT is given."""

THRESHOLD = 0.05
"""The published one, for a class score before it is multiplied with the centerness."""

KEPT = 10_000
"""Candidates of a level, and boxes of a caption. The published numbers, 1000 and 100, are for
all phrases together: one that is everywhere would take the best box from the others."""

_ROUNDING = 0.000501  # seconds; as gytbench.videos has it
_WITH_STEP = re.compile(r"[\w-]{11}_(\d{1,7})_.*[^\W\d_].*", re.ASCII)
_WITHOUT_STEP = re.compile(r"(?:.*_)?(\d{1,7})", re.ASCII)


class Model:
    """GLIP; to be extended."""

    most_phrases = MOST_TOKENS
    """Of one caption."""

    def __init__(self, once: Once) -> None:
        self.once = once

    def tokens(self, phrase: str) -> int:
        """How many tokens BERT makes of a phrase."""
        raise NotImplementedError

    def detect(self, frame: np.ndarray, phrases: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """What one caption of the phrases finds: index of a phrase, score, x1, y1, x2, y2.

        frame: BGR, height x width x 3 uint8; boxes are in its pixels.
        """
        raise NotImplementedError


class Once(torch.nn.Module):
    """A backbone that is run once for a frame, whatever number of captions it is asked with."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.features: Any = None

    def forget(self) -> None:
        """To be called before each new frame."""
        self.features = None

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        if self.features is None:
            self.features = self.backbone(pixels)
        # The fusion with the text may write into what it is given.
        return [level.clone() for level in self.features]


def worded(query: str) -> str:
    """A query as a phrase: both programs' code gives brackets and underscores a meaning."""
    return " ".join(re.sub(r"[_()]", " ", query).lower().split())


def captions(
    phrases: Iterable[str], tokens: Callable[[str], int], most: int, most_phrases: int
) -> list[list[str]]:
    """Phrases in their order, in groups that fit into a caption; none is split.

    A caption has its phrases' tokens, a dot between two of them, and a token at either
    end. A phrase without tokens is left out. Raises ValueError for one that is too long.
    """
    groups: list[list[str]] = []
    free = 0
    for phrase in phrases:
        length = tokens(phrase)
        if not length:
            continue
        if length > most - 2:
            raise ValueError(f"{phrase!r} has {length} tokens, and a caption {most - 2} at most")
        if not groups or length + 1 > free or len(groups[-1]) == most_phrases:
            groups.append([])
            free = most - 1
        groups[-1].append(phrase)
        free -= length + 1
    return groups


def ground(
    model: Model, frame: np.ndarray, queries: Iterable[str]
) -> Iterator[tuple[str, float, list[float]]]:
    """Each query that is found, with the score and box of its best detection."""
    asked: dict[str, list[str]] = {}
    for query in sorted(queries):
        asked.setdefault(worded(query), []).append(query)
    height, width = frame.shape[:2]
    model.once.forget()
    for phrases in captions(asked, model.tokens, MOST_TOKENS, model.most_phrases):
        best: dict[str, tuple[float, ...]] = {}
        for index, *found in model.detect(frame, phrases):
            best[phrases[index]] = max(best.get(phrases[index], (-1.0,)), tuple(found))
        for phrase, (score, x1, y1, x2, y2) in best.items():
            box = [max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))]
            for query in asked[phrase]:
                yield query, score, box


def frames(path: str, seconds: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Each of the seconds, ascending, with the frame that is shown then, in BGR."""
    pending = sorted(seconds, reverse=True)
    shown = None
    for time, frame in _images(Path(path)) if Path(path).is_dir() else _decoded(path):
        while pending and shown is not None and time > pending[-1] + _ROUNDING:
            yield pending.pop(), shown()
        if not pending:
            return
        shown = frame
    while pending and shown is not None:
        yield pending.pop(), shown()


def _decoded(path: str) -> Iterator[tuple[float, Callable[[], np.ndarray]]]:
    """The frames of a video file, each with its time after the first; converted when called."""
    start = None
    with av.open(path) as container:
        for frame in container.decode(video=0):
            if frame.time is None:
                continue
            start = frame.time if start is None else start
            yield frame.time - start, lambda frame=frame: _upright(frame)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    """The frame in BGR, turned as its rotation flag says: boxes are of the frame as shown."""
    turned = np.rot90(frame.to_ndarray(format="bgr24"), round(frame.rotation / 90))
    return np.ascontiguousarray(turned)


def _images(folder: Path) -> Iterator[tuple[float, Callable[[], np.ndarray]]]:
    """The images of a folder, each with the second that its name says; read when called."""
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"} and path.name[0] != ".":
            named = _WITH_STEP.fullmatch(path.stem) or _WITHOUT_STEP.fullmatch(path.stem)
            if named is None:
                raise ValueError(f"the name of {path.name} says no second")
            found.setdefault(int(named[1]), path)
    for second in sorted(found):
        yield float(second), lambda path=found[second]: _read(path)


def _read(path: Path) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def fill(network: torch.nn.Module, state: dict[str, Any], path: str) -> None:
    """Fill a network with the weights of a checkpoint.

    Ends the program where weights are missing, which both toolboxes would leave at random
    values, and where they are not finite: then no score would reach the threshold.
    """
    state = state.get("state_dict", state.get("model", state))
    state = {name[7:] if name.startswith("module.") else name: state[name] for name in state}
    missing = [name for name, _ in network.named_parameters() if name not in state]
    if missing:
        listed = ", ".join(missing[:5])
        sys.exit(f"{path} lacks {len(missing)} weights of this network: {listed} ...")
    network.load_state_dict(state, strict=False)
    broken = [name for name, value in network.named_parameters() if not value.isfinite().all()]
    if broken:
        sys.exit(f"{path} is damaged: {broken[0]} holds values that are no finite numbers")


def answer(model: Model, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The lines for one video.

    What is not found in a second has neither score nor box there, except in the task
    temporal: its alignment must give each second to a step, and takes 0, the lowest score.
    """
    # In the task spatial, one query may be asked of several clips: each second once.
    asked: dict[int, set[str]] = {}
    for each in request["asked"]:
        for second in range(*each["seconds"]):
            asked.setdefault(second, set()).add(each["query"])
    for second, frame in frames(request["path"], asked):
        size = [frame.shape[1], frame.shape[0]]
        found = {query: more for query, *more in ground(model, frame, asked[second])}
        for query in sorted(asked[second]):
            line = {"video": request["video"], "second": second, "query": query}
            if query in found:
                score, box = found[query]
                yield {**line, "score": score, "box": box, "frame_size": size}
            elif request["task"] == "temporal":
                yield {**line, "score": 0.0}


def serve(make: Callable[[], Model]) -> None:
    """Answer requests until standard input ends; the model is made first."""
    # What libraries print would mix with the answers, so it goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    model = make()
    say({"ready": "gytbench-exec/1"})
    for text in sys.stdin.buffer:
        request = json.loads(text)
        end: dict[str, Any] = {"done": True}
        try:
            for line in answer(model, request):
                say(line)
        except Exception as error:
            end = {"error": f"{type(error).__name__}: {error}"}
        say({"video": request["video"], **end})
