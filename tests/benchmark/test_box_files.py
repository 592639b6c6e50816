"""Boxes in the three layouts of the released files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.benchmark.box_files import encode_boxes, read_boxes
from gytbench.errors import InputError

HERE = Path("boxes.json")
BOXES = {"aaaaaaaaaaa": {2: (0.0, 1.0, 2.5, 3.0), 5: (10.0, 20.0, 10.0, 40.0)}, "b": {}}


@pytest.mark.parametrize(
    "text",
    [
        b'{"b": {}, "aaaaaaaaaaa": {"5": [10, 20, 10, 40], "2": [0, 1, 2.5, 3]}}',
        b'{"b": {}, "aaaaaaaaaaa": {"2": {"box": [0, 1, 2.5, 3], "step": "x"},'
        b' "5": {"box": [10, 20, 10, 40], "step": "y"}}}',
        b'{"aaaaaaaaaaa": [{"second": 2, "box": [0, 1, 2.5, 3], "step_name": "x"},'
        b' {"second": 5, "box": [10, 20, 10, 40], "step_name": "y"}], "b": []}',
    ],
)
def test_all_layouts_hold_the_same(text: bytes) -> None:
    assert read_boxes(text, HERE) == BOXES


def test_boxes_are_written_a_video_a_line_without_needless_fractions() -> None:
    assert encode_boxes(BOXES) == (
        b'{"aaaaaaaaaaa": {"2":[0,1,2.5,3],"5":[10,20,10,40]},\n"b": {}}\n'
    )


coordinate = st.floats(-1000, 1000)
seconds = st.dictionaries(
    st.integers(0, 10_000), st.tuples(coordinate, coordinate, coordinate, coordinate)
)


@given(st.dictionaries(st.text(max_size=12), seconds))
def test_boxes_read_back(boxes: dict[str, dict[int, tuple[float, float, float, float]]]) -> None:
    assert read_boxes(encode_boxes(boxes), HERE) == boxes


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b'{"v": {"2": [0, 1, 2]}}', '$["v"]["2"]'),
        (b'{"v": {"x": [0, 1, 2, 3]}}', '$["v"]'),
        (b'{"v": {"2": {"box": [0, 1, 2, "3"], "step": ""}}}', '$["v"]["2"].box[3]'),
        (b'{"v": [{"second": -1, "box": [0, 1, 2, 3], "step_name": ""}]}', '$["v"][0].second'),
        (b'{"v": 7}', '$["v"]'),
        (b'{"v": ', "boxes.json"),
        (b"[]", "boxes.json"),
        (b"\xff\xfe", "boxes.json"),
    ],
)
def test_anything_else_is_named(text: bytes, place: str) -> None:
    with pytest.raises(InputError) as caught:
        read_boxes(text, HERE)
    assert place in caught.value.faults[0].where
