"""The reference scorer on its own: every piece on a case worked out by hand, and section 9."""

# Fractions are compared with plain numbers throughout.
# mypy: disable-error-code="comparison-overlap"

import base64
import copy
import os
import random
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from . import released, strategies
from .model import Box, Cue, Instance, RawBox, Truth, Tube, exact, whole_seconds
from .ranking import average_precision, greedy_match
from .reading import File, read_tubes
from .regions import (
    box_pixels,
    contains,
    heatmap_point,
    heatmap_region,
    heatmap_values,
    iou,
    mask_cells,
    mask_pixels,
    mask_point,
    region_overlap,
    rle_counts,
)
from .spatial import score_spatial
from .spatiotemporal import frame_labels, score_st
from .temporal import Segment, duration, resolved_timeline, score_temporal

VIDEO = "aaaaaaaaaaa"
FRAME = (8, 6)

random_cases = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def a_box(x1: float, y1: float, x2: float, y2: float) -> Box:
    return Box(exact(x1), exact(y1), exact(x2), exact(y2))


def a_truth(
    instances: list[tuple[int, float, float, str]],
    boxes: dict[int, RawBox],
    cues: list[tuple[float, float, str]] | None = None,
) -> Truth:
    """A ground truth of one 8x6 video."""
    return Truth(
        frames={VIDEO: FRAME},
        instances=[Instance(VIDEO, *row) for row in instances],
        boxes={VIDEO: boxes},
        cues=[Cue(VIDEO, *row) for row in cues or []],
    )


def a_tube(label: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    """A tube in that video, in its pixels."""
    return {
        "video": VIDEO,
        "label": label,
        "start": start,
        "end": end,
        "frame_size": list(FRAME),
        **more,
    }


def a_file(*tubes: dict[str, Any]) -> File:
    return {"format": "gytbench-predictions/1", "model": {"name": "hand"}, "tubes": list(tubes)}


def read_one(tube: dict[str, Any], **head: Any) -> Tube:
    (found,) = read_tubes(a_truth([], {}), {**head, "tubes": [tube]})
    return found


# --- numbers and seconds ------------------------------------------------------------------------


def test_numbers_are_the_decimals_in_the_file() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(3) == 3
    assert exact(1e-7) == Fraction(1, 10**7)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (2, 4, [2, 3]),  # half-open
        (1.5, 4.25, [2, 3, 4]),  # 4 <= t < 4.25 holds for t = 4
        (0.25, 0.75, []),  # no integer inside
        (0.0, 0.25, [0]),
    ],
)
def test_seconds_of_an_interval(start: float, end: float, seconds: list[int]) -> None:
    assert list(whole_seconds(start, end)) == seconds


# --- masks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        # One character is 48 + five bits, so "1" is 1; from the fourth number on two back is
        # added: 1 + counts[1] = 3.
        ("1211", [1, 2, 1, 3]),
        # "O" is 79 - 48 = 31, whose sign bit makes it 31 - 32 = -1; -1 + counts[1] = 2.
        ("531O", [5, 3, 1, 2]),
        # "X" is 40 = 32 (more follows) + 8, then 1 x 32.
        ("X1", [40]),
        # 16 alone would read as negative, hence "`" = 32 + 16, then 0.
        ("`0", [16]),
        ("", []),
    ],
)
def test_compressed_runs(text: str, counts: list[int]) -> None:
    assert rle_counts(text) == counts
    assert strategies.rle_string(counts) == text


def test_runs_go_down_the_columns_and_begin_with_zeros() -> None:
    # 2 rows, 2 columns, in the order (0,0) (1,0) (0,1) (1,1): off, on, on, off.
    assert mask_cells({"size": [2, 2], "counts": [1, 2, 1]}) == {(1, 0), (0, 1)}
    assert mask_cells({"size": [2, 2], "counts": "121"}) == {(1, 0), (0, 1)}
    assert mask_cells({"size": [2, 2], "counts": [0, 3, 1]}) == {(0, 0), (1, 0), (0, 1)}


# pycocotools hands numpy an old-style array.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@random_cases
@given(strategies.masks())
def test_masks_decode_as_in_pycocotools(mask: dict[str, Any]) -> None:
    height, width = mask["size"]
    runs = mask if isinstance(mask["counts"], str) else coco.frPyObjects(mask, height, width)
    cells = np.argwhere(coco.decode(runs)).tolist()
    assert mask_cells(mask) == {(i, j) for i, j in cells}


@random_cases
@given(st.integers(1, 90), st.integers(1, 9), st.randoms(use_true_random=False))
def test_masks_encoded_by_pycocotools_are_read(
    height: int, width: int, generator: random.Random
) -> None:
    share = generator.random()
    rows = [[generator.random() < share for _ in range(width)] for _ in range(height)]
    encoded = coco.encode(np.asfortranarray(rows, dtype=np.uint8))
    cells = mask_cells({"size": [height, width], "counts": encoded["counts"].decode("ascii")})
    assert cells == {(i, j) for i in range(height) for j in range(width) if rows[i][j]}


def test_mask_is_resized_by_nearest_neighbour() -> None:
    # One row, two cells, the right one on; in a 4 x 2 frame pixels j = 2, 3 sample cell 1.
    right = {"size": [1, 2], "counts": [1, 1]}
    assert mask_pixels(right, (4, 2)) == {(0, 2), (0, 3), (1, 2), (1, 3)}
    # Three cells onto two pixels: centres 0.75 and 2.25 lie in cells 0 and 2, never in cell 1.
    assert mask_pixels({"size": [1, 3], "counts": [1, 1, 1]}, (2, 1)) == set()
    assert mask_pixels({"size": [1, 3], "counts": [2, 1]}, (2, 1)) == {(0, 1)}


def test_mask_points_at_the_mean_of_its_pixel_centres() -> None:
    # Cell (0, 1) of 1 x 2: centre (1.5, 0.5), scaled by 8 / 2 and 6 / 1.
    assert mask_point({"size": [1, 2], "counts": [1, 1]}, FRAME) == (6, 3)
    # Cells (0,0) (1,0) (1,1) of 2 x 2: x = (.5 + .5 + 1.5) / 3 x 4, y = (.5 + 1.5 + 1.5) / 3 x 3.
    corner = {"size": [2, 2], "counts": [0, 2, 1, 1]}
    assert mask_point(corner, FRAME) == (Fraction(10, 3), Fraction(7, 2))
    assert mask_point({"size": [2, 2], "counts": [4]}, FRAME) is None


# --- heatmaps -----------------------------------------------------------------------------------


def test_one_hot_corner_points_at_the_centre_of_its_cell() -> None:
    # Section 9. The lower right cell of 2 x 2 in 640x480 is centred at 3/4 of either side.
    assert heatmap_point([[0.0, 0.0], [0.0, 1.0]], (640, 480)) == (480, 360)


def test_first_maximal_cell_in_row_major_order() -> None:
    # The 3s are at (row 0, column 2) and (row 1, column 0): the first row comes first.
    assert heatmap_point([[1.0, 2.0, 3.0], [3.0, 0.0, 0.0]], (6, 8)) == (5, 2)
    assert heatmap_point([[-2.0, -1.0]], FRAME) == (6, 3)


@pytest.mark.parametrize(
    ("row", "width", "columns"),
    [
        # Pixel j lies at (2j + 1) w / 2W - 1/2 in cells.
        # -.25, .25, .75, 1.25: values 0, .25, .75, 1.
        ([0.0, 1.0], 4, {2, 3}),
        # -1/6, 1/2, 7/6: values 0, 1/2, 1; one half reaches the threshold.
        ([0.0, 1.0], 3, {1, 2}),
        # Pixel 2 at 1/3: 1 x 2/3 + 4 x 1/3 = 2 = 0.5 x 4, a tie in thirds.
        ([1.0, 4.0], 6, {2, 3, 4, 5}),
        # Smaller frame than heatmap: positions .5 and 2.5, values 0 and .5 of the maximum 1.
        ([0.0, 0.0, 1.0, 0.0], 2, {1}),
        # The only pixel is at 1.5, far from the peak: nothing reaches half of it.
        ([1.0, 0.0, 0.0, 0.0], 1, set()),
        # No positive value: empty.
        ([0.0, 0.0], 4, set()),
        ([-1.0, -4.0], 4, set()),
        # Negative beside positive: -.25 .. 1.25 gives -1, -.5, .5, 1; threshold .5.
        ([-1.0, 1.0], 4, {2, 3}),
        ([7.0], 3, {0, 1, 2}),
    ],
)
def test_heatmap_region_along_a_row(row: list[float], width: int, columns: set[int]) -> None:
    assert heatmap_region([row], (width, 1)) == {(0, j) for j in columns}
    assert heatmap_region([[value] for value in row], (1, width)) == {(i, 0) for i in columns}


def test_heatmap_region_in_two_directions() -> None:
    # 2 x 2 with one corner hot, to 4 x 4: value = f(i) f(j) with f = 0, .25, .75, 1; at least .5
    # are .75 x .75 = .5625, .75 and 1: the four pixels of that corner.
    assert heatmap_region([[0.0, 0.0], [0.0, 1.0]], (4, 4)) == {(2, 2), (2, 3), (3, 2), (3, 3)}
    # At 0.6 .5625 is out, at 0.15 .1875 = .25 x .75 is in, at 0.05 also .0625 = .25 x .25.
    hot = [[0.0, 0.0], [0.0, 1.0]]
    assert heatmap_region(hot, (4, 4), 0.6) == {(2, 3), (3, 2), (3, 3)}
    assert len(heatmap_region(hot, (4, 4), 0.15)) == 8
    assert len(heatmap_region(hot, (4, 4), 0.05)) == 9


def test_heatmap_region_by_another_formula() -> None:
    # Bilinear interpolation sums each cell times the hat functions max(0, 1 - |distance|) of both
    # directions around a position clamped to the cell centres.
    values = [[1.0, 3.0, 0.5], [2.0, -1.0, 2.5]]

    def hats(pixel: int, pixels: int, cells: int) -> list[Fraction]:
        place = Fraction((2 * pixel + 1) * cells, 2 * pixels) - Fraction(1, 2)
        place = min(max(place, Fraction(0)), Fraction(cells - 1))
        return [max(Fraction(0), 1 - abs(place - k)) for k in range(cells)]

    def value(i: int, j: int) -> Fraction:
        down, across = hats(i, 6, 2), hats(j, 8, 3)
        return sum(
            (down[a] * across[b] * Fraction(values[a][b]) for a in range(2) for b in range(3)),
            Fraction(0),
        )

    expected = {(i, j) for i in range(6) for j in range(8) if value(i, j) >= Fraction(3, 2)}
    assert heatmap_region(values, FRAME) == expected


@pytest.mark.parametrize(("dtype", "code"), [("float16", "e"), ("float32", "f"), ("float64", "d")])
def test_encoded_heatmaps(dtype: str, code: str) -> None:
    data = base64.b64encode(struct.pack(f"<6{code}", 0, 1, 2.5, 3, -4, 5)).decode()
    rows = [[0.0, 1.0, 2.5], [3.0, -4.0, 5.0]]
    assert heatmap_values({"shape": [2, 3], "dtype": dtype, "data": data}) == rows
    assert heatmap_values(rows) == rows


def test_heatmap_of_bytes() -> None:
    data = base64.b64encode(bytes([0, 1, 200, 255])).decode()
    assert heatmap_values({"shape": [2, 2], "dtype": "uint8", "data": data}) == [[0, 1], [200, 255]]


# --- boxes --------------------------------------------------------------------------------------


def test_box_edges_are_hits() -> None:
    box = a_box(1, 1, 3, 2)
    assert contains(box, (exact(1), exact(1)))
    assert contains(box, (exact(3), exact(2)))
    assert not contains(box, (exact(3.001), exact(2)))
    assert not contains(box, None)
    # Section 2: points are tested against the unclipped box, here beyond the frame.
    assert contains(a_box(7, 5, 12, 12), (exact(11), exact(11)))


def test_tolerance_grows_every_side_but_no_degenerate_box() -> None:
    box = a_box(1, 1, 3, 2)
    assert contains(box, (exact(0.5), exact(2.5)), exact(0.5))
    assert not contains(box, (exact(0.4), exact(2.5)), exact(0.5))
    assert not contains(a_box(3, 1, 3, 2), (exact(3), exact(1.5)))
    assert not contains(a_box(3, 1, 2, 2), (exact(2.5), exact(1.5)), exact(5))


def test_box_against_box_is_exact_inside_the_frame() -> None:
    # Clipped to (0,0,3,2) = 6 and (1.5,1,8,6) = 6.5 x 5; they share (1.5,1,3,2) = 1.5.
    overlap = region_overlap(a_box(-2, -1, 3, 2), a_box(1.5, 1, 20, 7), FRAME)
    assert overlap == (Fraction(3, 2), 6, Fraction(65, 2))
    assert iou(*overlap) == Fraction(3, 2) / 37


@pytest.mark.parametrize(
    "box", [a_box(3, 1, 3, 2), a_box(4, 4, 2, 2), a_box(9, 0, 12, 2), a_box(1, 5, 4, 3)]
)
def test_boxes_without_inside_have_no_area(box: Box) -> None:
    assert region_overlap(box, box, FRAME) == (0, 0, 0)
    assert iou(*region_overlap(box, box, FRAME)) == 0
    assert region_overlap(frozenset({(1, 3)}), box, FRAME) == (0, 1, 0)


def test_pixels_belong_to_a_box_by_their_centres() -> None:
    # Centres .5 (on the left edge: in), 1.5 in, 2.5 (on the right edge: out); rows .5 only.
    assert box_pixels(a_box(0.5, 0, 2.5, 1), FRAME) == {(0, 0), (0, 1)}
    assert box_pixels(a_box(-3, -3, 99, 0.5), FRAME) == set()


def test_mask_against_box_counts_pixels_of_both() -> None:
    # The box is 1.8 x 1 in area, but 2 pixels; one of them is among the 2 of the mask.
    box = a_box(0.3, 0, 2.1, 1)
    assert region_overlap(frozenset({(0, 1), (0, 2)}), box, FRAME) == (1, 2, 2)
    assert region_overlap(frozenset(), box, FRAME) == (0, 0, 2)
    # Alone, the box keeps its exact area (exactly 9/5), the mask its pixels.
    assert region_overlap(None, box, FRAME) == (0, 0, Fraction(9, 5))
    assert region_overlap(frozenset({(0, 1)}), None, FRAME) == (0, 1, 0)
    assert region_overlap(None, None, FRAME) == (0, 0, 0)


# --- ranking ------------------------------------------------------------------------------------


def outcomes(*right: int) -> list[tuple[float, bool]]:
    """Right and wrong predictions with falling scores."""
    return [(-float(rank), bool(value)) for rank, value in enumerate(right)]


def test_average_precision_without_ties() -> None:
    # Recall 1/5, 2/5, 3/5, 4/5 at precision 1, 1, 3/4, 4/7; a fifth of each.
    expected = Fraction(1, 5) * (1 + 1 + Fraction(3, 4) + Fraction(4, 7))
    assert average_precision(outcomes(1, 1, 0, 1, 0, 0, 1, 0), 5) == expected
    assert average_precision(outcomes(0, 1), 1) == Fraction(1, 2)
    assert average_precision([], 3) == 0


def test_average_precision_uses_the_envelope() -> None:
    # Recall 1/2 at precision 1/2, recall 1 at 2/3: the envelope is 2/3 throughout.
    assert average_precision(outcomes(0, 1, 1), 2) == Fraction(2, 3)


def test_average_precision_reads_only_at_the_end_of_equal_scores() -> None:
    # One right, one wrong, same score: precision 1/2 at recall 1, in either order.
    assert average_precision([(0.5, True), (0.5, False)], 1) == Fraction(1, 2)
    assert average_precision([(0.5, False), (0.5, True)], 1) == Fraction(1, 2)
    # Score 1: right. Score 0.5: wrong, right, so recall 1/2 at 1, recall 1 at 2/3.
    tied = [(0.5, False), (1.0, True), (0.5, True)]
    assert average_precision(tied, 2) == Fraction(1, 2) + Fraction(1, 2) * Fraction(2, 3)


def test_greedy_match_goes_on_to_the_next_best() -> None:
    # The second tube's best, a, is taken; b at 0.4 still reaches the threshold. None is left for
    # the third; the fourth is below the threshold.
    a, b, c = "a", "b", "c"
    overlaps = [
        {a: Fraction(6, 10), b: Fraction(5, 10)},
        {a: Fraction(9, 10), b: Fraction(4, 10)},
        {a: Fraction(9, 10), b: Fraction(4, 10)},
        {c: Fraction(1, 10)},
    ]
    assert greedy_match(overlaps, Fraction("0.3")) == [a, b, None, None]


def test_greedy_match_ties_and_threshold() -> None:
    # Equal IoU: the first listed. An IoU of exactly the threshold is enough.
    tied = {"a": Fraction(3, 10), "b": Fraction(3, 10)}
    assert greedy_match([tied, tied, tied], Fraction("0.3")) == ["a", "b", None]
    assert greedy_match([tied], Fraction("0.31")) == [None]
    assert greedy_match([{"a": Fraction(0)}], Fraction(0)) == ["a"]


# --- reading tubes ------------------------------------------------------------------------------


def test_times_default_to_all_seconds() -> None:
    tube = read_one(a_tube("x", 1.5, 4.5, points=[[1, 1], None, [3, 3]], scores=[0.1, 0.2, 0.3]))
    assert sorted(tube.seconds) == [2, 3, 4]
    assert tube.seconds[2].point == (1, 1)
    assert tube.seconds[3].point is None
    assert [tube.seconds[t].score for t in (2, 3, 4)] == [0.1, 0.2, 0.3]
    assert tube.score == 1.0


def test_seconds_that_are_not_in_times_have_the_score_of_the_tube() -> None:
    tube = read_one(a_tube("x", 1, 4, times=[2], points=[[1, 1]], scores=[0.1], score=0.7))
    assert [tube.seconds[t].score for t in (1, 2, 3)] == [0.7, 0.1, 0.7]
    assert [tube.seconds[t].point for t in (1, 2, 3)] == [None, (1, 1), None]


def test_coordinates_are_scaled_from_the_frame_size() -> None:
    # Frame 8x6. Tube's 16x12: halved. File's 4x6: x doubled. Neither: normalised.
    own = {"video": VIDEO, "label": "x", "start": 0, "end": 1, "points": [[4, 4]]}
    assert read_one({**own, "frame_size": [16, 12]}, frame_size=[4, 6]).seconds[0].point == (2, 2)
    assert read_one(own, frame_size=[4, 6]).seconds[0].point == (8, 4)
    assert read_one({**own, "points": [[0.1, 0.5]]}).seconds[0].point == (Fraction(8, 10), 3)
    boxed = {**own, "boxes": [[4, 2, 8, 6]], "frame_size": [16, 12]}
    assert read_one(boxed).seconds[0].region == a_box(2, 1, 4, 3)


def test_point_and_region_fall_back_second_by_second() -> None:
    # Mask: all of the frame's right half, centroid (6, 3). Heatmap: left half, cell centre (2, 3).
    mask, heatmap = {"size": [1, 2], "counts": [1, 1]}, [[1.0, 0.0]]
    tube = read_one(
        a_tube(
            "x",
            0,
            5,
            points=[[1, 1], None, None, None, None],
            boxes=[[4, 0, 6, 2], [4, 0, 6, 2], None, None, None],
            heatmaps=[heatmap, heatmap, heatmap, None, None],
            masks=[mask, None, mask, mask, None],
        )
    )
    points = [tube.seconds[t].point for t in range(5)]
    assert points == [(1, 1), (5, 1), (2, 3), (6, 3), None]
    right_half = {(i, j) for i in range(6) for j in range(4, 8)}
    regions = [tube.seconds[t].region for t in range(5)]
    assert regions == [right_half, a_box(4, 0, 6, 2), right_half, right_half, None]
    alone = read_one(a_tube("x", 0, 1, heatmaps=[heatmap]))
    # -.375 .. : pixels at (2j + 1) / 8 - 1/2 = -.375, -.125, .125, .375, .625: 1 - .375 >= .5.
    assert alone.seconds[0].region == {(i, j) for i in range(6) for j in range(4)}


def test_labels_are_mapped_or_stand_for_themselves() -> None:
    file = a_file(a_tube("add eggs", 0, 1), a_tube("cut_egg", 0, 1))
    tubes = read_tubes(a_truth([], {}), file, {"add eggs": "add_egg"})
    assert [tube.label for tube in tubes] == ["add_egg", "cut_egg"]


# --- task st: IoU+Point -------------------------------------------------------------------------


def labels_of(*tubes: dict[str, Any]) -> dict[int, tuple[str, Any]]:
    found = frame_labels(read_tubes(a_truth([], {}), a_file(*tubes)))
    return {second: label for (_, second), label in found.items()}


def test_frame_label_is_that_of_the_highest_score() -> None:
    # b wins at 1 by its score there, loses at 2, where it only has its tube's score.
    a = a_tube("a", 0, 3, score=0.5)
    b = a_tube("b", 1, 4, score=0.4, times=[1, 3], scores=[0.9, 0.1])
    assert labels_of(a, b) == {0: ("a", None), 1: ("b", None), 2: ("a", None), 3: ("b", None)}


def test_frame_label_ties() -> None:
    assert labels_of(a_tube("b", 0.5, 3), a_tube("a", 0.75, 3))[1][0] == "b"  # earlier start
    assert labels_of(a_tube("b", 1, 2), a_tube("a", 1, 3))[1][0] == "b"  # earlier end
    assert labels_of(a_tube("b", 1, 2), a_tube("a", 1, 2))[1][0] == "a"  # class name
    points = [None, [3, 1], [2, 5], [2, 4]]  # smaller x, then smaller y, none last
    tubes = [a_tube("a", 1, 2, points=[point]) for point in points]
    assert labels_of(*tubes)[1] == ("a", (2, 4))
    assert labels_of(*tubes[:2])[1] == ("a", (3, 1))


def test_iou_point_and_its_factors() -> None:
    # Seconds 0..3 are x, of which 3 has no box; 5 and 6 are y.
    truth = a_truth(
        [(0, 0, 4, "x"), (1, 5, 7, "y")],
        {0: (0, 0, 4, 4), 1: (0, 0, 4, 4), 2: (0, 0, 4, 4), 5: (4, 0, 8, 6), 6: (3, 3, 3, 5)},
    )
    file = a_file(
        a_tube("x", 1, 6, points=[[1, 1], [5, 5], [1, 1], [1, 1], [6, 3]]),
        a_tube("y", 6, 7, points=[[3, 4]]),
    )
    # Second 3 is ignored. G = {0,1,2,5,6}, D = {1,2,4,5,6}. Right label: 1, 2, 6 (5 is y, said x).
    # Point: 1 in, 2 out, 6 on a degenerate box, out. TP = 1.
    scores = score_st(truth, file)
    assert scores["iou_point"] == pytest.approx(1 / (5 + 5 - 1))
    assert scores["label_iou"] == pytest.approx(3 / (5 + 5 - 3))
    assert scores["pointing_given_label"] == pytest.approx(1 / 3)
    # x: G = {0,1,2}, D = {1,2,4,5}, L = {1,2}, TP = {1}. y: G = {5,6}, D = L = {6}, TP = {}.
    assert scores["iou_point_class_mean"] == pytest.approx((1 / 6 + 0) / 2)
    assert scores["label_iou_class_mean"] == pytest.approx((2 / 5 + 1 / 2) / 2)
    assert scores["pointing_given_label_class_mean"] == pytest.approx((1 / 2 + 0) / 2)
    assert scores["iou_point_video_mean"] == scores["iou_point"]
    assert scores["per_class"]["x"]["label_iou"] == pytest.approx(2 / 5)


def test_a_shared_second_may_carry_either_label() -> None:
    # Second 1 belongs to x and y; saying y there is right, and counts once in G.
    truth = a_truth([(0, 0, 2, "x"), (1, 1, 3, "y")], dict.fromkeys(range(3), (0, 0, 4, 4)))
    file = a_file(
        a_tube("x", 0, 1, boxes=[[0, 0, 4, 4]]), a_tube("y", 1, 3, points=[[2, 2], [2, 2]])
    )
    scores = score_st(truth, file)
    assert (scores["iou_point"], scores["label_iou"]) == (1, 1)
    # Per class: x has G = {0, 1}, L = {0}; y is complete.
    assert scores["label_iou_class_mean"] == pytest.approx((1 / 2 + 1) / 2)


def test_video_means_go_over_videos_with_ground_truth() -> None:
    # Video a: G = D = L = TP = {0}. Video b has no kept second: one prediction too many, which
    # counts in the total, 1 / (1 + 2 - 1), but is no video of the mean. Video c is missed.
    truth = a_truth([(0, 0, 1, "x")], {0: (0, 0, 4, 4)})
    truth.frames |= {"b": FRAME, "c": FRAME}
    truth.instances += [Instance("b", 0, 5, 7, "x"), Instance("c", 0, 0, 2, "x")]
    truth.boxes["c"] = {0: (0, 0, 1, 1), 1: (0, 0, 1, 1)}
    one, other = a_tube("x", 0, 1, points=[[1, 1]]), a_tube("x", 4, 6)
    scores = score_st(truth, a_file(one, {**other, "video": "b"}))
    assert scores["iou_point"] == pytest.approx(1 / (3 + 2 - 1))
    assert scores["iou_point_video_mean"] == pytest.approx((1 + 0) / 2)
    assert scores["pointing_given_label_video_mean"] == 1


def test_nothing_predicted() -> None:
    truth = a_truth([(0, 0, 2, "x")], {0: (0, 0, 4, 4)})
    scores = score_st(truth, a_file())
    assert (scores["iou_point"], scores["label_iou"]) == (0, 0)
    assert scores["pointing_given_label"] is None
    assert scores["video_map@0.1"] == scores["video_map@0.1:0.5"] == 0


# --- task st: video mAP -------------------------------------------------------------------------


def maps(truth: Truth, *tubes: dict[str, Any]) -> list[float]:
    scores = score_st(truth, a_file(*tubes))
    return [scores[f"video_map@0.{n}"] for n in range(1, 6)]


def test_tube_iou_is_volumetric() -> None:
    # Boxes of 4 at 0, 1 and of 16 at 2. Predicted from 1 to 3: at 1 half of the box, area 2; at 2
    # nothing; at 3, outside of the instance, area 6. Intersection 2; union 4 + 4 + 16 + 6 = 30.
    # At 1/15 < 0.1 nothing matches; without the box at 2 it is 2 / 14 = 1/7 >= 0.1.
    boxes: dict[int, RawBox] = {0: (0, 0, 2, 2), 1: (0, 0, 2, 2), 2: (0, 0, 4, 4)}
    tube = a_tube("x", 1, 4, boxes=[[0, 0, 1, 2], None, [0, 0, 2, 3]])
    assert maps(a_truth([(0, 0, 3, "x")], boxes), tube) == [0, 0, 0, 0, 0]
    # Then second 2 is ignored, and dropped from the prediction too.
    tube["boxes"][1] = [0, 0, 8, 6]
    del boxes[2]
    assert maps(a_truth([(0, 0, 3, "x")], boxes), tube) == [1, 0, 0, 0, 0]


def test_iou_of_exactly_the_threshold_matches() -> None:
    # 3 of 10: intersection 3, union 10.
    truth = a_truth([(0, 0, 1, "x")], {0: (0, 0, 5, 2)})
    assert maps(truth, a_tube("x", 0, 1, boxes=[[0, 0, 3, 1]])) == [1, 1, 1, 0, 0]


def test_masks_and_boxes_count_in_pixels_where_they_meet() -> None:
    # Second 0: box 2.5 x 1, in pixels 2 (centre 2.5 is out); mask of 2 pixels, both in.
    # Second 1: box 2.5 x 1 without prediction: exact. IoU = 2 / (2 + 2.5) = 4/9.
    truth = a_truth([(0, 0, 2, "x")], {0: (0, 0, 2.5, 1), 1: (0, 0, 2.5, 1)})
    # Column-major: (0,0) on, five off, (0,1) on, the rest off.
    mask = {"size": [6, 8], "counts": [0, 1, 5, 1, 41]}
    assert maps(truth, a_tube("x", 0, 2, masks=[mask, None])) == [1, 1, 1, 1, 0]


def test_a_heatmap_without_positive_value_is_an_empty_region() -> None:
    # The file has a region, so scores are numbers; IoU = 0.
    truth = a_truth([(0, 0, 2, "x")], {0: (0, 0, 2, 2)})
    assert maps(truth, a_tube("x", 0, 2, heatmaps=[[[0.0]], None])) == [0, 0, 0, 0, 0]


def test_points_alone_have_no_video_map() -> None:
    truth = a_truth([(0, 0, 2, "x")], {0: (0, 0, 2, 2)})
    scores = score_st(truth, a_file(a_tube("x", 0, 2, points=[[1, 1], None])))
    assert scores["video_map@0.1"] is None
    assert scores["video_map@0.1:0.5"] is None
    assert scores["per_class"]["x"]["video_map@0.1"] is None
    assert scores["iou_point"] == 1


def test_tubes_on_ignored_seconds_are_neither_right_nor_wrong() -> None:
    # The better ranked tubes lie on the ignored second 1, or between seconds; precision stays 1.
    # For class y second 1 is not ignored: nothing of y is there, so that tube is wrong.
    truth = a_truth(
        [(0, 0, 2, "x"), (1, 4, 6, "y")], {0: (0, 0, 2, 2), 4: (0, 0, 2, 2), 5: (0, 0, 2, 2)}
    )
    whole = [0, 0, 2, 2]
    tubes = [
        a_tube("x", 1, 2, score=0.9, boxes=[whole]),
        a_tube("x", 0.25, 0.75, score=0.9, boxes=[]),
        a_tube("x", 0, 1, score=0.5, boxes=[whole]),
        a_tube("y", 1, 2, score=0.9, boxes=[whole]),
        a_tube("y", 4, 6, score=0.5, boxes=[whole, whole]),
    ]
    # AP of x is 1, of y 1/2.
    assert maps(truth, *tubes) == [0.75] * 5


def test_instances_without_boxes_are_no_ground_truth() -> None:
    # z has no box anywhere: not in the mean, though its tube is there. x misses one of two.
    truth = a_truth(
        [(0, 0, 2, "x"), (1, 4, 6, "x"), (2, 8, 9, "z")], {0: (0, 0, 2, 2), 4: (1, 1, 1, 1)}
    )
    tubes = [a_tube("x", 0, 1, boxes=[[0, 0, 2, 2]]), a_tube("z", 8, 9, boxes=[[0, 0, 2, 2]])]
    scores = score_st(truth, a_file(*tubes))
    # The instance whose only box is degenerate counts: recall 1/2 at precision 1.
    assert scores["video_map@0.5"] == 0.5
    assert set(scores["per_class"]) == {"x"}


def test_equal_ious_go_to_the_earlier_instance() -> None:
    # Both tubes cover the shared second 1 only, and have IoU 1/2 with both instances: first the
    # earlier, then the later one is taken, a third tube finds none: precision 2/3 at recall 1.
    boxes: dict[int, RawBox] = dict.fromkeys(range(3), (0, 0, 2, 2))
    truth = a_truth([(1, 1, 3, "x"), (0, 0, 2, "x")], boxes)
    tube = a_tube("x", 1, 2, boxes=[[0, 0, 2, 2]])
    assert maps(truth, tube, tube) == [1] * 5
    assert maps(truth, tube, tube, tube) == pytest.approx([2 / 3] * 5)


def test_equal_tubes_are_ranked_by_what_they_cover() -> None:
    # Instances A = [0, 1) and B = [0, 2) share second 0, boxes of 4. Tubes over [0, 2), score 1:
    # P says the box at both seconds: IoU 1/2 with A, 1 with B. Q says it at 0 only: 1 with A, 1/2
    # with B. Second 0 is equal, (4, 4); at 1 Q has (0, 0), P (4, 4): Q goes first, takes A, P takes
    # B, whatever the file's order: AP 1 at every threshold.
    boxes: dict[int, RawBox] = {0: (0, 0, 2, 2), 1: (0, 0, 2, 2)}
    truth = a_truth([(0, 0, 1, "x"), (1, 0, 2, "x")], boxes)
    p = a_tube("x", 0, 2, boxes=[[0, 0, 2, 2], [0, 0, 2, 2]])
    q = a_tube("x", 0, 2, boxes=[[0, 0, 2, 2], None])
    assert maps(truth, p, q) == maps(truth, q, p) == [1] * 5
    # R lies beside the box at 0, (0, 4), and so goes before a P that is small there, (1, 1).
    # B's boxes: 4 + 4. R: 4 / (8 + 4) = 1/3 with B, 0 with A. p: (1 + 4) / 8 with B, 1/8 with A.
    # At 0.1 R takes B and p is left with A at 1 / (4 + 5 - 1) = 1/8: both right, AP 1. At 0.2 and
    # 0.3 p finds A too far: one of two at precision 1/2. At 0.4 and 0.5 only p is right.
    r = a_tube("x", 0, 2, boxes=[[4, 0, 6, 2], [0, 0, 2, 2]])
    p["boxes"] = [[0, 0, 1, 1], [0, 0, 2, 2]]
    assert maps(truth, p, r) == maps(truth, r, p) == [1, 0.25, 0.25, 0.25, 0.25]


# --- task spatial -------------------------------------------------------------------------------


def spatial_truth() -> Truth:
    """Four units of x (two seconds in two instances) and one of y; second 9 has no box."""
    boxes: dict[int, RawBox] = {
        0: (0, 0, 4, 4),
        1: (0, 0, 4, 4),
        2: (0, 0, 4, 4),
        8: (2, 2, 2, 4),
    }
    return a_truth([(0, 0, 2, "x"), (1, 1, 3, "x"), (2, 8, 10, "y")], boxes)


def test_spatial_scores() -> None:
    file = a_file(
        # 0: hit, IoU 4/16 < 0.3. 1: miss by the point, IoU 8/16.
        a_tube(
            "x",
            0,
            2,
            instance=0,
            score=0.8,
            points=[[4, 4], [5, 4]],
            boxes=[[0, 0, 2, 2], [0, 0, 4, 2]],
            scores=[0.9, 0.7],
        ),
        # Second 1 again, for the other instance: hit by the box centre, IoU 1. 2: nothing.
        a_tube("x", 1, 3, instance=1, score=0.8, times=[1], boxes=[[0, 0, 4, 4]]),
        # A degenerate box: no hit. Second 9 is no unit.
        a_tube("y", 8, 10, instance=2, points=[[2, 3], [2, 3]]),
    )
    scores = score_spatial(spatial_truth(), file)
    assert scores["pointing_accuracy"] == pytest.approx(2 / 5)
    assert scores["pointing_accuracy_class_mean"] == pytest.approx((2 / 4 + 0) / 2)
    assert scores["success@0.3"] == pytest.approx(2 / 5)
    assert scores["success@0.3_class_mean"] == pytest.approx((2 / 4 + 0) / 2)
    # x, four units, by score: 0.9 wrong, 0.8 right, 0.7 right. Recall 1/4 at 1/2, 2/4 at 2/3:
    # envelope 2/3 up to recall 1/2. y has no detection: 0.
    assert scores["spatial_map@0.3"] == pytest.approx((1 / 3 + 0) / 2)
    assert scores["per_class"]["x"]["spatial_map@0.3"] == pytest.approx(1 / 3)
    # With a pixel of tolerance (5, 4) hits as well; the degenerate box never.
    assert score_spatial(spatial_truth(), file, tolerance=1)["pointing_accuracy"] == 0.6


def test_spatial_without_regions_or_tubes() -> None:
    pointed = a_file(a_tube("x", 0, 2, instance=0, points=[[1, 1], [1, 1]]))
    scores = score_spatial(spatial_truth(), pointed)
    assert scores["pointing_accuracy"] == pytest.approx(2 / 5)
    assert scores["success@0.3"] is None
    assert scores["success@0.3_class_mean"] is None
    assert scores["spatial_map@0.3"] is None
    scores = score_spatial(spatial_truth(), a_file())
    assert {scores[name] for name in scores if name != "per_class"} == {0}


def test_spatial_success_includes_the_threshold() -> None:
    # 3 of 10, once as boxes and once as mask pixels: (0,0), (0,1), (0,2) by columns.
    truth = a_truth([(0, 0, 1, "x")], {0: (0, 0, 5, 2)})
    mask = {"size": [6, 8], "counts": [0, 1, 5, 1, 5, 1, 35]}
    for said in ({"boxes": [[0, 0, 3, 1]]}, {"masks": [mask]}):
        assert (
            score_spatial(truth, a_file(a_tube("x", 0, 1, instance=0, **said)))["success@0.3"] == 1
        )


# --- task temporal ------------------------------------------------------------------------------


def timeline(*tubes: dict[str, Any]) -> list[Segment]:
    return resolved_timeline(read_tubes(a_truth([], {}), a_file(*tubes)))


def test_timeline_is_resolved_by_score() -> None:
    # b interrupts a, c is hidden below; equal neighbours join; the gap to 8 is background.
    found = timeline(
        a_tube("a", 0, 4, score=0.5),
        a_tube("b", 1, 2.5, score=0.9),
        a_tube("c", 1, 2, score=0.1),
        a_tube("a", 4, 6, score=0.2),
        a_tube("a", 8, 9),
    )
    expected = [(0, 1, "a"), (1, 2.5, "b"), (2.5, 6, "a"), (8, 9, "a")]
    assert found == [(exact(start), exact(end), label) for start, end, label in expected]


def test_timeline_ties() -> None:
    assert timeline(a_tube("b", 0, 4), a_tube("a", 1, 3)) == [(0, 4, "b")]  # earlier start
    # Earlier end, then the other one takes over.
    assert timeline(a_tube("a", 0, 4), a_tube("b", 0, 3)) == [(0, 3, "b"), (3, 4, "a")]
    assert timeline(a_tube("b", 0, 4), a_tube("a", 0, 4)) == [(0, 4, "a")]  # class name


def test_frames_in_an_interval() -> None:
    assert duration(exact(0.5), exact(2), None) == Fraction(3, 2)
    # 25 fps: 0.4 s is frame 10 exactly, 1.0 s is frame 25, which is out.
    assert duration(exact(0.4), exact(1.0), 25) == 15
    # The double nearest to 10.4 is above it, yet frame 260 of 25 fps is shown at 10.4.
    assert duration(exact(10.4), exact(10.44), 25) == 1
    assert duration(exact(0.5), exact(0.75), 1) == 0
    assert duration(exact(2), exact(1), None) == 0


TEMPORAL_TRUTH = a_truth([], {}, [(0, 4, "x"), (6, 8, "x"), (8, 10, "y"), (10, 11, "z")])
TEMPORAL_FILE = a_file(
    a_tube("x", 2, 7, score=0.9), a_tube("y", 5, 9, score=0.5), a_tube("w", 20, 22)
)
# Resolved: x [2, 7), y [7, 9), w [20, 22).
# x: G = 6, D = 5, both = 2 + 1, either = 8. y: G = 2, D = 2, both = 1, either = 3.
# z: G = 1, never predicted. w: D = 2 only.


def test_temporal_mean_over_classes() -> None:
    scores = score_temporal(TEMPORAL_TRUTH, TEMPORAL_FILE)
    assert scores["iou"] == pytest.approx((3 / 8 + 1 / 3 + 0) / 3)
    assert scores["iod"] == pytest.approx((3 / 5 + 1 / 2 + 0) / 3)


def test_temporal_videogem_skips_what_is_never_predicted() -> None:
    scores = score_temporal(TEMPORAL_TRUTH, TEMPORAL_FILE, average="videogem")
    assert scores["iou"] == pytest.approx((3 / 8 + 1 / 3 + 0) / 3)
    assert scores["iod"] == pytest.approx((3 / 5 + 1 / 2) / 2)


def test_temporal_micro() -> None:
    scores = score_temporal(TEMPORAL_TRUTH, TEMPORAL_FILE, average="frames-micro")
    assert scores["iou"] == pytest.approx((3 + 1) / (8 + 3 + 1 + 2))
    assert scores["iod"] == pytest.approx((3 + 1) / (5 + 2 + 2))


def test_temporal_isba() -> None:
    # Cue x [0, 4) and x [2, 7): 2 of hull 7, of 5. Cue x [6, 8): 1 of hull 6, of 5.
    # Cue y [8, 10) and y [7, 9): 1 of hull 3, of 2. z: 0.
    scores = score_temporal(TEMPORAL_TRUTH, TEMPORAL_FILE, average="isba")
    assert scores["iou"] == pytest.approx((2 / 7 + 1 / 6 + 1 / 3 + 0) / 4)
    assert scores["iod"] == pytest.approx((2 / 5 + 1 / 5 + 1 / 2 + 0) / 4)


def test_temporal_in_frames() -> None:
    # x [0.5, 2.5) against [0.25, 1.5): 1 of 2.25 s; at 1 fps seconds {1, 2} and {1}.
    truth = a_truth([], {}, [(0.5, 2.5, "x")])
    file = a_file(a_tube("x", 0.25, 1.5))
    assert score_temporal(truth, file) == pytest.approx({"iou": 1 / 2.25, "iod": 1 / 1.25})
    assert score_temporal(truth, file, fps=1) == {"iou": 0.5, "iod": 1}
    assert score_temporal(truth, file, average="isba", fps=1) == {"iou": 0.5, "iod": 1}
    assert score_temporal(truth, file, average="frames-micro", fps=1) == {"iou": 0.5, "iod": 1}


def test_temporal_means_go_over_videos_with_cues() -> None:
    # Video b has no cue: its prediction counts in the micro sums only. Video c is missed, which
    # VideoGEM's IoD does not see. Repeated and overlapping cues of a class are one set.
    truth = a_truth([], {}, [(0, 2, "x"), (1, 4, "x"), (1, 4, "x")])
    truth.frames |= {"b": FRAME, "c": FRAME}
    truth.cues.append(Cue("c", 0, 1, "x"))
    file = a_file(a_tube("x", 0, 4), {**a_tube("x", 0, 4), "video": "b"})
    assert score_temporal(truth, file) == {"iou": 0.5, "iod": 0.5}
    assert score_temporal(truth, file, average="videogem") == {"iou": 0.5, "iod": 1}
    assert score_temporal(truth, file, average="frames-micro") == pytest.approx(
        {"iou": 4 / 9, "iod": 4 / 8}
    )


def test_temporal_nothing_predicted() -> None:
    for average in ("class", "isba", "frames-micro"):
        assert score_temporal(TEMPORAL_TRUTH, a_file(), average) == {"iou": 0, "iod": 0}
    assert score_temporal(TEMPORAL_TRUTH, a_file(), "videogem") == {"iou": 0, "iod": None}
    with pytest.raises(ValueError, match="average"):
        score_temporal(TEMPORAL_TRUTH, a_file(), "other")


# --- random cases -------------------------------------------------------------------------------


def flat(result: Any) -> Iterator[float | None]:
    """Every number of a result."""
    for value in result.values():
        if isinstance(value, dict):
            yield from flat(value)
        else:
            yield value


def rescaled(truth: Truth, file: File, factor: int) -> File:
    """The same file with every coordinate and frame size multiplied."""
    result = copy.deepcopy(dict(file))
    for tube in result["tubes"]:
        size = tube.get("frame_size") or file.get("frame_size") or [1, 1]
        assert tube["video"] in truth.frames
        tube["frame_size"] = [factor * extent for extent in size]
        for name in ("points", "boxes"):
            tube[name] = [
                None if entry is None else [factor * value for value in entry]
                for entry in tube.get(name, [])
            ]
    return result


def shuffled(file: File) -> File:
    tubes = list(file["tubes"])
    random.Random(len(tubes)).shuffle(tubes)
    return {**file, "tubes": tubes}


@random_cases
@given(strategies.st_cases())
def test_random_st_cases(case: tuple[Truth, File]) -> None:
    truth, file = case
    scores = score_st(truth, file)
    assert all(value is None or 0 <= value <= 1 for value in flat(scores))
    assert score_st(truth, shuffled(file)) == scores
    assert score_st(truth, rescaled(truth, file, 4)) == scores
    curve = [scores[f"video_map@0.{n}"] for n in range(1, 6)]
    assert None in curve or curve[0] >= scores["video_map@0.1:0.5"]
    if scores["pointing_given_label"] is not None:
        assert scores["iou_point"] <= scores["label_iou"]
    assert score_st(truth, {**file, "tubes": []})["iou_point"] == 0


@random_cases
@given(strategies.spatial_cases())
def test_random_spatial_cases(case: tuple[Truth, File]) -> None:
    truth, file = case
    scores = score_spatial(truth, file)
    assert all(value is None or 0 <= value <= 1 for value in flat(scores))
    assert score_spatial(truth, shuffled(file)) == scores
    assert score_spatial(truth, rescaled(truth, file, 4)) == scores
    tolerant = score_spatial(truth, file, tolerance=2)
    assert tolerant["pointing_accuracy"] >= scores["pointing_accuracy"]


@random_cases
@given(strategies.temporal_cases(), st.sampled_from((None, 1, 4, 25)))
def test_random_temporal_cases(case: tuple[Truth, File], fps: float | None) -> None:
    truth, file = case
    for average in ("class", "isba", "frames-micro", "videogem"):
        scores = score_temporal(truth, file, average, fps)
        assert all(value is None or 0 <= value <= 1 for value in scores.values())
        assert score_temporal(truth, shuffled(file), average, fps) == scores
    if fps is not None:
        return
    # Every time lies on the quarter-second grid, where counting at 4 fps loses nothing.
    for average in ("class", "isba", "frames-micro", "videogem"):
        assert score_temporal(truth, file, average, 4) == score_temporal(truth, file, average)


@random_cases
@given(strategies.truths())
def test_the_ground_truth_scores_one_where_it_can(truth: Truth) -> None:
    truth = Truth(
        frames=truth.frames,
        instances=truth.instances,
        boxes={
            video: {second: (0, 0, 2 + second, 3) for second in boxes}
            for video, boxes in truth.boxes.items()
        },
    )
    scores = score_st(truth, released.oracle(truth))
    assert scores["iou_point"] == scores["label_iou"] == scores["video_map@0.1:0.5"] == 1
    spatial = score_spatial(truth, released.oracle(truth))
    assert set(flat(spatial)) == {1}


def test_leaving_out_a_right_tube_never_helps() -> None:
    # Section 9, on ground truth given as prediction: each tube is right.
    boxes: dict[int, RawBox] = {t: (0, 0, 2 + t, 4) for t in range(12)}
    truth = a_truth([(0, 0, 3, "x"), (1, 2, 5, "y"), (2, 5, 8, "x"), (3, 8, 10, "z")], boxes)
    file = released.oracle(truth)
    whole, clips = score_st(truth, file), score_spatial(truth, file)
    for left_out in file["tubes"]:
        rest = {**file, "tubes": [tube for tube in file["tubes"] if tube is not left_out]}
        scores, left_clips = score_st(truth, rest), score_spatial(truth, rest)
        for name in ("iou_point", "label_iou", "video_map@0.1", "video_map@0.1:0.5"):
            assert scores[name] <= whole[name]
        assert scores["video_map@0.1:0.5"] < 1
        for name in ("pointing_accuracy", "success@0.3", "spatial_map@0.3"):
            assert left_clips[name] < clips[name]


# --- the released files: section 9 --------------------------------------------------------------


@pytest.fixture(scope="module")
def data() -> Path:
    folder = released.data_folder()
    if not (folder / "groundingyoutube" / "seg.json").is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("the released files are missing: set GYTBENCH_DATA")
        pytest.skip("the released files are not here: set GYTBENCH_DATA")
    return folder


@pytest.fixture(scope="module")
def published(data: Path) -> Truth:
    return released.load(data)


def six(value: float) -> Any:
    """A number that is given to six digits."""
    return pytest.approx(value, abs=5e-7)


def test_released_counts(published: Truth) -> None:
    assert len(published.frames) == 250
    assert list(published.frames.values()).count((640, 480)) == 249
    assert len(published.instances) == 5091
    assert len({instance.label for instance in published.instances}) == 512
    assert sum(len(boxes) for boxes in published.boxes.values()) == 17316
    assert len({cue.video for cue in published.cues}) == 250


def test_ground_truth_as_prediction(published: Truth) -> None:
    file = released.oracle(published)
    scores = score_st(published, file)
    assert scores["iou_point"] == six(0.997921)
    assert scores["video_map@0.1:0.5"] == six(0.999594)
    assert score_spatial(published, file)["pointing_accuracy"] == six(0.998859)


def test_cues_as_prediction(published: Truth) -> None:
    scores = score_temporal(published, released.temporal_oracle(published))
    assert scores["iou"] == six(0.999999)
    assert scores["iod"] == 1


def test_centre_square(published: Truth) -> None:
    file = released.centre_square(published)
    scores = score_st(published, file)
    assert scores["iou_point"] == six(0.505810)
    curve = [scores[f"video_map@0.{n}"] for n in range(1, 6)]
    assert curve == [six(v) for v in (0.835772, 0.660969, 0.430773, 0.233000, 0.101756)]
    spatial = score_spatial(published, file)
    assert spatial["pointing_accuracy"] == six(0.671496)
    assert spatial["success@0.3"] == six(0.529576)
    assert spatial["spatial_map@0.3"] == six(0.375849)


@pytest.mark.parametrize(("release", "expected"), [("readme", 0.616944), ("full", 0.625613)])
def test_centre_on_other_releases(data: Path, release: str, expected: float) -> None:
    truth = released.load(data, release)
    file = released.centre_square(truth)
    assert score_spatial(truth, file)["pointing_accuracy"] == six(expected)
