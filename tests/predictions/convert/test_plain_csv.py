"""The plain CSV: rows with and without numbers, and faults with their line."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.predictions import Tube

from .making import fault, plain, read, write


def test_rows_of_boxes_are_joined_by_their_seconds(tmp_path: Path) -> None:
    rows = """video,label,second,x1,y1,x2,y2,score
v,stir,3,0,0,10,20,0.5
v,stir,4,1,0,10,20,0.7
v,stir,4,5,5,9,9,0.2
v,stir,6,2,0,10,20,0.5
w,stir,7,0,0,1,1,0.1
"""
    tubes, report = read(tmp_path, "csv", rows, frame_size=(640.0, 480.0))
    best, later, second, other = tubes
    assert (best["start"], best["end"], best["scores"]) == (3, 5, [0.5, 0.7])
    assert best["boxes"] == [[0, 0, 10, 20], [1, 0, 10, 20]]
    assert (later["start"], later["end"], later["score"]) == (6, 7, 0.5)
    assert (second["start"], second["boxes"]) == (4, [[5, 5, 9, 9]])
    assert other["video"] == "w"
    assert not report.lost


def test_intervals_points_and_width_and_height(tmp_path: Path) -> None:
    rows = """video_id\tlabel\tstart\tend\tsecond\tx\ty\tw\th
v\tstir\t1.5\t4\t\t\t\t\t
v\tpour\t1\t4\t2\t10\t20\t30\t40
v\tfry\t1\t4\t2\t10\t20\t\t
v\tfry\t1\t4\t3\t11\t21\t\t
"""
    whole, boxed, pointed = read(tmp_path, "csv", rows)[0]
    assert whole == {"video": "v", "label": "stir", "start": 1.5, "end": 4.0}
    assert (boxed["times"], boxed["boxes"]) == ([2], [[10, 20, 40, 60]])
    assert (pointed["times"], pointed["points"]) == ([2, 3], [[10, 20], [11, 21]])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("video,label\nv,a\n", "missing column `second` or `start`"),
        ("video,label,second,foo\nv,a,1,2\n", "unknown column `foo`"),
        ("video,label,second,x,x\nv,a,1,2,2\n", "repeated column `x`"),
        ("video,label,second\nv,a\n", "line 2: has 2 fields where the first line names 3"),
        ("video,label,second\nv,a,1.5\n", "line 2: second: '1.5' is not a whole number"),
        ("video,label,second\nv,a,nan\n", "line 2: second: 'nan' is not a number"),
        ("video,label,second\n\nv,,1\n", "line 3: the label is missing"),
        ("video,label,start\nv,a,1\n", "line 2: `end` is missing, and so is `second`"),
        ("video,label,start,end\nv,a,5,2\n", "line 2: the interval 5 to 2 s"),
        ("video,label,second\nv,a,-3\n", "line 2: the interval -3 to -2 s"),
        ("video,label,second,x1,y1,x2\nv,a,1,0,0,1\n", "line 2: `y2` is missing"),
        ("video,label,second,x1,y1,x2,y2\nv,a,1,9,0,1,5\n", "x2 < x1"),
        ("video,label,second,x,y\nv,a,1,1e7,0\n", "lies beyond"),
        ("tube,video,label,second\n1,v,a,1\n1,v,a,1\n", "line 3: the second 1 stands there twice"),
        ("tube,video,label,start,end,second\n1,v,a,1,3,5\n", "line 2: second 5 is not from 1"),
        ('video,label,second\nv,"a,1\n', "line 2: not CSV"),
        (b"video,label,second\nv,\xff,1\n", "line 2: not UTF-8 text"),
        ("", "missing column `video`"),
    ],
)
def test_faults(tmp_path: Path, rows: str, said: str) -> None:
    assert said in fault(lambda: read(tmp_path, "csv", rows), tmp_path)


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
NUMBERS = st.floats(-1e6, 1e6)
SCORES = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tubes(draw: st.DrawFn) -> Tube:
    """A tube with everything that a CSV holds."""
    start = draw(st.integers(0, 40))
    seconds = list(range(start, start + draw(st.integers(1, 4))))
    tube = Tube(draw(NAMES), draw(NAMES), start, seconds[-1] + 1.0, draw(SCORES))
    tube.end -= draw(st.sampled_from((0, 0.25)))
    kept = draw(st.lists(st.sampled_from(seconds), min_size=1, unique=True).map(sorted))
    tube.times = None if kept == seconds else kept
    point = st.tuples(NUMBERS, NUMBERS)
    corners = st.tuples(point, point).map(
        lambda two: (*map(min, *two), *map(max, *two))  # type: ignore[arg-type]
    )
    count = len(kept)
    tube.boxes = draw(st.none() | st.lists(st.none() | corners, min_size=count, max_size=count))
    tube.points = draw(st.none() | st.lists(st.none() | point, min_size=count, max_size=count))
    tube.scores = draw(st.none() | st.lists(SCORES, min_size=count, max_size=count))
    tube.frame_size = draw(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)))
    tube.instance = draw(st.none() | st.integers(0, 2**31))
    for name in ("boxes", "points"):
        # A row cannot tell a list of nothing from no list.
        if not any(getattr(tube, name) or ()):
            setattr(tube, name, None)
    if tube.boxes is tube.points is tube.scores is None and tube.times is None:
        tube.times = None
    return tube


@settings(max_examples=60)
@given(st.lists(tubes(), max_size=4))
def test_round_trip_is_lossless(made: list[Tube]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        content, report = write(folder, "csv", made)
        assert not report.lost
        assert read(folder, "csv", content)[0] == [plain(tube) for tube in made]


def test_what_a_row_cannot_hold_is_named(tmp_path: Path) -> None:
    tube = Tube("v", "a", 0, 2, heatmaps=[[[1.0]], None], meta={"k": 1})
    _, report = write(tmp_path, "csv", [tube])
    assert report.lost == {"heatmaps": 1, "meta": 1}


def test_names_with_line_ends_are_refused(tmp_path: Path) -> None:
    said = fault(lambda: write(tmp_path, "csv", [Tube("v", "a\nb", 0, 2)]), tmp_path)
    assert said == "preds.json: $.tubes[0]: CSV has no form for the name 'a\\nb'"
