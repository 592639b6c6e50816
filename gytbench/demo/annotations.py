"""Invented annotations in the layout of the released files, with their quirks.

Six videos, one of them upright; neighbouring instances that share a second, a row
that ends where it starts, seconds on whose place the annotators did not agree, and
boxes clipped with width and height exchanged, as the released ones are.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gytbench.demo.release import Cue, Release, write_release

STEPS = (
    "crack_eggs",
    "beat_eggs",
    "add_salt",
    "pour_oil",
    "pour_eggs",
    "add_cheese",
    "fold_omelette",
    "serve_omelette",
)
VIDEOS = ("demo-eggs_1", "demo-eggs_2", "demo-eggs_3", "demo-eggs_4", "demo-eggs_5", "demo_tall-1")
MARGIN = 100
ANNOTATOR_NAMES = ("ada", "ben", "cem", "dora", "eva")
ANNOTATORS = len(ANNOTATOR_NAMES)


class _Frame(NamedTuple):
    """One annotated second: the annotators' points, or none where they did not agree."""

    video: str
    second: int
    step: str
    points: np.ndarray | None


def frame_size(video: str) -> tuple[int, int]:
    """The annotation frame of a demo video."""
    return (480, 640) if "tall" in video else (640, 480)


def write_annotations(folder: Path) -> None:
    """Write the demo benchmark's files below `folder`, which may exist already."""
    rng = np.random.default_rng(2024)
    segments = {video: _segments(rng) for video in VIDEOS}
    frames = [frame for video in VIDEOS for frame in _annotated(rng, video, segments[video])]
    boxes = {(f.video, f.second): _box(f.points) for f in frames if f.points is not None}
    release = Release(
        segments=segments,
        cues={video: _cues(rng, rows) for video, rows in segments.items()},
        boxes={
            "published": {key: box for key, box in boxes.items() if key[1] % 6},
            "readme": {key: box for key, box in boxes.items() if key[1] % 5},
            "latest": boxes,
        },
        steps={(f.video, f.second): f.step for f in frames},
        first_round=_first_round(frames),
        second_round=_second_round(frames),
        frames={video: frame_size(video) for video in VIDEOS},
        native={video: _native(video) for video in VIDEOS},
    )
    write_release(release, folder)
    (folder / "points.csv").write_text(_points(frames), encoding="utf-8")


def _segments(rng: np.random.Generator) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    second = int(rng.integers(5, 15))
    for step in rng.permutation(np.repeat(STEPS, 2))[:9].tolist():
        length = int(rng.integers(2, 8))
        rows.append({"segment": [second, second + length], "id": len(rows), "sentence": step})
        second += length + int(rng.integers(0, 6))
    rows.append({"segment": [second, second], "id": len(rows), "sentence": STEPS[-1]})
    return rows


def _annotated(rng: np.random.Generator, video: str, rows: list[dict[str, Any]]) -> list[_Frame]:
    """The place of each step drifts over its seconds; five people point at it."""
    size = np.array(frame_size(video))
    frames = []
    for row in rows:
        place = rng.uniform(0.2, 0.8, 2) * size
        first, last = row["segment"]
        for second in range(first, last + 1):
            place = np.clip(place + rng.normal(0, 15, 2), 0.1 * size, 0.9 * size)
            points = place + rng.normal(0, 6, (ANNOTATORS, 2))
            agreed = rng.random() < 0.8
            frames.append(_Frame(video, second, row["sentence"], points if agreed else None))
    return frames


def _box(points: np.ndarray) -> list[int]:
    low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
    # Width and height exchanged: the fault of the released files is part of the layout.
    box = np.clip((*low, *high), 0, (480, 640, 480, 640))
    return [round(value) for value in box.tolist()]


def _native(video: str) -> list[int]:
    return [360, 480] if "tall" in video else [1280, 720]


def _second_round(frames: list[_Frame]) -> list[dict[str, Any]]:
    """Mean points in the annotation frame, for three seconds in four."""
    return [
        {"image_url": f"demo/{f.video}/{_image(f)}", **_mean(f, (1.0, 1.0), ("x", "y"))}
        for f in frames
        if f.second % 4
    ]


def _first_round(frames: list[_Frame]) -> list[dict[str, Any]]:
    """Mean points in the video's own pixels, for the other seconds."""
    rows = []
    for frame in frames:
        if frame.second % 4 == 0:
            scale = np.divide(_native(frame.video), frame_size(frame.video))
            mean = _mean(frame, (scale[0], scale[1]), ("mean_x", "mean_y"))
            rows.append({"image_url": f"demo/{_image(frame)}", **mean})
    return rows


def _points(frames: list[_Frame]) -> str:
    """The answers of all annotators, as `gytbench build-boxes` reads them."""
    lines = ["video,second,step,annotator,x,y,width,height"]
    for frame in frames:
        width, height = frame_size(frame.video)
        points = [["", ""]] * ANNOTATORS if frame.points is None else frame.points.tolist()
        for annotator, (x, y) in zip(ANNOTATOR_NAMES, points, strict=True):
            answer = (frame.video, frame.second, frame.step, annotator, x, y, width, height)
            lines.append(",".join(map(str, answer)))
    return "\n".join(lines) + "\n"


def _image(frame: _Frame) -> str:
    return f"{frame.video}_{frame.second}_{frame.step}.jpg"


def _mean(
    frame: _Frame, scale: tuple[float, float], names: tuple[str, str]
) -> dict[str, float | None]:
    if frame.points is None:
        return {names[0]: None, names[1]: None, "mean_dist": None}
    points = frame.points * scale
    x, y = points.mean(axis=0)
    spread = float(np.hypot(points[:, 0] - x, points[:, 1] - y).mean())
    return {names[0]: float(x), names[1]: float(y), "mean_dist": spread}


def _cues(rng: np.random.Generator, rows: list[dict[str, Any]]) -> list[Cue]:
    cues = []
    for row in rows:
        start, end = row["segment"]
        begin = start + float(rng.uniform(0, 0.4))
        stop = max(end + float(rng.uniform(0, 0.4)), begin + 0.5)
        cues.append(Cue(begin, stop, row["sentence"]))
    return cues
