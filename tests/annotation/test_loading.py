"""Files of points as tables, with the sizes that belong to them."""

import json
from pathlib import Path

import numpy as np
import pytest

from gytbench.annotation.loading import load_tables
from gytbench.annotation.rows import PointRow
from gytbench.annotation.table import PointTable
from gytbench.errors import InputError
from tests.annotation.writing import write_aggregate, write_coco, write_csv, write_label_studio


def row(video: str, annotator: str, x: float | None, size: float | None = 1000) -> PointRow:
    return PointRow(video, 5, "cut", annotator, x, x, size, size, "")


def mean(video: str, x: float | None) -> PointRow:
    return PointRow(video, 5, "cut", "mean", x, x, None, None, "", 2.0)


def write_sizes(path: Path, **sizes: tuple[int, int]) -> Path:
    path.write_text(json.dumps(sizes), encoding="utf-8")
    return path


def faults(paths: list[Path], folder: Path, sizes: Path | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_tables(paths, sizes=sizes)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def test_own_points_of_all_files_are_one_table(tmp_path: Path) -> None:
    one, two, three = tmp_path / "a.csv", tmp_path / "b.json", tmp_path / "c.json"
    write_csv([row("v", "ann", 700), row("w", "ann", None)], one)
    write_coco([row("v", "bob", 800)], two)
    # An empty answer of Label Studio tells no size: another file does.
    write_label_studio([row("v", "cem", None)], three)
    (table,) = load_tables([one, two, three])
    assert table.annotators == ("ann", "bob", "cem")
    assert [frame.video for frame in table.frames] == ["v", "w"]
    assert table.sizes.tolist() == [[1000, 1000], [1000, 1000]]
    assert table.xy[:2].tolist() == [[700, 700], [800, 800]]
    assert not table.estimated


def test_sizes_are_for_rows_that_tell_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv([row("v", "ann", 700, None), row("w", "ann", 1)], path)
    sizes = write_sizes(tmp_path / "s.json", v=(1920, 1080), w=(5, 5))
    (table,) = load_tables([path], sizes=sizes)
    assert table.sizes.tolist() == [[1920, 1080], [1000, 1000]]
    (fault,) = faults([path], tmp_path)
    assert "is not inside its frame of 640x480" in fault


def test_columns_are_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("image,left,y\nv_1.jpg,3,4\n", encoding="utf-8")
    (table,) = load_tables([path], columns={"x": "left"})
    assert table.xy.tolist() == [[3, 4]]


@pytest.mark.parametrize(("prefix", "beside"), [("mean_", "id2wh.json"), ("", "id2wh_new.json")])
def test_means_take_the_sizes_beside_them(prefix: str, beside: str, tmp_path: Path) -> None:
    path = tmp_path / "means.json"
    write_aggregate([mean("v", 400), mean("w", None)], path, prefix)
    write_sizes(tmp_path / beside, v=(480, 640), w=(640, 480))
    assert sizes_of(path) == [[480, 640], [640, 480]]
    given = write_sizes(tmp_path / "given.json", v=(800, 800), w=(900, 900))
    assert sizes_of(path, given) == [[800, 800], [900, 900]]


def sizes_of(path: Path, sizes: Path | None = None) -> list[list[float]]:
    (table,) = load_tables([path], sizes=sizes)
    assert table.estimated
    found: list[list[float]] = table.sizes.tolist()
    return found


def test_means_without_sizes(tmp_path: Path) -> None:
    framed, native = tmp_path / "framed.json", tmp_path / "native.json"
    write_aggregate([mean("v", 400)], framed)
    write_aggregate([mean("v", 400)], native, "mean_")
    assert sizes_of(framed) == [[640, 480]]
    (fault,) = faults([native], tmp_path)
    assert fault.startswith("native.json: mean_x and mean_y are pixels of the videos, whose sizes")
    assert "--sizes" in fault


def test_each_file_of_means_is_a_table_after_the_own_points(tmp_path: Path) -> None:
    one, own, two = tmp_path / "1.json", tmp_path / "own.csv", tmp_path / "2.json"
    write_aggregate([mean("v", 1)], one)
    write_csv([row("v", "ann", 2)], own)
    write_aggregate([mean("v", 3)], two)
    tables = load_tables([one, own, two])
    assert [firsts(table) for table in tables] == [[2, 2], [1, 1], [3, 3]]
    distances = tables[1].mean_distances
    assert distances is not None
    np.testing.assert_array_equal(distances, [[2, 2]])


def firsts(table: PointTable) -> list[float]:
    point: list[float] = table.xy[0].tolist()
    return point


@pytest.mark.parametrize("aggregate", [True, False])
def test_videos_without_size_are_counted(aggregate: bool, tmp_path: Path) -> None:
    path = tmp_path / "points"
    if aggregate:
        rows = [mean("v", 1), mean("v", 1)._replace(second=6), mean("w", 1), mean("x", 1)]
        write_aggregate(rows, path)
    else:
        names = [("v", "ann"), ("v", "bob"), ("w", "ann"), ("x", "ann")]
        write_csv([row(video, annotator, 1, None) for video, annotator in names], path)
    sizes = write_sizes(tmp_path / "s.json", x=(640, 480))
    assert faults([path], tmp_path, sizes) == [
        "s.json: has no size of video 'v', which 2 rows need",
        "s.json: has no size of video 'w', which 1 row needs",
    ]


def test_faults_of_all_files(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("image,x,y\nv_1.jpg,a,4\n", encoding="utf-8")
    assert faults([bad, tmp_path / "none.csv"], tmp_path) == [
        "bad.csv: line 2, column x: 'a' is not a number",
        "none.csv: no such file",
    ]
    assert faults([bad], tmp_path, tmp_path / "s.json") == ["s.json: no such file"]
    assert faults([bad, bad], tmp_path) == ["bad.csv: is given twice"]
    assert faults([], tmp_path) == ["no file of points is given"]


def test_a_file_without_names_may_be_that_of_one_annotator(tmp_path: Path) -> None:
    """Alone its answers are numbered; beside others they carry the file's name too."""
    files = [tmp_path / f"{name}.csv" for name in ("ann", "ben")]
    for path in files:
        path.write_text("video,second,x,y\nv,1,10,20\nv,2,30,40\n")
    assert load_tables(files[:1])[0].annotators == ("1",)
    (both,) = load_tables(files)
    assert both.annotators == ("ann 1", "ben 1")
    assert both.points.counts.tolist() == [2, 2]
    assert both.name == "ann.csv and ben.csv"
