"""The annotators' mean points, as the two rounds of GroundingYouTube were released.

The first round gives mean_x and mean_y in the pixels of the videos, the second x and
y in the annotation frame. Neither tells sizes: those are in files of their own.
"""

from collections.abc import Mapping

from gytbench.annotation.reading.answers import NOTHING, Answers
from gytbench.annotation.reading.flat import (
    NAMES,
    converted,
    coordinate_of,
    find_columns,
    frames_of,
    number_of,
    optional,
)
from gytbench.annotation.reading.sheets import Sheet
from gytbench.annotation.rows import PointRow

DISTANCES = ("mean_dist", "mean_distance")

_KNOWN = {role: names for role, names in NAMES.items() if role != "annotator"} | {
    "x": ("mean_x", *NAMES["x"]),
    "y": ("mean_y", *NAMES["y"]),
    "mean_distance": DISTANCES,
}


def is_aggregate(sheet: Sheet) -> bool:
    """Whether the rows are mean points: they tell a mean distance."""
    return any(name in DISTANCES for name in sheet.names)


def is_native(sheet: Sheet) -> bool:
    """Whether the mean points are in the pixels of the videos, as in the first round."""
    return "mean_x" in sheet.names


def read_aggregate(sheet: Sheet, columns: Mapping[str, str]) -> list[PointRow]:
    """One row a frame, of annotator "mean"; without agreement x and y are None.

    Raises `InputError` as `read_flat` does, and for a point without mean distance.
    """
    named = {role: name for role, name in columns.items() if role != "annotator"}
    roles = find_columns(sheet, named, _KNOWN)
    answers = Answers(sheet.source)
    read, distance_name = number_of(sheet), roles["mean_distance"]
    frames = frames_of(sheet, roles, answers)
    xs = converted(sheet, roles["x"], coordinate_of(sheet), answers)
    ys = converted(sheet, roles["y"], coordinate_of(sheet), answers)
    distances = converted(sheet, distance_name, read, answers)
    widths = optional(sheet, roles.get("width"), read, answers, None)
    heights = optional(sheet, roles.get("height"), read, answers, None)
    table = zip(frames, xs, ys, distances, widths, heights, sheet.places, strict=True)
    faulty = bool(answers.faults)
    for row, (frame, x, y, distance, width, height, where) in enumerate(table):
        if frame is None or faulty:
            continue
        if x is None and y is None:
            answers.add(frame, "mean", NOTHING, (width, height), where, 0.0)
        elif distance is None:
            reason = "is missing, but there is a point"
            answers.fault(sheet.at(row, distance_name), reason, "wrong value")
        else:
            answers.add(frame, "mean", (x, y), (width, height), where, distance)
    return answers.done()
