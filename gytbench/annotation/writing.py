"""Boxes, masks and heatmaps as files."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import IO, Any, Final, NamedTuple

import msgspec
import numpy as np

from gytbench.annotation.building import Built, BuiltBox
from gytbench.annotation.table import AnnotatedFrame
from gytbench.benchmark.box_files import StepBox, encode_boxes, encode_lines, plain_box
from gytbench.construction import PointSets, heatmap, level_masks, mask_areas
from gytbench.errors import InputError
from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions.encoding import encode_text

LAYOUTS: Final = ("boxes", "steps", "coco")
"""As id2xy_box.json, as GoundingYouTubeBox.json, and COCO JSON."""

_MASKS_AT_ONCE = 2048
"""Frames whose masks are made together, so that memory does not grow with their number."""


def encode_layout(rows: Sequence[BuiltBox], layout: str) -> bytes:
    """Boxes as a file of one of `LAYOUTS`; the first two hold the last box of each second.

    Videos stand in the order of their first rows.
    """
    if layout == "coco":
        return msgspec.json.encode(coco(rows)) + b"\n"
    by_video: dict[str, list[BuiltBox]] = {}
    for row in rows:
        by_video.setdefault(row.video, []).append(row)
    if layout == "steps":
        return encode_lines({video: _with_steps(some) for video, some in by_video.items()})
    return encode_boxes(
        {video: {row.second: row.box for row in some} for video, some in by_video.items()}
    )


def _with_steps(rows: Iterable[BuiltBox]) -> dict[str, StepBox]:
    last = {row.second: row for row in rows}
    return {
        str(second): StepBox(plain_box(row.box), row.step.replace("_", " "), row.estimated)  # type: ignore[arg-type]
        for second, row in sorted(last.items())
    }


class Segmentation(NamedTuple):
    """A mask in COCO's form."""

    size: tuple[int, int]
    """Rows and columns."""
    counts: str
    area: int
    """Its pixels."""


def coco(rows: Sequence[BuiltBox], masks: Sequence[Segmentation] | None = None) -> dict[str, Any]:
    """Boxes in COCO's object format: an image a second, a category a step.

    masks: one a row; without them the annotations have boxes only.
    Beside COCO's own keys an image names `video` and `second`, and an annotation
    says whether its box is `estimated`.
    """
    steps = {step: i for i, step in enumerate(sorted({row.step for row in rows}), start=1)}
    images: dict[tuple[str, int], dict[str, Any]] = {}
    annotations = []
    for number, row in enumerate(rows):
        key = row.video, row.second
        image = images.setdefault(key, _image(row, len(images) + 1))
        x1, y1, x2, y2 = row.box
        bbox = [x1, y1, x2 - x1, y2 - y1]
        annotation: dict[str, Any] = {
            "id": number + 1,
            "image_id": image["id"],
            "category_id": steps[row.step],
            "bbox": bbox,
            "area": bbox[2] * bbox[3],
            "iscrowd": 0,
            "estimated": row.estimated,
        }
        if masks is not None:
            mask = masks[number]
            annotation["segmentation"] = {"size": mask.size, "counts": mask.counts}
            annotation["area"] = mask.area
        annotations.append(annotation)
    categories = [{"id": i, "name": step or "action"} for step, i in steps.items()]
    return {"images": [*images.values()], "annotations": annotations, "categories": categories}


def _image(row: BuiltBox, number: int) -> dict[str, Any]:
    step = f"_{row.step}" if row.step else ""
    width, height = (int(side) if side == int(side) else side for side in row.size)
    return {
        "id": number,
        "file_name": f"{row.video}_{row.second}{step}.jpg",
        "width": width,
        "height": height,
        "video": row.video,
        "second": row.second,
    }


def heatmap_masks(built: Built, level: float) -> list[Segmentation]:
    """Where the heatmap of each frame with a box reaches `level` times its maximum.

    In the order of `built.rows()`. Raises InputError where frames are not whole pixels,
    or the level is not above 0 and at most 1.
    """
    if not 0 < level <= 1:
        raise InputError("--level must be above 0 and at most 1")
    sizes = built.table.sizes.astype(np.int64)
    if (sizes != built.table.sizes).any():
        raise InputError("masks need frames of whole pixels; choose them with --frame WxH")
    chosen = np.flatnonzero(built.built)
    masks: list[Segmentation] = []
    for first in range(0, len(chosen), _MASKS_AT_ONCE):
        some = chosen[first : first + _MASKS_AT_ONCE]
        runs = level_masks(
            _of_frames(built.table.points, some), sizes[some], built.sigmas[some], level
        )
        shapes = [(rows, columns) for columns, rows in sizes[some].tolist()]
        texts = encode_text(runs.lengths, runs.starts)
        masks += map(Segmentation, shapes, texts, mask_areas(runs).tolist())
    return masks


def _of_frames(points: PointSets, frames: Ints) -> PointSets:
    """The points of some of the frames, in ascending order."""
    kept = np.zeros(len(points.counts), dtype=bool)
    kept[frames] = True
    starts = np.concatenate(([0], np.cumsum(points.counts[frames])))
    return PointSets(points.xy[kept[points.owner]], starts)


def write_heatmaps(
    tables: Sequence[Built], grid: tuple[int, int] | None, file: IO[bytes]
) -> Iterator[str]:
    """Write the heatmap of each frame with a box into an open .npz file, one at a time.

    Named VIDEO/SECOND or VIDEO/SECOND/step; rows x columns of float32 whose sum is
    1. grid: columns and rows; None is one cell a pixel. Where several tables have a
    frame, the last counts, and annotators' own points before mean points. Yields the
    names as they are written. Raises InputError where the grid is too coarse for the
    Gaussians.
    """
    places = {
        _heatmap_name(built.table.frames[number]): (built, number)
        for built in sorted(tables, key=lambda built: not built.table.estimated)
        for number in np.flatnonzero(built.built).tolist()
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (built, number) in places.items():
            content = BytesIO()
            heat = _heatmap(built, number, grid).astype(np.float32)
            np.lib.format.write_array(content, heat, allow_pickle=False)
            archive.writestr(f"{name}.npy", content.getvalue())
            yield name


def _heatmap_name(frame: AnnotatedFrame) -> str:
    parts = [frame.video, str(frame.second), *([frame.step] if frame.step else [])]
    # No name may lead out of the folder that a file is unpacked into.
    return "/".join(part.replace("/", "-").replace("..", "-") for part in parts)


def _heatmap(built: Built, number: int, grid: tuple[int, int] | None) -> Floats:
    points = built.table.points
    width, height = built.table.sizes[number].tolist()
    xy = points.xy[points.starts[number] : points.starts[number + 1]]
    cells = grid or (round(width), round(height))
    sigma = float(built.sigmas[number])
    with np.errstate(invalid="ignore"):
        heat = heatmap(xy, (width, height), sigma, cells)
    if np.isnan(heat[0, 0]):
        raise InputError(
            f"cells of {width / cells[0]:g}x{height / cells[1]:g} pixels are too large for "
            f"Gaussians of {sigma:g}; choose a finer --grid or a larger --sigma"
        )
    return heat
