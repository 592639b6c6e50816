"""The audit of the released files."""

from pathlib import Path

import pytest

from gytbench.audit import Audit, audit, explain, read_release
from gytbench.benchmark import Benchmark
from tests.audit.release import FIRST, FULL, PUBLISHED, README, SECOND

COUNTS = {
    "swapped-clipping": {PUBLISHED: 6621, README: 6587, FULL: 8118},
    "degenerate-box": {PUBLISHED: 18, README: 52, FULL: 61},
    "out-of-frame-box": {},
    "box-misses-mean-point": {PUBLISHED: 643, README: 776, FULL: 945},
    "unexplained-box": {},
    "box-without-point": {},
    "box-outside-segments": {PUBLISHED: 15, README: 8, FULL: 24},
    "release-seconds-differ": {PUBLISHED: 3543, README: 3733, FULL: 670},
    "release-boxes-differ": {PUBLISHED: 56, README: 2},
    "zero-length-segment": {"seg.json": 41},
    "shared-boundary-second": {"seg.json": 443},
    "overlapping-segments": {},
    "instance-without-box": {PUBLISHED: 550, README: 267, FULL: 104},
    "point-outside-segments": {FIRST: 16, SECOND: 8},
    "step-disagrees": {PUBLISHED: 20},
    "label-near-duplicate": {"seg.json": 76},
    "other-shape": {"id2wh_new.json": 1},
    "stretched-video": {"id2wh.json": 212},
    "checksum-drift": {},
}

EXPLAINED = {
    "published": (17316, 17316, 3556, 13759, 1),
    "readme": (17506, 17506, 0, 17505, 1),
    "full": (21719, 21719, 4234, 17485, 0),
}


@pytest.fixture(scope="module")
def found(released: Path) -> Audit:
    return audit(read_release(released))


def test_counts(found: Audit) -> None:
    assert {each.rule.id: each.by_file for each in found.outcomes} == COUNTS


def test_all_boxes_are_explained(found: Audit) -> None:
    names = ("boxes", "explained", "by_first_round_only", "by_second_round_only", "by_both_rounds")
    rows = {row["release"]: tuple(row[name] for name in names) for row in found.explained}
    assert rows == EXPLAINED
    assert not any(row["unexplained"] or row["without_point"] for row in found.explained)


def test_the_odd_one(found: Audit) -> None:
    outcome = next(each for each in found.outcomes if each.rule.id == "other-shape")
    assert [(each.video, each.text[:7]) for each in outcome.findings] == [
        ("7mabCfrc90Y", "480x640")
    ]


def test_why_steps_disagree(found: Audit) -> None:
    outcome = next(each for each in found.outcomes if each.rule.id == "step-disagrees")
    ways = ("no segment covers this second", "written otherwise in the segments", "segments say")
    counts = [sum(way in each.text for each in outcome.findings) for way in ways]
    assert counts == [15, 3, 2]


def test_explain_alone(benchmark: Benchmark) -> None:
    result = explain(benchmark.boxes, benchmark.points, benchmark.frames)
    assert result.counts()["explained"] == 17316
    assert result.unexplained == []
    moved = {
        video: {second: (x1, y1 - 40, x2, y2 - 40) for second, (x1, y1, x2, y2) in rows.items()}
        for video, rows in benchmark.boxes.items()
    }
    assert len(explain(moved, benchmark.points, benchmark.frames).unexplained) >= 12000
    without = explain(benchmark.boxes, (), benchmark.frames).counts()
    assert without["without_point"] == 17316
