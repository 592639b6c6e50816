"""The sizes of videos: JSON {video: [width, height]}, as id2wh.json."""

from pathlib import Path

from gytbench.annotation.reading.answers import Answers, kind_of_value
from gytbench.annotation.reading.source import decode_json, read_source
from gytbench.annotation.reading.values import filled_name, number, required
from gytbench.errors import InputError

MAX_LENGTH = 100_000
"""Pixels of a width or a height."""


def read_sizes(path: Path) -> dict[str, tuple[float, float]]:
    """Width and height in pixels by video; `InputError` with every entry that is none."""
    document = decode_json(read_source(path), str(path))
    if not isinstance(document, dict):
        reason = f"must be an object of [width, height] by video, not {kind_of_value(document)}"
        raise InputError(reason, where=f"{path}: $")
    answers = Answers(str(path))
    sizes: dict[str, tuple[float, float]] = {}
    for video, value in document.items():
        where = f'{path}: $["{video[:100]}"]'
        answers.take(filled_name, video, where)
        size = answers.take(_size, value, where)
        if size is not None:
            sizes[video] = size
    if answers.faults:
        raise InputError(answers.faults)
    return sizes


def _size(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("must be [width, height]")
    width, height = (required(number(length)) for length in value)
    if not (0 < width <= MAX_LENGTH and 0 < height <= MAX_LENGTH):
        raise ValueError(f"a frame of {width:g}x{height:g} pixels cannot be")
    return width, height
