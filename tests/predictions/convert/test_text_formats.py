"""AVA, MOT and THUMOS: files worked by hand, faults, and the way back."""

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.predictions import Tube

from .making import fault, plain, read, write

LABELS = {12: "stir", 7: "pour"}


def test_ava(tmp_path: Path) -> None:
    rows = "v,0902,0.1,0.2,0.5,0.6,12,0.5\nv,0903,0.1,0.2,0.5,0.7,12,0.25\nv,0903,0,0,1,1,7,1\n"
    tubes, report = read(tmp_path, "ava", rows, labels=LABELS)
    assert tubes[0] == {
        "video": "v",
        "label": "stir",
        "start": 902.0,
        "end": 904.0,
        "score": 0.375,
        "boxes": [[0.1, 0.2, 0.5, 0.6], [0.1, 0.2, 0.5, 0.7]],
        "scores": [0.5, 0.25],
    }
    assert tubes[1]["label"] == "pour"
    assert not report.lost
    content, _ = write(tmp_path, "ava", [Tube(**tube) for tube in tubes], labels=LABELS)
    assert content.decode() == rows.replace("090", "90")


def test_mot(tmp_path: Path) -> None:
    # 2 frames a second: frames 3, 4 and 5 are at 1, 1.5 and 2 s.
    rows = """3, 5, 11, 21, 30, 40, 0.5, -1, -1, -1
4,5,11,21,30,41,0.5
5,5,11,21,30,42,0.5
3,6,1,1,2,2,1
"""
    tubes, report = read(tmp_path, "mot", rows, video="v", label="stir", fps=2.0)
    assert tubes[0] == {
        "video": "v",
        "label": "stir",
        "start": 1.0,
        "end": 2.5,
        "score": 0.5,
        "boxes": [[10, 20, 40, 60], [10, 20, 40, 62]],
    }
    assert (tubes[1]["start"], tubes[1]["end"], tubes[1]["boxes"]) == (1, 1.5, [[0, 0, 2, 2]])
    assert sum(report.lost.values()) == 1


def test_mot_of_several_videos_is_a_zip(tmp_path: Path) -> None:
    tubes = [
        Tube(video, "stir", 1, 3, 0.5, boxes=[(0, 0, 2, 2), (1, 1, 3, 3)], frame_size=(9.0, 9.0))
        for video in "vw"
    ]
    options: dict[str, Any] = {"fps": 25.0, "labels": LABELS}
    content, report = write(tmp_path, "mot", tubes, ".zip", zipped=True, **options)
    assert report.lost == {"sizes of frames": 2}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["v.txt", "w.txt"]
        assert archive.read("v.txt") == b"26,1,1,1,2,2,0.5,12,-1,-1\n51,1,2,2,2,2,0.5,12,-1,-1\n"
    again, _ = read(tmp_path, "mot", content, ".zip", **options)
    assert [tube["boxes"] for tube in again] == [[[0, 0, 2, 2], [1, 1, 3, 3]]] * 2
    said = fault(lambda: write(tmp_path, "mot", tubes, ".txt", **options), tmp_path)
    assert "a second video; several need a file each" in said


def test_mot_refuses_what_is_no_zip(tmp_path: Path) -> None:
    said = fault(lambda: read(tmp_path, "mot", b"PK\x03\x04", ".zip", fps=1.0), tmp_path)
    assert said.startswith("in.zip: not a zip file that can be read")


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("ava", "v,1,0,0,1,1\n", "line 1: 6 fields; AVA has 8"),
        ("ava", "v,1,0,0,1,x,12,1\n", "line 1: box: 'x' is not a number"),
        ("ava", "v,1,0,0,1,1,99,1\n", "line 1: 99 is none of the numbers of --labels"),
        ("ava", "v,1,0.5,0,0.2,1,12,1\n", "line 1: the box"),
        ("ava", "v,1,0,0,1,1,12,1\nw,1,0,0,1,1,12,1\nv,2,0,0,1,1,12,1\n", "line 3: the rows"),
        ("mot", "0,1,1,1,1,1\n", "line 1: frames count from 1"),
        ("mot", "1,1,1,1,-1,1\n", "line 1: the box"),
        ("mot", "1,1,1\n", "line 1: 3 fields"),
        ("thumos", "v 1 2 12\n", "line 1: 4 fields; THUMOS has 5"),
        ("thumos", "\nv 3 2 12 1\n", "line 2: the interval 3 to 2 s"),
        ("thumos", "v 1 inf 12 1\n", "line 1: time: 'inf' is not a number"),
    ],
)
def test_faults(tmp_path: Path, name: str, rows: str, said: str) -> None:
    told = fault(lambda: read(tmp_path, name, rows, labels=LABELS, label="a", fps=1.0), tmp_path)
    assert f"in.txt: {said}" in told


def test_thumos(tmp_path: Path) -> None:
    rows = "video_test_0000004 0.2 1.1 7 0.5\n"
    tubes, _ = read(tmp_path, "thumos", rows, labels=LABELS)
    assert tubes == [
        {"video": "video_test_0000004", "label": "pour", "start": 0.2, "end": 1.1, "score": 0.5}
    ]


INTERVALS = st.tuples(st.floats(0, 40_000), st.floats(0.001, 40_000)).map(
    lambda two: (two[0], two[0] + two[1])
)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(INTERVALS, st.floats(-1e9, 1e9), st.sampled_from(("stir", "pour")))),
    st.sampled_from(("thumos", "activitynet")),
)
def test_intervals_come_back(made: list[tuple[tuple[float, float], float, str]], name: str) -> None:
    tubes = [Tube("v", label, *interval, score) for interval, score, label in made]
    with TemporaryDirectory() as folder:
        content, report = write(Path(folder), name, tubes, labels=LABELS)
        again, _ = read(Path(folder), name, content, labels=LABELS)
    assert not report.lost
    assert again == [plain(tube) for tube in tubes]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=4),
        ),
        max_size=3,
    )
)
def test_tracks_come_back_from_mot(made: list[tuple[int, list[tuple[int, int]]]]) -> None:
    tubes = [
        Tube("v", "stir", start, start + len(sides), boxes=[(1, 2, 1 + w, 2 + h) for w, h in sides])
        for start, sides in made
    ]
    with TemporaryDirectory() as folder:
        more: dict[str, Any] = {"fps": 25.0, "frame_size": (100.0, 100.0)}
        source = [Tube(**plain(tube)) for tube in tubes]
        for tube in source:
            tube.frame_size = (100.0, 100.0)
        content, _ = write(Path(folder), "mot", source, **more)
        again, _ = read(Path(folder), "mot", content, label="stir", video="v", **more)
    # A frame lasts a 25th of a second, and the tube ends with its last one.
    assert all(t["end"] == (25 * (t["start"] + len(t["boxes"]) - 1) + 1) / 25 for t in again)
    found = [(t["start"], t["boxes"]) for t in again]
    assert sorted(found) == sorted((t["start"], t["boxes"]) for t in map(plain, tubes))
