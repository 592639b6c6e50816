"""Small V-HICO benchmarks and files of pairs."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gytbench.benchmark import Benchmark
from tests.benchmark.vhico import entry, load, write

HUMAN, CUP = [0, 0, 9, 9], [10, 0, 19, 9]
"""10 x 10 pixels each."""


def benchmark(
    folder: Path, rows: Iterable[tuple[str, int, Sequence[tuple[Any, Any]]]]
) -> Benchmark:
    """One video of 200 x 150 pixels; a row is a label, a frame and its humans and objects."""
    entries = []
    for label, frame, boxes in rows:
        humans = [human for human, _ in boxes]
        things = [thing for _, thing in boxes]
        entries.append(entry(label, frame, humans, things))
    return load(write(folder, {"a": {"v": entries}}))


def said(label: str, frame: int, *pairs: tuple[Any, Any, float], **other: Any) -> dict[str, Any]:
    """An entry of a file, in pixels of the frame."""
    rows = [{"human": human, "object": thing, "score": score} for human, thing, score in pairs]
    return {"video": "v", "frame": frame, "label": label, "pairs": rows} | other


def file_of(entries: Iterable[dict[str, Any]], **other: Any) -> dict[str, Any]:
    """A whole file, in pixels of the frame."""
    return {
        "format": "gytbench-pairs/1",
        "model": {"name": "made"},
        "frame_size": [200, 150],
        "frames": list(entries),
    } | other


def save(path: Path, content: Any) -> Path:
    """Written as JSON; text and bytes as they are."""
    if isinstance(content, dict | list):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
