import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.grounding.adapters.windows import (
    asked_by_window,
    frame_size,
    frame_times,
    frames_shown,
    pixels,
    seconds_touched,
    start_and_end,
    windows,
    without_rivals,
)
from gytbench.grounding.contract import Asked, Request
from gytbench.predictions import Tube

RANGES = st.tuples(st.integers(0, 50), st.integers(1, 300)).map(lambda r: range(r[0], sum(r)))


@pytest.mark.parametrize(
    ("seconds", "length", "hop", "expected"),
    [
        (range(10), 40, 20, [range(10)]),
        (range(40), 40, 20, [range(40)]),
        (range(41), 40, 20, [range(40), range(1, 41)]),
        (range(60), 40, 20, [range(40), range(20, 60)]),
        (range(75), 40, 20, [range(40), range(20, 60), range(35, 75)]),
        (range(5, 12), 3, 3, [range(5, 8), range(8, 11), range(9, 12)]),
    ],
)
def test_windows_by_hand(seconds, length, hop, expected) -> None:
    assert windows(seconds, length, hop) == expected


@given(RANGES, st.integers(1, 60), st.data())
def test_windows_leave_nothing_out(seconds, length, data) -> None:
    found = windows(seconds, length, data.draw(st.integers(1, length)))
    assert {second for each in found for second in each} == set(seconds)
    assert {len(each) for each in found} == {min(length, len(seconds))}
    starts = [each.start for each in found]
    assert starts == sorted(set(starts))


def request(task, *asked: Asked) -> Request:
    return Request("a", None, range(50), task, asked)


def test_clips_are_whole_and_share_what_is_looked_at() -> None:
    first, second = Asked("stir", range(3, 49), 0), Asked("pour", range(5, 8), 1)
    third = Asked("mix", range(3, 49), 2)
    found = list(asked_by_window(request("spatial", first, second, third), 40, 20))
    assert found == [(range(3, 49), [first, third]), (range(5, 8), [second])]


def test_all_descriptions_are_asked_of_each_window() -> None:
    asked = [Asked("stir", range(50)), Asked("pour", range(50))]
    found = list(asked_by_window(request("st", *asked), 40, 20))
    assert found == [(range(40), asked), (range(10, 50), asked)]


def test_times_of_frames_by_hand() -> None:
    """At 5 a second up to 200, that is min(5 t, 200) / t a second."""
    assert frame_times(range(7, 9), 5, 200) == pytest.approx([7 + k / 5 for k in range(10)])
    forty = frame_times(range(40), 5, 200)
    assert (len(forty), forty[-1]) == (200, pytest.approx(39.8))
    hundred = frame_times(range(10, 110), 5, 200)
    assert (len(hundred), hundred[:3], hundred[-1]) == (200, [10, 10.5, 11], 109.5)
    assert frame_times(range(3, 4), 0.1, 200) == [3]
    # 18 seconds at 0.3 a second are 5 frames, one each 3.6 seconds.
    assert frame_times(range(18), 0.3, 200) == pytest.approx([0, 3.6, 7.2, 10.8, 14.4])


def test_windows_that_overlap_share_their_times() -> None:
    first, second = (frame_times(window, 5, 200) for window in (range(40), range(13, 53)))
    assert first[13 * 5 :] == second[: 27 * 5]


@given(RANGES, st.sampled_from([0.3, 1, 2.5, 5, 30]))
def test_the_frame_of_a_second_is_the_last_not_after_it(seconds, fps) -> None:
    times = frame_times(seconds, fps, 200)
    found = frames_shown(seconds, len(times), seconds)
    expected = [max(i for i, t in enumerate(times) if t <= s + 1e-9) for s in seconds]
    assert found == expected


def test_the_frames_of_some_seconds() -> None:
    assert frames_shown(range(10, 50), 200, range(12, 15)) == [10, 15, 20]
    assert frames_shown(range(100), 200, range(2, 4)) == [4, 6]
    assert frames_shown(range(400), 200, range(4)) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("window", "count", "first", "last", "expected"),
    [
        (range(20, 60), 200, 0, 199, range(20, 60)),
        (range(20, 60), 200, 0, 1, range(20, 21)),
        (range(20, 60), 200, 4, 5, range(20, 22)),
        (range(20, 60), 200, 5, 9, range(21, 22)),
        (range(100), 200, 3, 6, range(1, 4)),
        (range(400), 200, 1, 2, range(2, 6)),
        (range(5, 6), 1, 0, 0, range(5, 6)),
    ],
)
def test_seconds_that_frames_reach_into(window, count, first, last, expected) -> None:
    assert seconds_touched(window, count, first, last) == expected


@pytest.mark.parametrize(
    ("size", "short", "longest", "expected"),
    [
        ((640, 480), 352, 587, (469, 352)),
        ((480, 640), 352, 587, (352, 469)),
        (
            (640, 272),
            352,
            587,
            (585, 249),
        ),  # 587 * 272 / 640 is 249.475, and 249 * 640 / 272 is 585.9
        ((1920, 1080), 224, 373, (373, 210)),
        ((352, 352), 352, 587, (352, 352)),
        ((10_000, 5), 352, 587, (2000, 1)),
    ],
)
def test_sizes_of_frames(size, short, longest, expected) -> None:
    assert frame_size(size, short, longest) == expected


def test_pixels_are_normalised_channel_by_channel() -> None:
    frames = np.zeros((2, 3, 4, 3), np.uint8)
    frames[1, 2, 3] = (255, 51, 0)
    found = pixels(frames, "cpu")
    assert found.shape == (2, 3, 3, 4)
    expected = [(1 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, -0.406 / 0.225]
    assert found[1, :, 2, 3].tolist() == pytest.approx(expected, abs=1e-6)
    black = [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    assert found[0, :, 0, 0].tolist() == pytest.approx(black, abs=1e-6)


def slow_start_and_end(logits: np.ndarray) -> tuple[int, int, float]:
    odds = np.exp(logits) / np.exp(logits).sum(axis=0)
    count = len(logits)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    first, last = max(pairs, key=lambda pair: odds[pair[0], 0] * odds[pair[1], 1])
    return first, last, float(np.log(odds[first, 0] * count * odds[last, 1] * count))


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_start_and_end_are_the_likeliest_pair(count, seed) -> None:
    logits = 3 * np.random.default_rng(seed).standard_normal((count, 2))
    first, last, score = start_and_end(logits)
    expected = slow_start_and_end(logits)
    assert (first, last) == expected[:2]
    assert score == pytest.approx(expected[2])


def test_the_end_comes_after_the_start_even_where_that_is_unlikely() -> None:
    logits = np.zeros((4, 2))
    logits[3, 0] = logits[0, 1] = 5
    assert start_and_end(logits)[:2] == (0, 1)


def test_scores_of_chance_are_zero_and_large_logits_are_no_fault() -> None:
    assert start_and_end(np.full((7, 2), 3.0)) == (0, 1, pytest.approx(0))
    assert start_and_end(np.array([[2.0, -7.0]])) == (0, 0, 0)
    certain = np.array([[1e4, 0], [0, 0], [0, 1e4]])
    assert start_and_end(certain) == (0, 2, pytest.approx(2 * np.log(3)))


def tube(start: float, end: float, score: float, label: str = "stir") -> Tube:
    return Tube("a", label, start, end, score)


def test_of_tubes_that_share_a_time_the_best_is_kept() -> None:
    best, beside, other = tube(10, 15, 3), tube(15, 18, 1), tube(12, 14, 0, "pour")
    rival, of_rival = tube(14, 20, 2), tube(18, 22, 0.5)
    found = without_rivals([of_rival, rival, other, beside, best])
    assert found == [best, beside, of_rival, other]
