"""The released mean points, and others in their form."""

import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.annotation.loading import load_tables
from gytbench.annotation.reading import read_points, read_rows
from gytbench.annotation.table import PointTable
from gytbench.benchmark import Benchmark
from gytbench.benchmark.points import FIRST_ROUND, SECOND_ROUND
from tests.annotation.faulty import faults_of

Means = dict[tuple[str, int, str], tuple[float, float]]

ROW = {"image_url": "https://host/v_3_pour_milk.jpg", "x": 1.5, "y": 2, "mean_dist": 3.5}
NONE = {"image_url": "v_4_pour_milk.jpg", "x": None, "y": None, "mean_dist": None}


@pytest.mark.parametrize(
    ("name", "rows", "empty"), [(FIRST_ROUND, 5_119, 884), (SECOND_ROUND, 21_868, 4_250)]
)
def test_released_rows(name: str, rows: int, empty: int, released: Path) -> None:
    file = read_points(released / "groundingyoutube" / name, {})
    assert file.aggregate
    assert file.native == (name == FIRST_ROUND)
    assert len(file.rows) == rows
    nothing = [row for row in file.rows if row.x is None]
    assert len(nothing) == empty
    assert {(row.y, row.mean_distance) for row in nothing} == {(None, 0.0)}
    assert {(row.annotator, row.width, row.height) for row in file.rows} == {("mean", None, None)}


def test_released_points_are_those_of_the_benchmark(released: Path, benchmark: Benchmark) -> None:
    folder = released / "groundingyoutube"
    first, second = load_tables([folder / FIRST_ROUND, folder / SECOND_ROUND])
    for number, table in ((1, first.scaled_to((640, 480))), (2, second)):
        expected = {
            (point.video, point.second, point.step): (point.x, point.y)
            for point in benchmark.points
            if point.round == number
        }
        found = means_of(table)
        assert found.keys() == expected.keys()
        for frame, point in expected.items():
            assert found[frame] == pytest.approx(point)


def means_of(table: PointTable) -> Means:
    """The mean point of each frame that has one."""
    return {
        (frame.video, frame.second, frame.step): (x, y)
        for frame, (x, y) in zip(table.frames, table.xy.tolist(), strict=True)
        if x == x
    }


@pytest.mark.parametrize("written", [".json", ".jsonl", ".csv"])
@pytest.mark.parametrize("prefix", ["", "mean_"])
def test_other_files_of_that_form(prefix: str, written: str, tmp_path: Path) -> None:
    path = tmp_path / f"means{written}"
    path.write_text(text_of([ROW, NONE], written, prefix), encoding="utf-8")
    file = read_points(path, {})
    assert file.native == bool(prefix)
    assert [row[:8] + row[9:] for row in file.rows] == [
        ("v", 3, "pour_milk", "mean", 1.5, 2, None, None, 3.5),
        ("v", 4, "pour_milk", "mean", None, None, None, None, 0.0),
    ]


def text_of(rows: list[dict[str, Any]], written: str, prefix: str) -> str:
    rows = [
        {(prefix + name if name in "xy" else name): value for name, value in row.items()}
        for row in rows
    ]
    if written == ".csv":
        lines = [",".join("" if v is None else str(v) for v in row.values()) for row in rows]
        return "\n".join([",".join(rows[0]), *lines])
    lines = [json.dumps(row) for row in rows]
    return "\n".join(lines) if written == ".jsonl" else f"[{','.join(lines)}]"


def test_columns_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "means.json"
    path.write_text(json.dumps([ROW | {"px": 9}]), encoding="utf-8")
    (row,) = read_rows(path, {"x": "px", "annotator": "worker"})
    assert (row.x, row.annotator) == (9, "mean")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mean_dist": None}, "$[1].mean_dist: is missing, but there is a point"),
        ({"mean_dist": "far"}, "$[1].mean_dist: 'far' is not a number"),
        ({"mean_dist": float("nan")}, "$[1].mean_dist: 'NaN' is not a number; leave it empty"),
        ({"x": "a"}, "$[1].x: 'a' is not a number"),
        ({"x": 10**400}, "$[1].x: the number is too large"),
        ({"image_url": "cut.jpg"}, "$[1].image_url: 'cut.jpg' tells no frame"),
        ({"image_url": None}, "$[1].image_url: is missing; give a name"),
        ({"mean_x": 3}, "several columns may be x; name one (--column x=mean_x or --column x=x)"),
    ],
)
def test_faults(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    text = "[" + json.dumps(ROW) + "," + json.dumps(ROW | change) + "]"
    (fault,) = faults_of(tmp_path / "means.json", text)
    assert fault.startswith(f"FILE: {reason}")


def test_a_row_without_point(tmp_path: Path) -> None:
    row = {name: value for name, value in ROW.items() if name != "x"}
    found = faults_of(tmp_path / "means.json", json.dumps([ROW, row]))
    assert found == ["FILE: $[1].x: is missing; write null where nothing is visible"]
