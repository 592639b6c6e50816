"""The shared prediction format, `gytbench-predictions/1`, as types.

A file holds tubes: a label over an interval of a video, with a point, a region
or both at the seconds it speaks for. `docs/format.md` explains it;
`json_schema` gives the same types as JSON Schema.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

FORMAT = "gytbench-predictions/1"

Task = Literal["st", "spatial", "temporal"]
TASKS: tuple[Task, ...] = get_args(Task)

MAX_SECONDS = 86_400
"""Times run from 0 to one day: what lies beyond is a mistake of unit."""
MAX_COORDINATE = 1e6
MAX_SIDE = 10_000
"""Longest side of a heatmap or mask, in cells."""

Seconds = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]
Second = Annotated[int, Meta(ge=0, le=MAX_SECONDS)]
Side = Annotated[int, Meta(ge=1, le=MAX_SIDE)]
FrameSide = Annotated[float, Meta(ge=1, le=MAX_COORDINATE)]
InstanceId = Annotated[int, Meta(ge=0, le=2**53)]
FrameSize = tuple[FrameSide, FrameSide]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Mask(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True):
    """A COCO run-length mask: `size` is [height, width], runs go down the columns."""

    size: tuple[Side, Side]
    counts: str | list[Annotated[int, Meta(ge=0)]]


class EncodedHeatmap(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True):
    """A heatmap as bytes: `shape` is [rows, columns], row-major, little-endian, base64."""

    shape: tuple[Side, Side]
    dtype: Literal["float16", "float32", "float64", "uint8"]
    data: str


Heatmap = list[list[float]] | EncodedHeatmap


class Tube(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """One labelled interval [start, end) of a video, in seconds, and where it happens.

    Every spatial array has one entry per time of `times`, or, without it, per
    integer second of the interval; None = nothing predicted there. Points and
    boxes are in the pixel frame `frame_size` (of the tube, else of the file,
    else [1, 1]); heatmaps and masks span the whole frame.
    """

    video: str
    label: str
    start: Seconds
    end: Seconds
    score: float = 1.0
    times: list[Second] | None = None
    points: list[Point | None] | None = None
    boxes: list[Box | None] | None = None
    heatmaps: list[Heatmap | None] | None = None
    masks: list[Mask | None] | None = None
    scores: list[float] | None = None
    frame_size: FrameSize | None = None
    instance: InstanceId | None = None
    meta: dict[str, Any] | None = None


class Header(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a file says once: the first line of .jsonl, the metadata of .parquet."""

    format: Literal["gytbench-predictions/1"]
    task: Task
    model: dict[str, Any] = {}
    frame_size: FrameSize | None = None


class PredictionFile(Header, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A whole .json file."""

    tubes: list[Tube]


@dataclass(frozen=True)
class Predictions:
    """A prediction file in memory.

    `source` and `place` name a tube in messages: the file, and the JSON path,
    line or row of the tube with a given index.
    """

    task: Task
    tubes: list[Tube]
    model: dict[str, Any]
    frame_size: FrameSize | None = None
    source: str = ""
    place: Callable[[int], str] = "$.tubes[{}]".format


def json_schema() -> dict[str, Any]:
    """JSON Schema of a .json prediction file (draft 2020-12)."""
    schema = msgspec.json.schema(PredictionFile)
    for definition in schema["$defs"].values():
        definition["description"] = cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FORMAT,
        **schema,
    }
