"""COCO keypoints."""

import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.annotation.reading import read_rows
from gytbench.annotation.rows import PointRow
from tests.annotation.faulty import faults_of

IMAGE = {"id": 7, "file_name": "set/v_3.jpg", "width": 1280, "height": 720}
THREE = {"id": 1, "name": "Pour milk", "keypoints": ["ann", "bob", "cem"]}
ONE = {"id": 2, "name": "point", "keypoints": ["centre"]}


def document(*annotations: dict[str, Any], **fields: Any) -> str:
    rows = [{"image_id": 7, "category_id": 2} | row for row in annotations]
    return json.dumps({"images": [IMAGE], "annotations": rows, "categories": [THREE, ONE]} | fields)


def rows_of(path: Path, text: str) -> list[PointRow]:
    path.write_text(text, encoding="utf-8")
    return read_rows(path, {})


def test_key_points_of_one_annotation_are_annotators(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    keypoints = [1, 2, 2, 0, 0, 0, 3.5, 4, 1]
    at = f"{path}: $.annotations[0].keypoints"
    assert rows_of(path, document({"category_id": 1, "keypoints": keypoints})) == [
        PointRow("v", 3, "pour_milk", "ann", 1, 2, 1280, 720, f"{at}[0]"),
        PointRow("v", 3, "pour_milk", "bob", None, None, 1280, 720, f"{at}[3]"),
        PointRow("v", 3, "pour_milk", "cem", 3.5, 4, 1280, 720, f"{at}[6]"),
    ]


def test_one_key_point_an_annotation(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path / "c.json",
        document(
            {"keypoints": [1, 2, 2], "annotator": "ann"},
            {"keypoints": [1, 2, 2], "attributes": {"annotator": 12}},
            {"keypoints": [1, 2, 2]},
            {"keypoints": [0, 0, 0]},
        ),
    )
    assert [row.annotator for row in rows] == ["ann", "12", "1", "2"]
    assert {row.step for row in rows} == {""}
    assert rows[3].x is rows[3].y is None


def test_without_names_key_points_are_numbered(tmp_path: Path) -> None:
    text = document({"keypoints": [1, 2, 2, 3, 4, 2]}, categories=[])
    assert [row.annotator for row in rows_of(tmp_path / "c.json", text)] == ["1", "2"]


def test_an_image_without_annotation_is_no_answer(tmp_path: Path) -> None:
    assert faults_of(tmp_path / "c.json", document()) == ["FILE: holds no answer of an annotator"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (document({"keypoints": [1, 2]}), "$.annotations[0].keypoints: must be an array of x, y"),
        (document({}), "$.annotations[0].keypoints: must be an array of x, y, v"),
        (document({"keypoints": ["a", 2, 2]}), "$.annotations[0].keypoints[0]: 'a' is not a num"),
        (document({"keypoints": [None, 2, 2]}), "$.annotations[0].keypoints[0]: is missing; give"),
        (document({"keypoints": [1, float("nan"), 2]}), "$.annotations[0].keypoints[0]: 'NaN' is"),
        (document({"keypoints": [1, 2, 3]}), "$.annotations[0].keypoints[0]: visibility 3 is none"),
        (
            document({"keypoints": [1, 2, 2] * 2, "category_id": 1}),
            "$.annotations[0].keypoints: 2 key points, but its category names 3",
        ),
        (document({"keypoints": [1, 2, 2], "image_id": 8}), "$.annotations[0].image_id: no image"),
        (document({"keypoints": [1, 2, 2], "image_id": []}), "$.annotations[0].image_id: no image"),
        (document({"keypoints": [1, 2, 2], "annotator": []}), "$.annotations[0].annotator: an ar"),
        (document(images=[IMAGE, IMAGE]), "$.images[1].id: id 7 stands there twice"),
        (document(images=[IMAGE | {"id": None}]), "$.images[0].id: must be a number or a string"),
        (document(images=[IMAGE | {"file_name": "a.jpg"}]), "$.images[0].file_name: 'a.jpg' tells"),
        (document(images=[IMAGE | {"width": "9"}]), "$.images[0].width: '9' is not a number; wri"),
        (document(images={}), "$.images: must be an array, not an object"),
        (document(annotations=None), "$.annotations: must be an array, not null"),
        (document(annotations=[3]), "$.annotations[0]: must be an object, not a number"),
        (document(categories=[{"id": 1, "keypoints": "a"}]), "$.categories[0].keypoints: must be"),
        (document(categories=[{"id": 1, "keypoints": [""]}]), "$.categories[0].keypoints[0]: is m"),
        ('{"images": []}', "$: the key `annotations` is missing; a COCO file has"),
        (document({"keypoints": [1, 2, 2]})[:-9], "not JSON: it is truncated"),
    ],
)
def test_faults(text: str, reason: str, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "c.json", text)
    assert fault.startswith(f"FILE: {reason}")


def test_all_faults_are_told(tmp_path: Path) -> None:
    text = document({"keypoints": []}, {"keypoints": [1, 2, 9]}, {"image_id": "b"})
    assert len(faults_of(tmp_path / "c.json", text)) == 3
