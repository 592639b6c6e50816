"""V-HICO from small files in its publisher's layout: the publisher's own are not in hand."""

import os
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import gytbench
from gytbench.benchmark.vhico import MAX_COVERED
from gytbench.errors import InputError

from .vhico import entry, load, write


def test_instances(tmp_path: Path) -> None:
    truth = load(write(tmp_path))
    told = [(i.video, i.id, i.start, i.end, i.step, i.label) for i in truth.instances]
    # A video's name that two actions have is told apart; "washing hand" is its plural's class.
    assert told == [
        ("v1", 0, 5, 13, "holding_cup", "holding_cup"),
        ("holding+cup/same", 0, 3, 4, "holding_cup", "holding_cup"),
        ("washing+hands/same", 0, 3, 4, "washing_hand", "washing_hands"),
        ("washing+hands/same", 1, 4, 5, "washing_hands", "washing_hands"),
    ]
    assert truth.classes.names == ("holding_cup", "washing_hands")
    assert truth.classes.kind == "triplet"
    assert truth.frames["v1"] == (200, 150)
    assert truth.frames["washing+hands/same"] == (300, 150)
    assert (truth.dataset, truth.subset, truth.release) == ("vhico", "test", "enclosing")
    assert truth.data.startswith("local@")
    assert len(truth.release_sha256) == 64


@pytest.mark.parametrize(
    ("boxes", "at_5", "at_12"),
    [
        ("enclosing", (0, 0, 120, 100), (10, 10, 80, 100)),
        ("human", (0, 0, 120, 40), (10, 10, 50, 90)),
        ("object", (40, 60, 80, 100), (40, 60, 80, 100)),
    ],
)
def test_boxes(tmp_path: Path, boxes: str, at_5: Any, at_12: Any) -> None:
    truth = load(write(tmp_path), boxes=boxes)
    assert truth.boxes_of(truth.instances[0]) == {12: at_12, 5: at_5}
    assert not truth.boxes


def test_pairs_are_every_human_with_every_object(tmp_path: Path) -> None:
    humans, things = [(0, 0, 9, 9), (20, 0, 29, 9)], [(1, 1, 2, 2), (21, 1, 22, 2)]
    truth = load(write(tmp_path, {"a": {"v": [entry("holding cup", 1, humans, things)]}}))
    expected = tuple((human, thing) for human in humans for thing in things)
    assert truth.pairs["v", 0] == {1: expected}


def test_the_other_subset(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, {"a": {"v": [entry("folding bikes folding bikes", 1)]}}, "unseen")
    truth = load(tmp_path, subset="unseen")
    assert truth.classes.names == ("folding_bikes",)
    assert truth.subset == "unseen"
    with pytest.raises(InputError, match="no such subset: 'unsen'"):
        load(tmp_path, subset="unsen")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("holding cup", "holding_cup"),
        ("Holding cups", "holding_cup"),
        ("washing hand", "washing_hands"),
        ("taping foot", "taping_feet"),
        ("taping feet", "taping_feet"),
        ("washing glass", "washing_glass"),
        ("washing glasses", "washing_glass"),
        ("holding", None),
    ],
)
def test_predictions_may_say_either_number(tmp_path: Path, said: str, name: str | None) -> None:
    labels = ["holding cup", "washing hands", "taping feet", "taping foot", "washing glass"]
    rows = [entry(label, number) for number, label in enumerate(labels)]
    classes = load(write(tmp_path, {"a": {"v": rows}})).classes
    assert len(classes.names) == 4
    assert classes.name_of(said) == name


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_boxes_may_be_arrays(tmp_path: Path, protocol: int) -> None:
    row = entry("a b", 1) | {
        "human": np.array([[1.5, 2, 3, 4]], dtype=np.float32),
        "object": [np.array([5, 6, 7, 8]), (np.int64(1), 2.0, 3, 4)],
    }
    truth = load(write(tmp_path, {"a": {"v": [row]}}, protocol=protocol))
    assert truth.boxes_of(truth.instances[0]) == {1: (1, 2, 7, 8)}


def test_the_frame_is_the_last_number_of_the_file_name(tmp_path: Path) -> None:
    row = entry("a b", 1, path="x/99/clip_7_frame0031.jpg")
    truth = load(write(tmp_path, {"a": {"v": [row]}}))
    assert truth.instances[0].start == 31


def test_scoring_by_frames(tmp_path: Path) -> None:
    truth = load(write(tmp_path))
    tubes = [
        {
            "video": "v1",
            "label": "holding cup",
            "start": 5,
            "end": 13,
            "times": [5, 12],
            "boxes": [[0, 0, 0.6, 0.5], [0, 0, 0.01, 0.01]],
            "instance": 0,
        }
    ]
    file = {"format": "gytbench-predictions/1", "task": "spatial", "tubes": tubes}
    path = tmp_path / "p.json"
    path.write_bytes(msgspec.json.encode(file))
    result = gytbench.evaluate(path, benchmark=truth)
    assert result.counts["units"] == 5
    # Frame 5: 120 x 75 of 120 x 100, centre inside; frame 12 is missed, as are the others.
    assert result.metrics["pointing_accuracy"] == 1 / 5
    assert result.metrics["success@0.3"] == 1 / 5
    assert "dataset:vhico" in result.signature
    assert "boxes:enclosing@" in result.signature


def fault(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(folder)
    return str(caught.value).replace(f"{folder}/vhico/gt_bbox_test.json", "FILE")


def changed(**changes: Any) -> Any:
    return {"a b": {"v": [entry("x y", 1), entry("x y", 2) | changes]}}


NAN = float("nan")
AT = "FILE: annos['a b']['v'][1]"


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ([1], "FILE: annos: must be a dictionary, not list"),
        ({"a": 3}, "FILE: annos['a']: must be a dictionary, not int"),
        ({"a": {"v": 3}}, "FILE: annos['a']['v']: must be a list, not int"),
        ({"a": {"v": [3]}}, "FILE: annos['a']['v'][0]: must be a dictionary, not int"),
        ({3: {}}, "FILE: a key of annos: must be a text of 1 to 1,000 letters"),
        ({"a": {}, b"a": {}}, "FILE: annos: the key 'a' stands twice"),
        ({"a": {"v": [{}]}}, "FILE: annos['a']['v'][0]: the key 'path' is missing"),
        (changed(path="x/y/frame.jpg"), f"{AT}.path: the file's name has no frame number"),
        (changed(path="x/y/9999999.jpg"), f"{AT}.path: the file's name has no frame number"),
        (changed(path=7), f"{AT}.path: must be a text"),
        (changed(label=""), f"{AT}.label: must be a text"),
        (changed(label=None), f"{AT}.label: must be a text"),
        (changed(human=[]), f"{AT}.human: must hold at least one box"),
        (changed(object=None), f"{AT}.object: must be up to 100 boxes of 4 numbers"),
        (changed(human=np.zeros(4)), f"{AT}.human: must be up to 100 boxes of 4 numbers"),
        (changed(human=np.zeros((2, 3))), f"{AT}.human[0]: must be a box of 4 numbers"),
        (changed(human=[[0, 0, 1]]), f"{AT}.human[0]: must be a box of 4 numbers"),
        (changed(human=[[0, 0, 1, 1], "abcd"]), f"{AT}.human[1]: must be a box of 4 numbers"),
        (changed(human=[[0, 0, NAN, 1]]), f"{AT}.human[0][2]: must be a number from -100000"),
        (changed(human=[[0, 0, 10**5000, 1]]), f"{AT}.human[0][2]: must be a number"),
        (changed(human=[[0, 0, True, 1]]), f"{AT}.human[0][2]: must be a number"),
        (changed(human=np.full((1, 4), NAN)), f"{AT}.human[0][0]: must be a number"),
        (changed(human=[[0, 0, 1, 1]] * 101), f"{AT}.human: holds 101 entries; at most 100"),
        (changed(human=np.zeros((101, 4))), f"{AT}.human: must be up to 100 boxes"),
        (changed(width=0), f"{AT}.width: must be a number from 1"),
        (changed(height="150"), f"{AT}.height: must be a number from 1"),
        (changed(width=201), f"{AT}: `width` and `height` are not those of the video's other"),
        (changed(path="x/00001.jpg"), f"{AT}: a second entry of frame 1 under the same label"),
    ],
)
def test_faults(tmp_path: Path, annotations: Any, said: str) -> None:
    assert fault(write(tmp_path, annotations)).startswith(said)


def test_what_lies_in_no_dictionary(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "vhico" / "gt_bbox_test.json"
    for content, said in (
        ({}, "FILE: the key 'annos' is missing"),
        ([], "FILE: must be a dictionary, not list"),
        (None, "FILE: must be a dictionary, not nothing"),
    ):
        path.write_bytes(pickle.dumps(content))
        assert fault(tmp_path) == said
    path.unlink()
    assert fault(tmp_path).startswith("FILE: no such file")


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = [entry("x y", 1)] * 1_000_000
    assert fault(write(tmp_path, {"a": {"v": same}})).startswith(
        "FILE: annos['a']['v']: holds 1,000,000 entries; at most 500,000"
    )
    boxes = [[0, 0, 1, 1]] * 100
    monkeypatch.setattr("gytbench.benchmark.vhico.MAX_PAIRS", 9_999)
    assert fault(write(tmp_path, {"a": {"v": [entry("x y", 1, boxes, boxes)]}})) == (
        "FILE: annos: more than 500,000 entries, or 9,999 pairs"
    )
    long = {"v": [entry(f"x y{n}", t) for n in range(21) for t in (0, 999_999)]}
    assert fault(write(tmp_path, {"a": long})) == (
        f"FILE: the instances cover more than {MAX_COVERED:,} frames together"
    )


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.how = (function, arguments)

    def __reduce__(self) -> Any:
        return self.how


@pytest.mark.parametrize(
    "hostile",
    [
        Calls(os.system, "touch harm"),
        Calls(eval, "1"),
        Fraction(1, 2),
        np.array([[Fraction(1)] * 4], dtype=object),
        np.array(["x"]),
    ],
    ids=lambda hostile: type(hostile).__name__,
)
def test_hostile_pickles_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path / "data", changed(human=hostile))
    assert fault(folder).startswith("FILE: refused: the pickle holds")
    assert not (tmp_path / "harm").exists()


def test_a_json_file_is_no_pickle(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "vhico" / "gt_bbox_test.json").write_text('{"annos": {}}')
    assert fault(tmp_path).startswith("FILE: not a pickle that can be read")
