"""What grounders are given, and what their methods say that they can do."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gytbench.grounding.contract import (
    Encoder,
    FindsBoxes,
    FindsTubes,
    MakesHeatmaps,
    Reader,
    ScoresFrames,
    Setup,
    Stretch,
    capabilities,
)

from .fakes import Boxes, FakeSettings, Maps, Tubes, When


def stretch_of(seconds: int, stride: int) -> Stretch:
    """A whole video, whose features are the numbers of the clips."""
    clips = np.arange(-(-seconds // stride))
    return Stretch({"clip": clips, "twice": 2 * clips}, range(seconds), stride)


def clip_by_second(stretch: Stretch) -> list[int]:
    """The number of the clip of each second, as grounders get it."""
    by_second = np.repeat(stretch.features["clip"], stretch.stride)
    found: list[int] = stretch.by_second(by_second).tolist()
    return found


def ranges(within: range) -> st.SearchStrategy[range]:
    """The ranges of one second at least within another."""
    bounds = st.tuples(*[st.integers(within.start, within.stop - 1)] * 2)
    return bounds.map(lambda pair: range(min(pair), max(pair) + 1))


@st.composite
def nested(draw: st.DrawFn) -> tuple[int, int, range, range]:
    seconds, stride = draw(st.integers(1, 40)), draw(st.integers(1, 17))
    outer = draw(ranges(range(seconds)))
    return seconds, stride, outer, draw(ranges(outer))


@given(nested())
@example((40, 16, range(15, 17), range(16, 17)))
@example((33, 16, range(32, 33), range(32, 33)))
def test_a_part_has_the_clips_that_its_seconds_touch(
    case: tuple[int, int, range, range],
) -> None:
    seconds, stride, outer, inner = case
    part = stretch_of(seconds, stride).part(outer)
    for own, found in ((outer, part), (inner, part.part(inner))):
        assert found.seconds == own
        assert clip_by_second(found) == [second // stride for second in own]
        touched = sorted({second // stride for second in own})
        assert found.features["clip"].tolist() == touched
        assert found.features["twice"].tolist() == [2 * clip for clip in touched]


def test_clips_of_a_trimmed_clip_begin_with_it() -> None:
    trimmed = Stretch({"clip": np.array([0, 1])}, range(10, 13), stride=2)
    assert clip_by_second(trimmed) == [0, 0, 1]
    assert clip_by_second(trimmed.part(range(11, 13))) == [0, 1]


@pytest.mark.parametrize(
    ("grounder", "does", "tasks"),
    [
        (When, {"when"}, ("temporal",)),
        (Maps, {"where"}, ("spatial",)),
        (Boxes, {"when", "where"}, ("st", "spatial", "temporal")),
        (Tubes, {"tubes"}, ("st", "spatial", "temporal")),
        (type("Encodes", (), {"encode": None}), set(), ()),
    ],
)
def test_methods_decide_the_tasks(grounder: type, does: set[str], tasks: tuple[str, ...]) -> None:
    able = capabilities(grounder)
    assert {name for name in ("when", "where", "tubes") if getattr(able, name)} == does
    assert able.tasks == tasks


def test_an_object_can_do_what_its_class_can() -> None:
    assert capabilities(When(FakeSettings(), Setup())) == capabilities(When)
    assert capabilities(Tubes(FakeSettings(), Setup())) == capabilities(Tubes)


@pytest.mark.parametrize(
    ("grounder", "kinds"),
    [
        (When, {Encoder, ScoresFrames}),
        (Maps, {Encoder, MakesHeatmaps}),
        (Boxes, {Reader, ScoresFrames, FindsBoxes}),
        (Tubes, {FindsTubes}),
    ],
)
def test_protocols_tell_kinds_apart(grounder: type, kinds: set[type]) -> None:
    made = grounder(FakeSettings(), Setup())
    protocols = (Encoder, Reader, ScoresFrames, MakesHeatmaps, FindsBoxes, FindsTubes)
    assert {each for each in protocols if isinstance(made, each)} == kinds
