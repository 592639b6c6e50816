"""Writers of every format of points, small and by the formats' own descriptions."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from gytbench.annotation.rows import PointRow

COLUMNS = ("video", "second", "step", "annotator", "x", "y", "width", "height")


def write_json(rows: Sequence[PointRow], path: Path) -> None:
    """Flat JSON: an array of objects."""
    path.write_text(json.dumps([_record(row) for row in rows]), encoding="utf-8")


def write_lines(rows: Sequence[PointRow], path: Path) -> None:
    """JSON Lines: one object a line."""
    text = "".join(json.dumps(_record(row)) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def write_csv(rows: Sequence[PointRow], path: Path, delimiter: str = ",", mark: str = "") -> None:
    """CSV with a header line; `mark` may be a byte order mark."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(mark)
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(COLUMNS)
        writer.writerows(_record(row).values() for row in rows)


def write_tsv(rows: Sequence[PointRow], path: Path) -> None:
    """The same with tabs."""
    write_csv(rows, path, "\t")


def write_semicolons(rows: Sequence[PointRow], path: Path) -> None:
    """The same with semicolons, as spreadsheets of many countries write it."""
    write_csv(rows, path, ";", "\ufeff")


def write_aggregate(rows: Sequence[PointRow], path: Path, prefix: str = "") -> None:
    """Mean points as released; `prefix` "mean_" is that of the first round."""
    records = [
        {
            "image_url": "https://host/folder/" + image_name(row),
            prefix + "x": row.x,
            prefix + "y": row.y,
            "mean_dist": None if row.x is None else row.mean_distance,
        }
        for row in rows
    ]
    path.write_text(json.dumps(records), encoding="utf-8")


def write_coco(rows: Sequence[PointRow], path: Path) -> None:
    """COCO keypoints: one key point an annotation, the annotator in its attributes."""
    images, annotations = [], []
    for number, (_, answers) in enumerate(_by_frame(rows), start=1):
        first = answers[0]
        size = {"width": first.width, "height": first.height}
        images.append({"id": number, "file_name": image_name(first), **size})
        for row in answers:
            seen = row.x is not None
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "keypoints": [row.x, row.y, 2] if seen else [0, 0, 0],
                    "num_keypoints": int(seen),
                    "attributes": {"annotator": row.annotator},
                }
            )
    categories = [{"id": 1, "name": "point", "keypoints": ["centre"], "skeleton": []}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document), encoding="utf-8")


def write_cvat(rows: Sequence[PointRow], path: Path) -> None:
    """CVAT for images 1.1: one element an answer."""
    parts = ['<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>']
    for number, (_, answers) in enumerate(_by_frame(rows)):
        first = answers[0]
        size = f'width="{first.width!r}" height="{first.height!r}"'
        parts.append(f'<image id="{number}" name={quoteattr(image_name(first))} {size}>')
        parts += [_cvat_element(row) for row in answers]
        parts.append("</image>")
    path.write_text("\n".join([*parts, "</annotations>"]), encoding="utf-8")


def write_label_studio(rows: Sequence[PointRow], path: Path) -> None:
    """Label Studio: a task a frame, an annotation an answer, points in percent."""
    tasks = []
    for number, (_, answers) in enumerate(_by_frame(rows), start=1):
        annotations = [
            {"completed_by": {"email": row.annotator}, "result": _result(row)} for row in answers
        ]
        image = "/data/local-files/?d=frames/" + image_name(answers[0])
        tasks.append({"id": number, "data": {"image": image}, "annotations": annotations})
    path.write_text(json.dumps(tasks), encoding="utf-8")


WRITERS: dict[str, Callable[[Sequence[PointRow], Path], None]] = {
    "points.json": write_json,
    "points.jsonl": write_lines,
    "points.csv": write_csv,
    "points.tsv": write_tsv,
    "semicolons.csv": write_semicolons,
    "coco.json": write_coco,
    "cvat.xml": write_cvat,
    "label_studio.json": write_label_studio,
}


def image_name(row: PointRow) -> str:
    """VIDEO_SECOND_step.jpg."""
    return f"{row.video}_{row.second}_{row.step}.jpg"


def _record(row: PointRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _by_frame(rows: Iterable[PointRow]) -> Iterable[tuple[tuple[Any, ...], list[PointRow]]]:
    return [(frame, list(some)) for frame, some in groupby(rows, lambda row: row[:3])]


def _cvat_element(row: PointRow) -> str:
    annotator = f"<attribute name={quoteattr('annotator')}>{row.annotator}</attribute>"
    if row.x is None:
        return f'<tag label="none" source="manual">{annotator}</tag>'
    points = f'label="point" occluded="0" points="{row.x!r},{row.y!r}"'
    return f"<points {points}>{annotator}</points>"


def _result(row: PointRow) -> list[dict[str, Any]]:
    if row.x is None or row.y is None or row.width is None or row.height is None:
        return []
    value = {
        "x": row.x * 100 / row.width,
        "y": row.y * 100 / row.height,
        "width": 0.5,
        "keypointlabels": ["Point"],
    }
    sizes = {"original_width": row.width, "original_height": row.height}
    return [{"type": "keypointlabels", "value": value, **sizes}]
