"""Label Studio's JSON export."""

import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.annotation.reading import read_rows
from gytbench.annotation.rows import PointRow
from tests.annotation.faulty import faults_of

DATA = {"image": "/data/local-files/?d=set/v_3_pour%20milk.jpg"}


def point(x: Any = 25, y: Any = 50, **fields: Any) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": 0.4, "keypointlabels": ["Crack eggs"]}
    size = {"original_width": 1280, "original_height": 720}
    return {"type": "keypointlabels", "value": value, **size} | fields


def task(*annotations: Any, **data: Any) -> dict[str, Any]:
    return {"id": 1, "data": data or DATA, "annotations": list(annotations)}


def answer(*result: Any, by: Any = 4, **fields: Any) -> dict[str, Any]:
    return {"completed_by": by, "result": list(result)} | fields


def rows_of(path: Path, *tasks: Any) -> list[PointRow]:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return read_rows(path, {})


def test_percent_become_pixels(tmp_path: Path) -> None:
    path = tmp_path / "l.json"
    answers = [
        answer(point(), by={"id": 3, "email": "ann@host"}),
        answer(),
        answer(point(), was_cancelled=True),
        answer(point(0, 100, type="keypoint"), by=None),
    ]
    at = f"{path}: $[0].annotations"
    assert rows_of(path, task(*answers)) == [
        PointRow("v", 3, "pour_milk", "ann@host", 320, 360, 1280, 720, f"{at}[0].result[0]"),
        PointRow("v", 3, "pour_milk", "4", None, None, 1280, 720, f"{at}[1]"),
        PointRow("v", 3, "pour_milk", "1", 0, 720, 1280, 720, f"{at}[3].result[0]"),
    ]


@pytest.mark.parametrize(
    ("data", "frame"),
    [
        ({"video": "w", "second": "12", "step": "Cut it", "image": "?"}, ("w", 12, "cut_it")),
        ({"video": "w", "second": 12}, ("w", 12, "crack_eggs")),
        ({"url": "https://host/a/v_3.jpg?token=x"}, ("v", 3, "crack_eggs")),
        ({"image": "v_3_cut.jpg", "step": "Fry"}, ("v", 3, "fry")),
        (
            {"image": "/data/upload/1/0a1b2c3d--1okAudsnAc_101_cut_2.jpg"},
            ("-1okAudsnAc", 101, "cut_2"),
        ),
    ],
)
def test_frames(data: dict[str, Any], frame: tuple[str, int, str], tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "l.json", task(answer(point()), **data))
    assert row[:3] == frame


def test_choices_are_no_region(tmp_path: Path) -> None:
    choice = {"type": "choices", "value": {"choices": ["nothing visible"]}}
    (row,) = rows_of(tmp_path / "l.json", task(answer(choice)))
    assert (row.x, row.width) == (None, None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([task(answer(point("a")))], "$[0].annotations[0].result[0].value.x: 'a' is not a number"),
        ([task(answer(point(None)))], "$[0].annotations[0].result[0].value.x: is missing; give"),
        ([task(answer(point(1, float("nan"))))], "$[0].annotations[0].result[0].value.y: 'NaN' is"),
        (
            [task(answer(point(original_width=None)))],
            "$[0].annotations[0].result[0].original_width: is missing; give a number",
        ),
        ([task(answer(point(value=3)))], "$[0].annotations[0].result[0].value: must be an object"),
        (
            [task(answer(point(type="rectanglelabels")))],
            "$[0].annotations[0].result: has no key point, but 'rectanglelabels'; annotate with",
        ),
        ([task(answer(by=[]))], "$[0].annotations[0].completed_by: an array is not a name"),
        ([task({"completed_by": 1})], "$[0].annotations[0].result: must be an array, not null"),
        ([task(3)], "$[0].annotations[0]: must be an object, not a number"),
        ([task(answer(), image="a.jpg")], "$[0].data.image: 'a.jpg' tells no frame; name images"),
        ([task(answer(), text="a")], "$[0].data: needs `image`, or `video` and `second`"),
        ([task(answer(), video="v", second=1.5)], "$[0].data.second: 1.5 is not a whole second"),
        ([task(answer()), {"data": 3}], "$[1].data: must be an object"),
        ([task(answer()), 3], "$[1]: must be an object, not a number"),
        ([{"data": DATA, "annotations": {}}], "$[0].annotations: must be an array, not an object"),
        ([task()], "holds no answer of an annotator"),
    ],
)
def test_faults(document: Any, reason: str, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "l.json", json.dumps(document))
    assert fault.startswith(f"FILE: {reason}")


def test_a_truncated_file(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "l.json", json.dumps([task(answer(point()))])[:-7])
    assert fault.startswith("FILE: not JSON: it is truncated")


def test_all_faults_are_told(tmp_path: Path) -> None:
    document = [task(answer(point("a", "b"))), task(answer(), image="?"), 3]
    assert len(faults_of(tmp_path / "l.json", json.dumps(document))) == 4
