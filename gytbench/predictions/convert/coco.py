"""COCO results: [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}], an image a second.

Boxes are [left, top, width, height] in pixels of the image, continuous, 0-based; masks are
`segmentation`, run lengths; a point is the one key point of `keypoints`, [x, y, v]. An image is
found in the images of an annotation file (--images, by `file_name`), or its id is VIDEO_SECOND.
Categories are those of the same file, or of --labels. Source: cocodataset.org/#format-results
and loadRes of pycocotools.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions.convert.contract import Image, Options, Placed, Report
from gytbench.predictions.convert.json_pieces import JsonPieces, decode_piece
from gytbench.predictions.convert.labels import Numbers
from gytbench.predictions.convert.tubes import (
    Entry,
    Row,
    check_box,
    entries_of,
    frame_of,
    joined,
    lose_fields,
    lose_interval,
    scaled,
    together,
)
from gytbench.predictions.schema import Mask, Tube

PIXELS = True

_ID = re.compile(r"(?P<video>.+)[_/](?P<second>\d{1,7})")


class _Result(msgspec.Struct):
    image_id: int | str
    category_id: int
    score: float = 1.0
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Mask | None = None
    keypoints: list[float] | None = None


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """The tubes of a file; the results of a video must lie together, and are joined."""
    return joined(together(_rows(path, options, report)), report)


def _rows(path: Path, options: Options, report: Report) -> Iterator[Row]:
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        for index in pieces.elements():
            where = f"{path}: $[{index}]"
            yield _row(decode_piece(pieces.raw(), _Result, where), where, options, report)
        pieces.end()


def _row(result: _Result, where: str, options: Options, report: Report) -> Row:
    image = _image(result.image_id, options, where)
    label = Numbers(options).name(result.category_id, f"{where}.category_id")
    box = None
    if result.bbox is not None:
        x, y, width, height = result.bbox
        box = check_box((x, y, x + width, y + height), f"{where}.bbox")
    point = None
    if result.keypoints:
        if len(result.keypoints) % 3:
            raise InputError("must be x, y, v for each key point", where=f"{where}.keypoints")
        point = (result.keypoints[0], result.keypoints[1])
        report.lose("key points beyond the first", len(result.keypoints) // 3 - 1)
    return Row(
        where,
        image.video,
        label,
        float(image.second),
        image.second + 1.0,
        result.score,
        box,
        point,
        result.segmentation,
        frame_size=image.frame_size,
    )


def _image(key: int | str, options: Options, where: str) -> Image:
    found = options.images.get(str(key))
    if found is None and not options.images and isinstance(key, str):
        match = _ID.fullmatch(key)
        found = match and Image(match["video"], int(match["second"]))
    if found is None:
        known = "has no image with it" if options.images else "is not given"
        reason = f"image {key!r} is not VIDEO_SECOND, and --images {known}"
        raise InputError(reason, where=f"{where}.image_id")
    return found


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A result for every second of a tube that has a box, a mask or a point."""
    numbers = Numbers(options)
    images = {(image.video, image.second): key for key, image in options.images.items()}
    between = b"["
    for placed in tubes:
        lose_fields(placed.tube, report, ("boxes", "points", "masks", "scores"))
        seconds = []
        for entry in entries_of(placed):
            shapes = _shapes(entry, placed, options)
            if shapes:
                seconds.append(entry.second)
                key = _key(placed.tube.video, entry.second, images, placed.where)
                number = numbers.number(placed.tube.label, placed.where)
                result = {"image_id": key, "category_id": number, **shapes, "score": entry.score}
                file.write(between + b"\n" + msgspec.json.encode(result))
                between = b","
        lose_interval(placed.tube, seconds, report, tracks=False)
    file.write((between if between == b"[" else b"") + b"\n]\n")


def _key(video: str, second: int, images: dict[tuple[str, int], str], where: str) -> int | str:
    if not images:
        return f"{video}_{second}"
    key = images.get((video, second))
    if key is None:
        raise InputError(f"--images has no image of {video!r} at second {second}", where=where)
    return int(key) if key.isdecimal() else key


def _shapes(entry: Entry, placed: Placed, options: Options) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if entry.box is None and entry.point is None and entry.mask is None:
        return found
    image = options.images and next(iter(options.images.values())).frame_size
    old = placed.tube.frame_size or (1.0, 1.0)
    if entry.box is not None or entry.point is not None:
        new = frame_of(placed, options.frame_size or image or None)
        if entry.box is not None:
            x1, y1, x2, y2 = scaled(entry.box, old, new)
            found["bbox"] = [x1, y1, x2 - x1, y2 - y1]
        if entry.point is not None:
            found["keypoints"] = [*scaled(entry.point, old, new), 2]
    if entry.mask is not None:
        found["segmentation"] = entry.mask
    return found
