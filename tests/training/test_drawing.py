"""What is drawn for a sample: the same each time, within what the settings say."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.training.config import Data
from gytbench.training.drawing import ATTEMPTS, Draw, draw, draws, order
from gytbench.training.narrations import Narrated

from .narrating import narrated

SAID = {
    "a": [(0.0, 1.0, "short, at the start"), (100.0, 140.5, "long")],
    "b": [(50.25, 53.25, "short"), (60.0, 70.0, "middling"), (-3.0, 20.0, "before")],
    "c": [(7.5, 30.0, "alone")],
    **{f"d{number}": [(number, number + 20, "more")] for number in range(9)},
}
SEEDS = st.integers(0, 2**32 - 1)
EPOCHS = st.integers(0, 10**6)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Narrated:
    return narrated(tmp_path_factory.mktemp("world"), SAID)


def settings(**changed: object) -> Data:
    return Data(**{"videos": "videos", "captions": "captions.csv", **changed})


DATA = st.builds(
    settings,
    frames=st.integers(1, 32),
    fps=st.sampled_from([1.0, 5.0, 0.5, 29.97]),
    start=st.sampled_from(["around", "random", "fixed"]),
    min_seconds=st.sampled_from([0.0, 5.0, 60.0]),
    crop=st.sampled_from(["random", "stretch"]),
    flip=st.booleans(),
)


@given(DATA, SEEDS, EPOCHS, st.integers(0, len(SAID) - 1))
def test_the_same_arguments_draw_the_same(
    world: Narrated, data: Data, seed: int, epoch: int, index: int
) -> None:
    first = draw(world, data, seed, epoch, index)
    assert draw(world, data, seed, epoch, index) == first
    assert next(draws(world, data, seed, epoch, index)) == first
    assert first.narration in world.narrations(index)


@given(DATA, SEEDS, EPOCHS, st.integers(0, len(SAID) - 1))
def test_times_are_within_what_the_settings_say(
    world: Narrated, data: Data, seed: int, epoch: int, index: int
) -> None:
    drawn = draw(world, data, seed, epoch, index)
    assert len(drawn.times) == data.frames
    assert np.allclose(np.diff(drawn.times), 1 / data.fps)
    start, end = max(drawn.narration.start, 0), drawn.narration.end
    if end - start < data.min_seconds:
        start = max(0, start - (data.min_seconds - (end - start)) / 2)
        end = start + data.min_seconds
    seconds = data.frames / data.fps
    if data.start == "fixed":
        assert drawn.times[0] == start
    elif data.start == "around":
        assert drawn.times[0] == pytest.approx((start + end) / 2 - seconds / 2, abs=1e-9)
    elif seconds < end - start:
        assert start <= drawn.times[0] <= end - seconds
    else:
        assert drawn.times[0] == start
    assert (drawn.crop is None) == (data.crop == "stretch")
    assert all(0 <= place < 1 for place in drawn.crop or ())
    assert data.flip or not drawn.flip


def of(world: Narrated, text: str, data: Data) -> Draw:
    """A draw of the narration with this text."""
    index = next(
        index
        for index in range(len(world.videos))
        if any(row.text == text for row in world.narrations(index))
    )
    found = (draw(world, data, 1, epoch, index) for epoch in range(200))
    return next(drawn for drawn in found if drawn.narration.text == text)


@pytest.mark.parametrize(
    ("text", "start", "first"),
    [
        ("short", "fixed", 49.25),  # 50.25 to 53.25, widened to 5 s: 49.25 to 54.25
        ("short", "around", 43.75),
        ("short", "random", 49.25),
        ("short, at the start", "fixed", 0.0),  # widened: 0 to 5 s
        ("short, at the start", "around", -5.5),
        ("before", "fixed", 0.0),  # what is before the video is no narration of it
        ("before", "around", 2.0),
        ("middling", "around", 57.0),
        ("middling", "random", 60.0),
    ],
)
def test_where_frames_start(world: Narrated, text: str, start: str, first: float) -> None:
    times = of(world, text, settings(start=start)).times
    assert times == tuple(first + second for second in range(16))


def test_random_starts_reach_both_ends_of_the_narration(world: Narrated) -> None:
    drawn = [draw(world, settings(start="random"), 3, epoch, 0) for epoch in range(2000)]
    starts = [each.times[0] for each in drawn if each.narration.text == "long"]
    # 16 s out of 100 to 140.5 s
    assert 100 <= min(starts) < 100.3
    assert 124.2 < max(starts) <= 124.5
    assert np.mean(starts) == pytest.approx(112.25, abs=1)


@given(SEEDS, EPOCHS, st.integers(0, len(SAID) - 1), st.sampled_from(["around", "random", "fixed"]))
def test_kept_features_are_of_whole_seconds(
    world: Narrated, seed: int, epoch: int, index: int, start: str
) -> None:
    plain = settings(start=start, crop="stretch", flip=False, frames=7)
    kept = settings(start=start, crop="stretch", flip=False, frames=7, keep="features")
    times = draw(world, kept, seed, epoch, index).times
    first = draw(world, plain, seed, epoch, index).times[0]
    assert times == tuple(range(math.floor(first + 0.5), math.floor(first + 0.5) + 7))


def test_every_narration_side_and_place_comes_up(world: Narrated) -> None:
    drawn = [draw(world, settings(), 5, epoch, 1) for epoch in range(600)]
    texts = [each.narration.text for each in drawn]
    for text in ("short", "middling", "before"):
        assert texts.count(text) == pytest.approx(200, abs=60)
    assert sum(each.flip for each in drawn) == pytest.approx(300, abs=60)
    places = np.array([each.crop for each in drawn])
    assert np.allclose(places.mean(0), 0.5, atol=0.06)
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.2


def test_seeds_epochs_and_indexes_draw_differently(world: Narrated) -> None:
    crops = {
        draw(world, settings(), seed, epoch, index).crop
        for seed in range(5)
        for epoch in range(5)
        for index in range(5)
    }
    assert len(crops) == 125


def test_a_setting_does_not_change_what_the_others_draw(world: Narrated) -> None:
    full = draw(world, settings(), 1, 2, 3)
    plain = draw(world, settings(crop="stretch", flip=False, start="random"), 1, 2, 3)
    assert plain.narration == full.narration
    assert draw(world, settings(flip=False), 1, 2, 3).crop == full.crop


@given(SEEDS, EPOCHS, st.integers(0, len(SAID) - 1))
def test_what_takes_the_place_of_a_sample(
    world: Narrated, seed: int, epoch: int, index: int
) -> None:
    rows = [drawn.narration for drawn in draws(world, settings(), seed, epoch, index)]
    assert len(rows) == ATTEMPTS == len(set(rows))
    own = [row for row in rows if row.video == world.videos[index]]
    assert own == rows[: min(2, world.count(index))]
    others = [row.video for row in rows[len(own) :]]
    assert len(set(others)) == len(others)


def test_a_single_video_has_no_more_to_offer(tmp_path: Path) -> None:
    alone = narrated(tmp_path, {"a": [(0, 9, "x")]})
    assert len(list(draws(alone, settings(), 1, 0, 0))) == 1


@given(st.integers(1, 300), SEEDS, EPOCHS)
def test_an_epoch_has_each_index_once(count: int, seed: int, epoch: int) -> None:
    indexes = order(count, seed, epoch)
    assert sorted(indexes.tolist()) == list(range(count))
    assert np.array_equal(order(count, seed, epoch), indexes)


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(order(50, seed, epoch)) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16
