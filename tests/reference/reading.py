"""From a parsed `gytbench-predictions/1` file to tubes in annotation coordinates (section 2)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from .model import Box, Frame, Moment, Point, Region, Truth, Tube, exact, whole_seconds
from .regions import heatmap_point, heatmap_region, heatmap_values, mask_pixels, mask_point

File: TypeAlias = Mapping[str, Any]


def read_tubes(
    truth: Truth,
    file: File,
    label_of: Mapping[str, str] | None = None,
    heatmap_threshold: float = 0.5,
) -> list[Tube]:
    """Every tube of the file, in its order, scaled to the frame of its video.

    label_of maps a predicted label onto its scored class; a label not in it stands for itself.
    """
    names = label_of or {}
    return [
        Tube(
            video=raw["video"],
            label=names.get(raw["label"], raw["label"]),
            score=raw.get("score", 1.0),
            start=exact(raw["start"]),
            end=exact(raw["end"]),
            instance=raw.get("instance"),
            seconds=_moments(raw, _frame_size(raw, file), truth, heatmap_threshold),
        )
        for raw in file["tubes"]
    ]


def _frame_size(raw: Mapping[str, Any], file: File) -> Sequence[float]:
    """The pixel frame of a tube's points and boxes: the tube's, else the file's, else [1, 1]."""
    return raw.get("frame_size") or file.get("frame_size") or [1, 1]


def _moments(
    raw: Mapping[str, Any], size: Sequence[float], truth: Truth, threshold: float
) -> dict[int, Moment]:
    """What the tube says at every integer second that it covers.

    A covered second that is not in `times` has the tube's score, no point and no region.
    """
    frame = truth.frames[raw["video"]]
    scale = (Fraction(frame[0]) / exact(size[0]), Fraction(frame[1]) / exact(size[1]))
    covered = whole_seconds(raw["start"], raw["end"])
    moments = {t: Moment(raw.get("score", 1.0), None, None) for t in covered}
    times = raw.get("times")
    for index, second in enumerate(covered if times is None else times):
        score = raw["scores"][index] if raw.get("scores") else raw.get("score", 1.0)
        point = _point(raw, index, scale, frame)
        region = _region(raw, index, scale, frame, threshold)
        moments[second] = Moment(score, point, region)
    return moments


def _entry(raw: Mapping[str, Any], name: str, index: int) -> Any:
    """The entry of a spatial array for one time, None where the array or the entry is absent."""
    values = raw.get(name)
    return values[index] if values else None


def _box(entry: Sequence[float], scale: Point) -> Box:
    x1, y1, x2, y2 = (exact(value) for value in entry)
    return Box(x1 * scale[0], y1 * scale[1], x2 * scale[0], y2 * scale[1])


def _point(raw: Mapping[str, Any], index: int, scale: Point, frame: Frame) -> Point | None:
    """The point; else the box centre; else the first maximal heatmap cell; else the centroid."""
    if (point := _entry(raw, "points", index)) is not None:
        return exact(point[0]) * scale[0], exact(point[1]) * scale[1]
    if (entry := _entry(raw, "boxes", index)) is not None:
        box = _box(entry, scale)
        return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    if (heatmap := _entry(raw, "heatmaps", index)) is not None:
        return heatmap_point(heatmap_values(heatmap), frame)
    if (mask := _entry(raw, "masks", index)) is not None:
        return mask_point(mask, frame)
    return None


def _region(
    raw: Mapping[str, Any], index: int, scale: Point, frame: Frame, threshold: float
) -> Region | None:
    """The mask; else the box; else the region of the heatmap."""
    if (mask := _entry(raw, "masks", index)) is not None:
        return mask_pixels(mask, frame)
    if (entry := _entry(raw, "boxes", index)) is not None:
        return _box(entry, scale)
    if (heatmap := _entry(raw, "heatmaps", index)) is not None:
        return heatmap_region(heatmap_values(heatmap), frame, threshold)
    return None


def lacks_regions(tubes: Sequence[Tube]) -> bool:
    """Whether a file predicts something, but no region at all (section 5: then null, never 0)."""
    regions = [moment.region for tube in tubes for moment in tube.seconds.values()]
    return bool(tubes) and all(region is None for region in regions)
