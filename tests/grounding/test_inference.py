"""From similarities to runs and places, beside twins that go cell by cell."""

from collections.abc import Sequence
from math import exp, inf, isfinite, log, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.grounding.alignment import align
from gytbench.grounding.inference import (
    Place,
    Run,
    aligned_runs,
    best_runs,
    place_of_boxes,
    place_of_heatmaps,
)
from gytbench.metrics.regions import heatmap_overlaps
from gytbench.predictions import PackedTubes, Predictions, Tube, pack
from gytbench.predictions.encoding import decode_heatmap
from tests.predictions.making import BENCHMARK, WIDE

from .viterbi import length_score, viterbi

FRAME = np.array([640, 480])

LEVELS = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])
POSSIBLE = LEVELS | st.floats(-1e6, 1e6)
VALUES = POSSIBLE | st.just(-inf)
TAUS = st.none() | LEVELS | st.floats(-1e6, 1e6) | st.just(-inf)


@st.composite
def tables(
    draw: st.DrawFn, values: st.SearchStrategy[float], least: int = 0
) -> tuple[int, list[list[float]]]:
    """How many queries, and the scores of each second."""
    queries = draw(st.integers(1, 5))
    row = st.lists(values, min_size=queries, max_size=queries)
    return queries, draw(st.lists(row, min_size=least, max_size=12))


def array(table: tuple[int, list[list[float]]]) -> np.ndarray:
    queries, rows = table
    return np.array(rows, dtype=float).reshape(len(rows), queries)


def twin_runs(rows: Sequence[Sequence[float]], tau: float | None) -> list[tuple[int, list[int]]]:
    """Query and seconds of each run, second by second."""
    found: list[tuple[int, list[int]]] = []
    for second, row in enumerate(rows):
        best = 0
        for query, score in enumerate(row):
            if score > row[best]:
                best = query
        if row[best] == -inf or (tau is not None and row[best] < tau):
            continue
        if found and found[-1][0] == best and found[-1][1][-1] == second - 1:
            found[-1][1].append(second)
        else:
            found.append((best, [second]))
    return found


# When: the best query of each second


@given(tables(VALUES), TAUS)
@example((1, []), None)
@example((2, [[-inf, -inf], [0.0, 0.0]]), -inf)
@example((2, [[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), 0.5)
def test_runs_equal_the_twin(table: tuple[int, list[list[float]]], tau: float | None) -> None:
    runs = best_runs(array(table), tau)
    assert [(run.query, list(run.seconds)) for run in runs] == twin_runs(table[1], tau)
    for run in runs:
        own = [table[1][second][run.query] for second in run.seconds]
        assert list(run.scores) == own
        assert run.score == pytest.approx(sum(own) / len(own), rel=1e-9, abs=1e-9)


def test_what_equals_tau_is_no_background() -> None:
    scores = np.array([[0.5], [0.3], [0.29999999999999993], [0.31]])
    kept = [run.seconds for run in best_runs(scores, 0.3)]
    assert kept == [range(2), range(3, 4)]
    assert best_runs(scores, np.nextafter(0.5, 1)) == []
    assert best_runs(scores, None) == [Run(0, range(4), tuple(scores[:, 0]))]


def test_of_equal_queries_the_first_wins() -> None:
    scores = np.array([[0.2, 0.7, 0.7], [0.7, 0.7, 0.1], [0.1, 0.7, 0.7]])
    assert [run.query for run in best_runs(scores, None)] == [1, 0, 1]


def test_one_label_after_background_is_a_run_of_its_own() -> None:
    runs = best_runs(np.array([[3.0, 0], [0, 0], [2, 0], [0, 1]]), 1)
    assert runs == [
        Run(0, range(1), (3.0,)),
        Run(0, range(2, 3), (2.0,)),
        Run(1, range(3, 4), (1.0,)),
    ]


def test_no_seconds_and_no_queries_make_no_runs() -> None:
    assert best_runs(np.zeros((0, 3)), None) == []
    assert best_runs(np.zeros((3, 0)), None) == []


@pytest.mark.parametrize("value", [nan, inf])
def test_scores_that_are_no_numbers_are_refused(value: float) -> None:
    scores = np.array([[0.0, 1.0], [value, 0.0]])
    with pytest.raises(InputError, match="a score is not a number"):
        best_runs(scores, None)
    with pytest.raises(InputError, match="a score is not a number"):
        aligned_runs(scores, [0], background=1)


def test_a_tau_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="tau is not a number"):
        best_runs(np.zeros((2, 2)), nan)


# When: a transcript


def slow_log_softmax(rows: Sequence[Sequence[float]], temperature: float) -> list[list[float]]:
    found = []
    for row in rows:
        top = max(row)
        total = sum(exp((score - top) / temperature) for score in row)
        found.append([(score - top) / temperature - log(total) for score in row])
    return found


@st.composite
def transcripts(
    draw: st.DrawFn, values: st.SearchStrategy[float]
) -> tuple[tuple[int, list[list[float]]], list[int]]:
    queries, rows = draw(tables(values, least=1))
    labels = st.lists(st.integers(0, queries - 1), min_size=1, max_size=min(len(rows), 5))
    return (queries, rows), draw(labels)


@given(
    transcripts(LEVELS | st.floats(-20, 20)),
    st.sampled_from([0.01, 0.5, 1.0, 4.0]),
    st.none() | st.sampled_from([1.0, 2.5, 6.0]),
)
def test_alignment_is_the_best_of_the_log_softmax(
    case: tuple[tuple[int, list[list[float]]], list[int]], temperature: float, mean: float | None
) -> None:
    table, transcript = case
    likely = slow_log_softmax(table[1], temperature)
    runs = aligned_runs(
        array(table), transcript, background=-1, temperature=temperature, mean_length=mean
    )
    assert [run.query for run in runs] == transcript
    assert [second for run in runs for second in run.seconds] == list(range(len(likely)))
    total = sum(
        sum(likely[second][run.query] for second in run.seconds)
        + length_score(len(run.seconds), mean)
        for run in runs
    )
    best = viterbi(likely, transcript, mean)[1]
    assert total == pytest.approx(best, rel=1e-9, abs=1e-7)
    assert align(np.array(likely), np.array(transcript), mean_length=mean).score == pytest.approx(
        total, rel=1e-9, abs=1e-7
    )


@given(transcripts(POSSIBLE), st.integers(0, 4))
def test_background_is_left_out_and_similarities_are_kept(
    case: tuple[tuple[int, list[list[float]]], list[int]], background: int
) -> None:
    table, transcript = case
    everything = aligned_runs(array(table), transcript, background=-1)
    runs = aligned_runs(array(table), transcript, background=background)
    assert runs == [run for run in everything if run.query != background]
    for run in runs:
        assert list(run.scores) == [table[1][second][run.query] for second in run.seconds]


@given(transcripts(st.integers(-9, 9).map(float)), st.sampled_from([0.01, 0.3, 1.0, 7.0]))
def test_temperature_changes_nothing_where_lengths_are_free(
    case: tuple[tuple[int, list[list[float]]], list[int]], temperature: float
) -> None:
    """The softmax's sum is the same for all alignments: the sum of similarities decides."""
    table, transcript = case
    runs = aligned_runs(array(table), transcript, background=-1, temperature=temperature)
    assert sum(sum(run.scores) for run in runs) == viterbi(table[1], transcript)[1]


def test_temperature_weighs_similarities_against_lengths() -> None:
    # Second 3 is a little more like the first step, but 3 and 3 seconds are as expected.
    scores = np.array([[1.0, 0], [1, 0], [1, 0], [0.5, 0.4], [0, 1], [0, 1]])

    def starts(temperature: float) -> list[int]:
        runs = aligned_runs(scores, [0, 1], background=-1, temperature=temperature, mean_length=3)
        return [run.seconds.start for run in runs]

    assert starts(1.0) == [0, 3]
    assert starts(0.1) == [0, 4]


def test_a_step_that_is_impossible_somewhere_lies_elsewhere() -> None:
    scores = np.array([[0.0, -inf], [-inf, 0.0], [0.0, 0.0]])
    for temperature in (1e-300, 0.01, 1.0, 1e9):
        runs = aligned_runs(scores, [0, 1], background=-1, temperature=temperature)
        assert [run.seconds for run in runs] == [range(1), range(1, 3)]


def test_what_does_not_align_is_refused() -> None:
    with pytest.raises(InputError, match="3 segments do not fit into 2 frames"):
        aligned_runs(np.zeros((2, 2)), [0, 1, 0], background=1)
    with pytest.raises(InputError, match="frame 1: no class of the transcript is possible"):
        aligned_runs(np.array([[0.0, 0.0], [-inf, -inf]]), [0], background=1)
    with pytest.raises(InputError, match="the transcript is empty"):
        aligned_runs(np.zeros((2, 2)), [], background=1)


# Where: heatmaps


def scored(place: Place) -> PackedTubes:
    """What the scorer makes of the heatmaps alone."""
    tube = Tube(WIDE, "crack_egg", 0, len(place.points), heatmaps=place.heatmaps)
    return pack(Predictions("st", [tube], {}), BENCHMARK, "st")


@st.composite
def maps(draw: st.DrawFn) -> np.ndarray:
    """Whole numbers, so that ties are frequent and half precision tells all others apart."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)))
    size = int(np.prod(shape))
    cells = draw(st.lists(st.integers(-3, 60), min_size=size, max_size=size))
    return np.array(cells, dtype=float).reshape(shape) * draw(st.sampled_from([1.0, 1e-6, 1e30]))


def first_highest(rows: list[list[float]]) -> tuple[float, float] | None:
    """The centre of the first highest cell, row by row; None for a constant map."""
    highest = max(max(row) for row in rows)
    if highest == min(min(row) for row in rows):
        return None
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if value == highest:
                return (x + 0.5) / len(row), (y + 0.5) / len(rows)
    raise AssertionError


@given(maps())
@example(np.array([[[0.0, 1.0], [1.0, 0.0]], [[2.0, 2.0], [2.0, 2.0]]]))
def test_places_of_heatmaps_equal_the_twin_and_the_scorer(values: np.ndarray) -> None:
    place = place_of_heatmaps(values)
    expected = [first_highest(rows) for rows in values.tolist()]
    assert place.points == expected
    assert place.boxes is None
    for point, heatmap, cells in zip(place.points, place.heatmaps or (), values, strict=True):
        assert (heatmap is None) == (point is None)
        if heatmap is not None:
            decoded = decode_heatmap(heatmap)
            assert (decoded.min(), decoded.max()) == (0, 1)
            scaled = (cells - cells.min()) / (cells.max() - cells.min())
            assert np.abs(decoded - scaled).max() <= 2**-11
    derived = scored(place).point / FRAME
    for point, own in zip(expected, derived.tolist(), strict=True):
        assert np.isnan(own).all() if point is None else own == pytest.approx(point)


def test_scaling_leaves_a_region_that_is_not_the_whole_frame() -> None:
    similar = np.array([[[0.24, 0.24, 0.25, 0.26]]])
    whole = np.array([[0, 0, 640, 480]])
    (group,) = scored(place_of_heatmaps(similar)).heatmaps
    areas, _ = heatmap_overlaps(group.values, (640, 480), whole)
    unscaled, _ = heatmap_overlaps(similar, (640, 480), whole)
    assert unscaled.tolist() == [640 * 480]
    # Half of the maximum is reached from the centre of the third of four cells on.
    assert areas.tolist() == [240 * 480]


def test_a_map_below_zero_has_a_place_too() -> None:
    place = place_of_heatmaps(np.array([[[-0.5, -0.25]], [[-0.25, -0.25]]]))
    assert place.points == [(0.75, 0.5), None]
    assert (place.heatmaps or [])[1] is None


def test_no_seconds_have_no_places() -> None:
    assert place_of_heatmaps(np.zeros((0, 3, 4))) == Place([], heatmaps=[])
    assert place_of_boxes(np.zeros((0, 4))) == Place([], boxes=[])


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_heatmaps_that_are_not_finite_are_refused(value: float) -> None:
    values = np.zeros((2, 2, 2))
    values[1, 0, 1] = value
    with pytest.raises(InputError, match="not a finite number"):
        place_of_heatmaps(values)


@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 3, 0)])
def test_heatmaps_without_cells_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match=f"{shape[1]} x {shape[2]} cells"):
        place_of_heatmaps(np.zeros(shape))


# Where: boxes

SIDES = st.sampled_from([-0.5, 0.0, 0.25, 1.0, nan, inf, -inf])
ROW = st.tuples(SIDES, SIDES, SIDES, SIDES)


def is_box(row: Sequence[float]) -> bool:
    return all(map(isfinite, row)) and row[0] <= row[2] and row[1] <= row[3]


def is_nothing(row: Sequence[float]) -> bool:
    return any(side != side for side in row)


@given(st.lists(ROW, max_size=4))
@example([(0.1, 0.2, 0.1, 0.2)])
def test_places_of_boxes_equal_the_twin(rows: list[tuple[float, ...]]) -> None:
    values = np.array(rows, dtype=float).reshape(-1, 4)
    if not all(is_box(row) or is_nothing(row) for row in rows):
        with pytest.raises(InputError, match="is no box"):
            place_of_boxes(values)
        return
    place = place_of_boxes(values)
    boxes: list[Any] = [None if is_nothing(row) else row for row in rows]
    assert place.boxes == boxes
    assert place.heatmaps is None
    assert place.points == [
        None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in boxes
    ]


@pytest.mark.parametrize("row", [[0.5, 0, 0.4, 1], [0, 0.5, 1, 0.4], [0, 0, inf, 1]])
def test_a_box_that_is_none_is_shown(row: list[float]) -> None:
    with pytest.raises(InputError) as raised:
        place_of_boxes(np.array([[0, 0, 1, 1], row], dtype=float))
    assert str([float(side) for side in row]) in str(raised.value)


@pytest.mark.parametrize("shape", [(4, 5), (4,), (2, 2), (2, 4, 1)])
def test_rows_that_are_no_boxes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="not seconds x 4"):
        place_of_boxes(np.zeros(shape))
