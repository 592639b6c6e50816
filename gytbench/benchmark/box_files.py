"""Boxes by video and second, in the layouts of the released files."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gytbench.benchmark.decoding import Coordinate, Second, decode
from gytbench.benchmark.model import Box

Boxes = Mapping[str, Mapping[int, Box]]
"""The box of each annotated second of each video."""

JsonBox = tuple[Coordinate, Coordinate, Coordinate, Coordinate]


class StepBox(msgspec.Struct, omit_defaults=True):
    """A box as GoundingYouTubeBox.json writes it, with the step that it shows."""

    box: JsonBox
    step: str = ""
    estimated: bool = False
    """Whether an edge of the box is estimated (released files do not say)."""


class StepBoxRow(msgspec.Struct):
    """A row of box_anno.json."""

    second: Second
    box: JsonBox
    step_name: str


def read_boxes(data: bytes, path: Path) -> dict[str, dict[int, Box]]:
    """The boxes of a file in any of the released layouts.

    {video: {second: box}}, the same with {box, step} for a box, or {video: [{second,
    box, step_name}]}. Raises `InputError` for anything else.
    """
    first = _first_filled(decode(data, dict[str, msgspec.Raw], path))
    if first.startswith(b"["):
        lists = decode(data, dict[str, list[StepBoxRow]], path)
        return {video: {row.second: row.box for row in rows} for video, rows in lists.items()}
    boxes: dict[str, dict[int, Box]]
    if _first_box(first).startswith(b"{"):
        rows_with_steps = decode(data, dict[str, dict[Second, StepBox]], path)
        boxes = {
            video: {second: row.box for second, row in by_second.items()}
            for video, by_second in rows_with_steps.items()
        }
    else:
        boxes = decode(data, dict[str, dict[Second, JsonBox]], path)
    return boxes


def _first_filled(entries: Mapping[str, msgspec.Raw]) -> bytes:
    """The first value that is not an empty object or list; nothing where there is none."""
    filled = (bytes(entry).strip() for entry in entries.values())
    return next((entry for entry in filled if entry not in (b"{}", b"[]")), b"")


def _first_box(by_second: bytes) -> bytes:
    """The first box of a video; nothing where it is no JSON object."""
    try:
        return _first_filled(msgspec.json.decode(by_second, type=dict[str, msgspec.Raw]))
    except msgspec.DecodeError:
        return b""


def encode_boxes(boxes: Boxes) -> bytes:
    """The boxes as JSON {video: {second: box}}, a video a line; read back, they are the same."""
    return encode_lines({video: plain_boxes(by_second) for video, by_second in boxes.items()})


def plain_boxes(by_second: Mapping[int, Box]) -> dict[str, list[float]]:
    """The boxes of a video by second, in time, whole numbers without a fraction."""
    return {str(second): plain_box(box) for second, box in sorted(by_second.items())}


def plain_box(box: Box) -> list[float]:
    """The box as a list in which whole numbers have no fraction."""
    return [int(value) if value.is_integer() else value for value in map(float, box)]


def encode_lines(entries: Mapping[str, object]) -> bytes:
    """A JSON object with one entry a line."""
    lines = (
        msgspec.json.encode(key) + b": " + msgspec.json.encode(value)
        for key, value in entries.items()
    )
    return b"{" + b",\n".join(lines) + b"}\n"
