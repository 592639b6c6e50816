"""Answers of video language models: what is understood, and what is reported."""

import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.errors import InputError
from gytbench.predictions.convert.claims import claims_of, seconds

from .making import fault, read

UNIT, THOUSAND = [1.0, 1.0], [1000.0, 1000.0]


def one(folder: Path, answer: str, record: dict[str, Any] | None = None, **options: Any) -> Any:
    """The one tube of an answer."""
    line = {"video": "v", "label": "stir", "answer": answer} | (record or {})
    (tube,), report = read(folder, "answers", json.dumps(line), ".jsonl", **options)
    assert not report.unread
    return tube


@pytest.mark.parametrize(
    ("answer", "start", "end"),
    [
        ("It happens from 12 to 18.", 12, 18),
        ("From 12.5 seconds to 18 seconds, the cook stirs.", 12.5, 18),
        ("between 0:12 and 0:18", 12, 18),
        ("The action takes place 01:02:03 - 01:02:05.5", 3723, 3725.5),
        ("12s - 18s", 12, 18),
        ("12 \u2013 18 seconds", 12, 18),
        ("[12.0, 18.0]", 12, 18),
        ("from second 12 to second 18", 12, 18),
        ("<12> to <18>", 12, 18),
        ("<12.0s><18.0s>", None, None),
        ("at 12 s", 12, 13),
        ("It is at 00:12.", 12, 13),
        ('{"start": 12, "end": "18 s"}', 12, 18),
        ('{"start_time": "00:12", "end_time": "00:18"}', 12, 18),
        ('```json\n[{"segment": [12, 18]}]\n```', 12, 18),
        ('Sure!\n```\n{"timestamps": ["0:12", "0:18"], "label": "pour"}\n```\nDone.', 12, 18),
        ('{"time": "from 12 to 18"}', 12, 18),
        ('{"time": 12}', 12, 13),
    ],
)
def test_times(tmp_path: Path, answer: str, start: float | None, end: float | None) -> None:
    if start is None:
        line = json.dumps({"video": "v", "label": "a", "answer": answer})
        assert read(tmp_path, "answers", line, ".jsonl")[1].unread
        return
    tube = one(tmp_path, answer)
    assert tube == {"video": "v", "label": "stir", "start": start, "end": end}


@pytest.mark.parametrize(
    ("answer", "boxes", "frame"),
    [
        ("From 3 to 5: [0.1, 0.2, 0.5, 0.6]", {3: 0, 4: 0}, UNIT),
        ("3s - 5s: <box>[[100, 200, 500, 600]]</box>", {3: 0, 4: 0}, THOUSAND),
        ("<ref>egg</ref><box>(100,200),(500,600)</box> from 3 to 5", {3: 0, 4: 0}, THOUSAND),
        ("from 3 to 5 <|box_start|>(100,200),(500,600)<|box_end|>", {3: 0, 4: 0}, THOUSAND),
        ("from 3 to 5 (at 4 s: [0.1, 0.2, 0.5, 0.6])", {4: 0}, UNIT),
        ("At 3 s (0.1, 0.2, 0.5, 0.6), at 4 s (0.1, 0.2, 0.5, 0.7)", {3: 0, 4: 1}, UNIT),
        ("0:03: [0.1, 0.2, 0.5, 0.6]\n0:04: [0.1, 0.2, 0.5, 0.7]", {3: 0, 4: 1}, UNIT),
        ("[0.1, 0.2, 0.5, 0.6] at 3 s, [0.1, 0.2, 0.5, 0.7] at 4 s", {3: 0, 4: 1}, UNIT),
        ("[0.1, 0.2, 0.5, 0.6] at 3 s\n[0.1, 0.2, 0.5, 0.7] at 4 s", {3: 0, 4: 1}, UNIT),
        ('{"3": [0.1, 0.2, 0.5, 0.6], "4": [0.1, 0.2, 0.5, 0.7]}', {3: 0, 4: 1}, UNIT),
        (
            '[{"time": 3, "bbox_2d": [0.1, 0.2, 0.5, 0.6]}, '
            '{"time": "0:04", "bbox_2d": [0.1, 0.2, 0.5, 0.7]}]',
            {3: 0, 4: 1},
            UNIT,
        ),
        ('{"start": 3, "end": 5, "box_2d": [200, 100, 600, 500]}', {3: 0, 4: 0}, THOUSAND),
        (
            '{"start": 3, "end": 5, "boxes": [[0.1, 0.2, 0.5, 0.6], [0.1, 0.2, 0.5, 0.7]]}',
            {3: 0, 4: 1},
            UNIT,
        ),
        (
            '{"start": 3, "end": 5, "frames": [{"second": 4, "bbox": [0.1, 0.2, 0.5, 0.6]}]}',
            {4: 0},
            UNIT,
        ),
    ],
)
def test_boxes(tmp_path: Path, answer: str, boxes: dict[int, int], frame: list[float]) -> None:
    tube = one(tmp_path, answer)
    shown = [[0.1, 0.2, 0.5, 0.6], [0.1, 0.2, 0.5, 0.7]]
    assert (tube["start"], tube["end"], tube["frame_size"]) == (3, 5, frame)
    assert tube.get("times", [3, 4]) == list(boxes)
    found = [[value / frame[0] for value in box] for box in tube["boxes"]]
    assert found == [shown[index] for index in boxes.values()]


def test_pixels_need_a_frame_and_are_not_guessed(tmp_path: Path) -> None:
    answer = "from 3 to 5 [10, 20, 50, 60]"
    line = json.dumps({"video": "v", "label": "a", "answer": answer})
    for options, said in (
        ({}, "unknown unit: say --coordinates thousand or pixels"),
        ({"coordinates": "pixels"}, "unknown frame: give --frame-size"),
    ):
        _, report = read(tmp_path, "answers", line, ".jsonl", **options)
        assert said in next(iter(report.unread))
    size = (640.0, 480.0)
    tube = one(tmp_path, answer, coordinates="pixels", frame_size=size)
    assert (tube["boxes"][0], tube["frame_size"]) == ([10, 20, 50, 60], [640, 480])
    own = one(tmp_path, answer, {"width": 320, "height": 240}, coordinates="pixels")
    assert own["frame_size"] == [320, 240]
    assert one(tmp_path, answer, coordinates="thousand")["frame_size"] == THOUSAND


def test_what_was_asked_gives_the_interval_and_the_instance(tmp_path: Path) -> None:
    record = {"start": 30, "end": 32, "instance": 4}
    tube = one(tmp_path, "The point is (0.5, 0.25).", record)
    assert (tube["start"], tube["end"], tube["instance"]) == (30, 32, 4)
    assert tube["points"] == [[0.5, 0.25], [0.5, 0.25]]


def test_times_count_from_the_offset(tmp_path: Path) -> None:
    tube = one(tmp_path, "from 2 to 4, at 3 s [0, 0, 1, 1]", {"offset": 60})
    assert (tube["start"], tube["end"], tube["times"]) == (62, 64, [63])


def test_several_actions_of_one_answer(tmp_path: Path) -> None:
    answer = (
        '[{"start": 1, "end": 2, "label": "a", "score": 0.5}, {"start": 4, "end": 6, "label": "b"}]'
    )
    line = json.dumps({"video": "v", "answer": answer})
    first, second = read(tmp_path, "answers", line, ".jsonl")[0]
    assert (first["label"], first["start"], first["score"]) == ("a", 1, 0.5)
    assert (second["label"], second["end"]) == ("b", 6)
    assert read(tmp_path, "answers", '{"video": "v", "answer": "[]"}', ".jsonl")[0] == []


def test_samples_of_lmms_eval(tmp_path: Path) -> None:
    line = {"doc": {"video": "v", "label": "a", "instance": 3}, "resps": [["from 1 to 2"]]}
    (tube,), _ = read(tmp_path, "answers", [line], ".json")
    assert tube == {"video": "v", "label": "a", "start": 1.0, "end": 2.0, "instance": 3}


UNREAD = [
    ("I cannot tell.", "no time, no box and no point"),
    (
        "from 18 to 12",
        "the interval N to N s is not one from N to N,N whose end is after its start",
    ),
    ("[0.1, 0.2, 0.5, 0.6]", "a box or point without a time"),
    ("from 3 to 5 [0.5, 0.2, 0.1, 0.6]", "a box with xN < xN or yN < yN"),
    ("from 3 to 5 <box>[[100, 200, 1500, 600]]</box>", "coordinates beyond N"),
    ("from 3 to 5, at 9 s [0, 0, 1, 1]", "a box or point outside its interval"),
    ("from 3 to 5 [0, 0, 1, 1] [0, 0, 1, 0.5]", "several boxes or points for one interval"),
    ("at 3 s [0, 0, 1, 1] and [0, 0, 1, 0.5]", "several boxes or points for one second"),
    ("<box>[[1, 2, 3]]</box> at 3 s", "a box of N numbers"),
    ("```json\n[{'start': 1}]\n```", "the JSON in its code fence cannot be decoded"),
    (
        '{"start": 3, "end": 6, "boxes": [[0,0,1,1],[0,0,1,1]]}',
        "N boxes for the N seconds of its interval",
    ),
    ("x" * 2_000_000, "longer than N,N,N characters"),
]


@pytest.mark.parametrize(("answer", "kind"), UNREAD, ids=[kind for _, kind in UNREAD])
def test_unread_answers_are_reported(tmp_path: Path, answer: str, kind: str) -> None:
    good = json.dumps({"video": "v", "label": "a", "answer": "from 1 to 2"})
    bad = json.dumps({"video": "v", "label": "a", "answer": answer})
    content = f"{good}\n{bad}\n"
    tubes, report = read(tmp_path, "answers", content, ".jsonl")
    assert len(tubes) == 1
    assert {k.replace("NN", "N") for k in report.unread} == {kind}
    assert "in.jsonl: line 2" in report.examples[next(iter(report.unread))][0].where
    (tmp_path / "out.json").unlink()
    with pytest.raises(InputError):
        read(tmp_path, "answers", content, ".jsonl", strict=True)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "in.txt: line 1: not JSON"),
        ('{"video": "v"}', "in.txt: line 1: has no answer"),
        ('{"answer": "x"}', "the video and the label must be text"),
        ('{"video": "v", "answer": "x", "offset": "soon"}', "`offset` must be a number"),
        ('{"video": "v", "answer": "x", "instance": "3"}', "`instance` must be a whole number"),
    ],
)
def test_faults_of_the_file(tmp_path: Path, line: str, said: str) -> None:
    assert said in fault(lambda: read(tmp_path, "answers", line), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        " " * 500_000,
        "\n" * 500_000,
        "1" * 500_000,
        "1:" * 250_000,
        "[" * 500_000,
        "(1," * 200_000,
        "from " * 100_000,
        "```" * 200_000,
        "<box>" * 100_000,
        "1 - " * 100_000,
        "9" * 400 + " s",
        '{"time": 1' + "0" * 400 + "}",
    ],
    ids=range(12),
)
def test_hostile_text_takes_no_time(text: str) -> None:
    try:
        claims = claims_of(text)
    except ValueError:
        return
    assert len(claims) <= 400_000


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (3, 3.0),
        ("1:02", 62.0),
        ("1:01:01.5", 3661.5),
        ("4 s", 4.0),
        ("x", None),
        (True, None),
        ([], None),
    ],
)
def test_seconds(value: Any, wanted: float | None) -> None:
    assert seconds(value) == wanted
