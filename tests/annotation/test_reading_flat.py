"""Rows in JSON, JSON Lines, CSV and TSV; and what holds for every format."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gytbench.annotation.reading import answers, read_rows, read_sizes, source, values
from gytbench.annotation.reading.names import parse_name
from gytbench.annotation.rows import PointRow
from gytbench.errors import InputError
from gytbench.predictions import limits
from tests.annotation.faulty import faults, faults_of
from tests.annotation.writing import WRITERS, write_json

ROW = {"video": "v", "second": 3, "step": "Pour milk", "annotator": "ann", "x": 1.5, "y": 2}


def rows_of(path: Path, content: str, columns: dict[str, str] | None = None) -> list[PointRow]:
    path.write_text(content, encoding="utf-8")
    return read_rows(path, columns or {})


@st.composite
def some_rows(draw: st.DrawFn) -> list[PointRow]:
    """Rows of some frames in the order of their frames, as writers lay them down."""
    words = st.text("abcdefghijklmnopqrstuvwxyzé", min_size=1, max_size=8)
    frames = draw(
        st.lists(
            st.tuples(st.sampled_from(["aaaaaaaaaaa", "-b_c-d_eeee"]), st.integers(0, 9999), words),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    sizes = {"aaaaaaaaaaa": (640.0, 480.0), "-b_c-d_eeee": (1080.0, 1920.0)}
    found = []
    for video, second, step in frames:
        width, height = sizes[video]
        for name in draw(st.lists(words, min_size=1, max_size=5, unique=True)):
            x, y = draw(st.none() | st.tuples(st.floats(0, width), st.floats(0, height))) or (
                None,
                None,
            )
            found.append(PointRow(video, second, step, name, x, y, width, height, ""))
    return found


@pytest.mark.parametrize("name", WRITERS)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=some_rows())
def test_every_format_leads_back(name: str, rows: list[PointRow], tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](rows, path)
    read = read_rows(path, {})
    sized = {row.video for row in rows if row.x is not None}
    if "label_studio" in name:
        # Its empty answers tell no size; one of a video whose answers are all empty is lost.
        rows = [
            row if row.video in sized else row._replace(width=None, height=None) for row in rows
        ]
        for one, other in zip(read, rows, strict=True):
            assert (one.x, one.y) == pytest.approx((other.x, other.y), abs=1e-6)
        read = [one._replace(x=row.x, y=row.y) for one, row in zip(read, rows, strict=True)]
    assert [row._replace(where="") for row in read] == rows
    assert len({row.where for row in read}) == len(rows)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("video second step annotator x y", ","),
        ("VID Sec Sentence Worker_ID PX Point_Y", "\t"),
        ("video_id frame_second class user cx cy", ";"),
    ],
)
def test_columns_are_found_by_their_names(
    header: str, delimiter: str, mark: str, tmp_path: Path
) -> None:
    lines = [
        header.split(),
        ["v", "76.0", "Pour milk", "a", "1", "2.5"],
        ["v", "77", "", "b", "", ""],
    ]
    text = mark + "\r\n".join(delimiter.join(line) for line in lines)
    path = tmp_path / "points.txt"
    assert rows_of(path, text) == [
        PointRow("v", 76, "pour_milk", "a", 1, 2.5, None, None, f"{path}: line 2"),
        PointRow("v", 77, "", "b", None, None, None, None, f"{path}: line 3"),
    ]


def test_columns_may_be_named(tmp_path: Path) -> None:
    content = json.dumps([{"vid": 12, "t": 3, "left": 5, "top": 6, "label": "Ann", "x": 1, "y": 2}])
    columns = {"x": "left", "y": "TOP", "annotator": "label"}
    (row,) = rows_of(tmp_path / "p.json", content, columns)
    assert row[:6] == ("12", 3, "", "Ann", 5, 6)


def test_answers_without_annotator_are_numbered(tmp_path: Path) -> None:
    content = "image,x,y\nabc_1_cut.png,1,1\nabc_2_cut.png,1,1\nabc_1_cut.png,2,2\n"
    rows = rows_of(tmp_path / "p.csv", content)
    assert [(row.second, row.annotator) for row in rows] == [(1, "1"), (2, "1"), (1, "2")]


def test_an_image_beside_video_and_second_tells_the_step(tmp_path: Path) -> None:
    content = "video,second,image,x,y\nv,5,other_9_cut_it.png,1,1\nv,6,no name,1,1\n"
    rows = rows_of(tmp_path / "p.csv", content)
    assert [row[:3] for row in rows] == [("v", 5, "cut_it"), ("v", 6, "")]


def test_lines_in_quotes_and_blank_lines_count(tmp_path: Path) -> None:
    content = 'video,second,x,y,note\n\nv,1,1,1,"two\nlines"\n,,,,\nv,2,2,2,\n'
    rows = rows_of(tmp_path / "p.csv", content)
    assert [row.where.rpartition(": ")[2] for row in rows] == ["line 3", "line 6"]


def test_one_object_on_one_line_is_a_row(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "p.json", json.dumps(ROW))
    assert row.where.endswith("line 1: $")


def test_keys_may_stand_twice(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "p.json", '[{"video":"a","video":"v","second":1,"x":1,"y":1}]')
    assert row.video == "v"


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("https://host/a/-1okAudsnAc_101_beat_mixture.jpg", ("-1okAudsnAc", 101, "beat_mixture")),
        ("-1okAudsnAc_101_beat_2_eggs.png", ("-1okAudsnAc", 101, "beat_2_eggs")),
        ("my_video_7_Pour%20milk.jpeg", ("my_video", 7, "pour_milk")),
        ("a/my_video_7.png", ("my_video", 7, "")),
        ("v_1_2_cut.png", ("v_1", 2, "cut")),
        ("frames\\some video\\0012.jpg", ("some video", 12, "")),
        ("/data/local-files/?d=set%2Fv/12_cut.jpg", ("v", 12, "cut")),
        ("https://host/v_1_cut.jpg?sig=a_2_b", ("v", 1, "cut")),
        ("12.jpg", None),
        ("frame_000012.jpg", None),
        ("holiday.jpg", None),
        ("v_12345678.jpg", None),
    ],
)
def test_names_of_images(name: str, frame: tuple[str, int, str] | None) -> None:
    assert parse_name(name) == frame


BAD_VALUES: list[tuple[str, Any, str]] = [
    ("x", "abc", "'abc' is not a number"),
    ("x", "12", "'12' is not a number; write it without quotes"),
    ("y", float("nan"), "'NaN' is not a number; leave it empty (JSON: null)"),
    ("y", float("-inf"), "'-Infinity' is not a number"),
    ("y", True, "true is not a number"),
    ("x", [1], "an array is not a number"),
    ("second", 76.5, "76.5 is not a whole second"),
    ("second", None, "the second is missing"),
    ("second", -1, "second -1 is not from 0 to 10,000,000"),
    ("second", 1e300, "second 1e+300 is not from 0"),
    ("video", "", "is missing; give a name"),
    ("video", {"a": 1}, "an object is not a name"),
    ("annotator", "n" * 1001, "a name of 1,001 characters; 1,000 are the most"),
    ("step", 1.5, "1.5 is not a name"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD_VALUES)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_bad_values_in_json(
    column: str, value: Any, reason: str, suffix: str, tmp_path: Path
) -> None:
    records = [json.dumps(row) for row in (ROW, ROW | {"second": 4} | {column: value})]
    if suffix == ".json":
        text, place = f"[{','.join(records)}]", f"$[1].{column}"
    else:
        text, place = "\n".join(records), f"line 2: $.{column}"
    (fault,) = faults_of(tmp_path / f"p{suffix}", text)
    assert fault.startswith(f"FILE: {place}: {reason}")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("x", "abc", "'abc' is not a number"),
        ("x", "1_0", "'1_0' is not a number"),
        ("x", '"1,5"', "'1,5' is not a number; write a decimal point"),
        ("x", "n/a", "'n/a' is not a number; leave it empty"),
        ("y", "NaN", "'NaN' is not a finite number; leave it empty (JSON: null)"),
        ("y", "1e999", "'1e999' is not a finite number"),
        ("second", "76.5", "76.5 is not a whole second"),
        ("second", "9" * 400, "'" + "9" * 100 + "'... is not a finite number"),
        ("second", "", "the second is missing"),
        ("annotator", " ", "is missing; give a name"),
        ("step", "s" * 1001, "a name of 1,001 characters"),
    ],
)
def test_bad_values_in_csv(column: str, value: str, reason: str, tmp_path: Path) -> None:
    row = {name: str(field) for name, field in ROW.items()}
    lines = [",".join(ROW), ",".join(row.values()), ",".join((row | {column: value}).values())]
    (fault,) = faults_of(tmp_path / "p.csv", "\n".join(lines))
    assert fault.startswith(f"FILE: line 3, column {column}: {reason}")


def test_all_faults_are_told(tmp_path: Path) -> None:
    found = faults_of(tmp_path / "p.csv", "video,second,x,y\n,1,a,1\nv,b,1,NaN\n")
    assert [fault.partition("column ")[2][0] for fault in found] == ["v", "s", "x", "y"]


@pytest.mark.parametrize("number", ["1e999", "9" * 5000, "-Infinity", "nan"])
def test_numbers_beyond_bounds_in_json(number: str, tmp_path: Path) -> None:
    text = '[{"video": "a NaN \\" Infinity", "second": 1, "y": 1, "x": ' + number + "}]"
    (fault,) = faults_of(tmp_path / "p.json", text)
    assert fault.startswith("FILE: $[0].x: ")
    assert "is not a number; leave it empty (JSON: null)" in fault


@pytest.mark.parametrize(
    ("header", "columns", "reasons"),
    [
        ("video,second,y", {}, ["has no column x; rename one, or name it (--column x=NAME); the"]),
        ("x,y,video", {}, ["needs a column image, or the columns video and second; the file has"]),
        (
            "x,y,px,image",
            {},
            ["several columns may be x; name one (--column x=x or --column x=px)"],
        ),
        ("x,y,image,Width", {}, ["has only one of the columns width and height; give both"]),
        (
            "left,y,image",
            {"x": "lefd"},
            ["has no column 'lefd' (named as x); did you mean 'left'?; the file has the columns l"],
        ),
        (
            "x,y,image",
            {"anotator": "x"},
            ["no column is read as 'anotator'; known are x, y, annotator, video, second, step, im"],
        ),
        ("x,x,image", {}, ["line 1: column 'x' stands there 2 times; rename one"]),
        ("x,y", {}, ["line 2: has 3 fields where the first line names 2"]),
    ],
)
def test_bad_columns(
    header: str, columns: dict[str, str], reasons: list[str], tmp_path: Path
) -> None:
    values = ",".join("1" for _ in header.split(",")) if header != "x,y" else "1,2,3"
    found = faults_of(tmp_path / "p.csv", f"{header}\n{values}\n", columns)
    assert len(found) == len(reasons)
    for fault, reason in zip(found, reasons, strict=True):
        assert fault.startswith(f"FILE: {reason}")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><annotations>&b;</annotations>'
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "FILE: it is empty"),
        (" \n", "FILE: it is empty"),
        (b"\xef\xbb\xbf", "FILE: it is empty"),
        ("[]", "FILE: holds no rows"),
        ("video,second,x,y\n", "FILE: holds no rows"),
        ('[{"x": 1', "FILE: not JSON: it is truncated"),
        ('{"images": [', "FILE: not JSON: it is truncated"),
        ('[{"x": 1,, }]', "FILE: not JSON at line 1, column 10"),
        ("[1, {}]", "FILE: $[0]: must be an object, not a number"),
        ('[{"x": "\\ud800"}]', "FILE: not JSON"),
        (b'[{"x": "\xff"}]', "FILE: not UTF-8 text at line 1, column 9"),
        (b"x,y\n1,\xe9\n", "FILE: not UTF-8 text at line 2, column 3"),
        ('{"x": 1}\n{"x": \n[1]\n', "FILE: line 2: not JSON: it is truncated"),
        ('{\n"v": 1}', "FILE: $: an object that is not COCO"),
        ('video,second,x,y\n"v,1,1,1\n', "FILE: line 2: not CSV: unexpected end of data"),
        ("video," + "x" * 200_000, "FILE: line 1: not CSV: field larger than field limit"),
        ("hello\nworld", "FILE: has no column x"),
        ("[" * 100_000, "FILE: not JSON that can be read: nested too deeply"),
        ('[{"image": "holiday.jpg", "x": 1, "y": 1}]', "FILE: $[0].image: 'holiday.jpg' tells no"),
        (
            '[{"image": "v_1.jpg", "x": 1, "y": 1}, {"image": "v_2.jpg", "x": 1}]',
            "FILE: $[1].y: is",
        ),
        (b"\x1f\x8b\x08", "FILE: it is compressed; unpack it first"),
        (b"PK\x03\x04", "FILE: it is a zip archive; unpack it"),
        (BOMB, "FILE: its XML has a DTD or entities, which are not read"),
    ],
)
def test_broken_files(content: str | bytes, reason: str, tmp_path: Path) -> None:
    found = faults_of(tmp_path / "points", content)
    assert found[0].startswith(reason), found


def test_a_folder_and_no_file(tmp_path: Path) -> None:
    assert faults(tmp_path) == ["FILE: this is a folder; name the file of points"]
    assert faults(tmp_path / "none.csv") == ["FILE: no such file"]


@settings(max_examples=300, deadline=None)
@given(
    content=st.binary(max_size=60)
    | st.text('[]{}",:\\xyNaN1e9 \n<>/&', max_size=60).map(str.encode)
    | st.text('[]{}",:', max_size=20).map(lambda text: b'[{"x":1,"y":2,"t":1,' + text.encode())
)
def test_any_bytes_are_read_or_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    with suppress(InputError):
        read_rows(path, {})


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [PointRow("aaaaaaaaaaa", 1, "s", name, 1, 1, 9, 9, "") for name in "abc"]
    monkeypatch.setattr(answers, "MAX_ROWS", 2)
    for name, write in WRITERS.items():
        write(rows, tmp_path / name)
        assert faults(tmp_path / name) == ["FILE: more than 2 answers; split the file"]
    monkeypatch.setattr("gytbench.annotation.reading.sheets.MAX_ROWS", 2)
    for name in ("points.json", "points.jsonl", "points.csv"):
        assert faults(tmp_path / name) == ["FILE: more than 2 rows; split the file"]
    monkeypatch.setattr(source, "MAX_VALUES", 5)
    assert faults(tmp_path / "points.json") == ["FILE: more than 5 values; split the file"]
    monkeypatch.setattr(limits, "MAX_BYTES", 20)
    assert "GiB; split the file" in faults(tmp_path / "points.json")[0]


def test_no_more_faults_than_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_FAULTS", 3)
    path = tmp_path / "p.csv"
    found = faults_of(path, "image,x,y\n" + "v_1.jpg,a,b\n" * 9)
    assert len(found) == 4
    assert "more faults follow" in found[-1]


def test_sizes_of_videos(tmp_path: Path) -> None:
    path = tmp_path / "sizes.json"
    path.write_text('{"a": [640, 480.0], "b": [480, 640]}', encoding="utf-8")
    assert read_sizes(path) == {"a": (640, 480), "b": (480, 640)}
    path.write_text('{"a": [640], "b": [NaN, 1], "": [1, 1], "d": [0, 1]}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_sizes(path)
    assert [str(fault).removeprefix(f"{path}: ") for fault in caught.value.faults] == [
        '$["a"]: must be [width, height]',
        "$[\"b\"]: 'NaN' is not a number; leave it empty (JSON: null) where nothing is visible",
        '$[""]: is missing; give a name',
        '$["d"]: a frame of 0x1 pixels cannot be',
    ]
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"\$: must be an object of \[width, height\] by video"):
        read_sizes(path)


def test_values_in_messages_are_short() -> None:
    assert len(values.shown("a" * 10_000)) < 120
    assert values.shown(None) == "null"


def test_reading_is_linear_in_hostile_text(tmp_path: Path) -> None:
    """Quotes and digits without end take no quadratic time; this would run for minutes."""
    for text in ('[{"x": NaN, "y": "' + '\\"' * 500_000, "[NaN, " + "1." * 500_000):
        assert faults_of(tmp_path / "p.json", text)


def test_a_written_file_names_its_places(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    write_json([PointRow("v", 1, "", "a", 1, 1, 9, 9, "")] * 2, path)
    assert [row.where for row in read_rows(path, {})] == [f"{path}: $[0]", f"{path}: $[1]"]


def test_a_released_file_of_another_kind_is_no_list_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "seg.json"
    path.write_text('{"v": [{"segment": [1, 2], "id": 0, "sentence": "x"}]}')
    with pytest.raises(InputError, match="an object that is not COCO"):
        read_rows(path, {})
