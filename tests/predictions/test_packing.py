"""Tubes as arrays in the annotation frame; the answers are worked out in comments."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gytbench.predictions import PackedTubes, encode_heatmap, encode_runs
from gytbench.predictions import pack as pack_file
from gytbench.predictions.packing import mask_centroids

from .making import BENCHMARK, TALL, WIDE, predictions, tube


def pack(*tubes: dict[str, Any], **header: Any) -> PackedTubes:
    """Packed for the task st."""
    return pack_file(predictions(*tubes, **header), BENCHMARK, "st")


def shown(values: np.ndarray) -> list[Any]:
    """Rows as lists, those without a number as None."""
    return [None if np.isnan(row).all() else row.tolist() for row in values]


def test_entries_are_the_integer_seconds_of_each_tube() -> None:
    packed = pack(
        tube(start=2, end=5),
        # The first integer second from 2.25 on is 3; 5 is the last before 5.5.
        tube(start=2.25, end=5.5, label="fry_it", video=TALL, score=0.5),
        # Between two seconds there is none.
        tube(start=2.25, end=2.75),
        tube(start=0, end=0.5, instance=7),
    )
    assert packed.offset.tolist() == [0, 3, 6, 6, 7]
    assert packed.tube.tolist() == [0, 0, 0, 1, 1, 1, 3]
    assert packed.second.tolist() == [2, 3, 4, 3, 4, 5, 0]
    assert packed.start.tolist() == [2, 2.25, 2.25, 0]
    assert packed.end.tolist() == [5, 5.5, 2.75, 0.5]
    assert [BENCHMARK.videos[v] for v in packed.video] == [WIDE, TALL, WIDE, WIDE]
    assert packed.label.tolist() == [0, 2, 0, 0]
    assert packed.score.tolist() == [1, 0.5, 1, 1]
    assert packed.instance.tolist() == [-1, -1, -1, 7]
    assert packed.entry_score.tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 1]
    assert not packed.has_regions


def test_times_with_gaps() -> None:
    # Seconds 2 to 6 are entries 0 to 4; the tube speaks for 3 and 6 alone, entries 1 and 4.
    packed = pack(
        tube(
            start=2,
            end=7,
            times=[3, 6],
            points=[[1, 2], [3, 4]],
            boxes=[None, [0, 0, 4, 8]],
            scores=[0.25, 0.75],
            score=0.5,
        ),
        # Another after it: its entries begin at 5, with second 4 at 7.
        tube(times=[4], points=[[5, 6]]),
        frame_size=(640, 480),
    )
    assert shown(packed.point) == [None, [1, 2], None, None, [3, 4], None, None, [5, 6]]
    assert shown(packed.box) == [None, None, None, None, [0, 0, 4, 8], None, None, None]
    assert packed.entry_score.tolist() == [0.5, 0.25, 0.5, 0.5, 0.75, 1, 1, 1]
    assert packed.has_regions


def test_times_of_a_tube_that_begins_between_seconds() -> None:
    # Entries of [2.5, 5.5) are 3, 4, 5.
    packed = pack(tube(start=2.5, end=5.5, times=[4, 5], points=[None, [1, 1]]))
    assert packed.second.tolist() == [3, 4, 5]
    assert shown(packed.point) == [None, None, [640, 480]]


def test_a_tube_that_speaks_for_no_time() -> None:
    packed = pack(tube(times=[], points=[], boxes=[], heatmaps=[], masks=[], scores=[]))
    assert shown(packed.point) == [None, None, None]
    assert not packed.has_regions


def test_coordinates_come_to_the_annotation_frame() -> None:
    two = {"start": 0, "end": 1}
    packed = pack(
        # The file's frame is 320x240, half of 640x480, so everything doubles.
        tube(**two, points=[[10, 20]], boxes=[[1, 2, 3, 4]]),
        # The tube's own frame comes first: normalised.
        tube(**two, points=[[0.5, 0.25]], boxes=[[0, 0, 1, 1]], frame_size=[1, 1]),
        # 480x640 from 1280x720: x times 3/8, y times 8/9.
        tube(**two, video=TALL, points=[[8, 9]], boxes=[[0, 9, 8, 18]], frame_size=[1280, 720]),
        # Outside of the frame is allowed.
        tube(**two, points=[[-10, 500]], boxes=[[-1, 0, 400, 300]]),
        frame_size=(320, 240),
    )
    assert packed.point.tolist() == [[20, 40], [320, 120], [3, 8], [-20, 1000]]
    assert packed.box.tolist() == [
        [2, 4, 6, 8],
        [0, 0, 640, 480],
        [0, 8, 3, 16],
        [-2, 0, 800, 600],
    ]


def test_without_a_frame_size_coordinates_are_fractions() -> None:
    packed = pack(tube(start=0, end=1, points=[[0.5, 0.5]]))
    assert packed.point.tolist() == [[320, 240]]


HEATMAP = [[0.0, 0.5, 1.0, 0.2], [1.0, 0.0, 0.0, 0.0]]
"""Its first maximum in row-major order is in row 0, column 2: (2.5 / 4, 0.5 / 2) of the frame."""
MASK = {"size": [2, 2], "counts": [2, 1, 1]}
"""One pixel, row 0 of column 1: its centre is (0.75, 0.25) of the frame."""


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ({"points": [[1, 2]], "boxes": [[0, 0, 9, 9]], "heatmaps": [HEATMAP]}, [1, 2]),
        ({"points": [None], "boxes": [[0, 10, 9, 20]], "heatmaps": [HEATMAP]}, [4.5, 15]),
        ({"boxes": [[3, 3, 3, 3]], "masks": [MASK]}, [3, 3]),
        ({"heatmaps": [HEATMAP], "masks": [MASK]}, [400, 120]),
        ({"boxes": [None], "heatmaps": [None], "masks": [MASK]}, [480, 120]),
        # A heatmap without a positive value still has a first maximum.
        ({"heatmaps": [[[-2, -1]]]}, [480, 240]),
        ({"heatmaps": [[[0, 0], [0, 0]]]}, [160, 120]),
        ({"masks": [{"size": [2, 2], "counts": [4]}]}, None),
        ({"points": [None], "boxes": [None], "heatmaps": [None], "masks": [None]}, None),
        ({}, None),
    ],
)
def test_where_the_point_comes_from(said: dict[str, Any], point: list[float] | None) -> None:
    # Before and after it tubes with other points, so that no entry is taken for another's.
    other = tube(start=0, end=1, points=[[600, 1]])
    packed = pack(other, tube(start=0, end=1, **said), other, frame_size=(640, 480))
    assert shown(packed.point) == [[600, 1], point, [600, 1]]


def test_heatmap_points_in_a_tall_frame() -> None:
    packed = pack(tube(video=TALL, start=0, end=1, heatmaps=[HEATMAP]))
    # 2.5 / 4 of 480, 0.5 / 2 of 640.
    assert packed.point.tolist() == [[300, 160]]


def test_regions_are_kept_by_shape() -> None:
    wide = encode_heatmap(np.array([[0, 7]]), "uint8")
    packed = pack(
        tube(heatmaps=[HEATMAP, None, wide], label="pour_it"),
        tube(heatmaps=[wide, [[3, 4]], None]),
        tube(times=[4], masks=[MASK]),
        tube(times=[3, 4], masks=[{"size": [1, 2], "counts": [0, 2]}, MASK]),
    )
    assert packed.has_regions
    assert [group.entry.tolist() for group in packed.heatmaps] == [[0], [2, 3, 4]]
    assert packed.heatmaps[0].values.tolist() == [HEATMAP]
    assert packed.heatmaps[1].values.tolist() == [[[0, 7]], [[0, 7]], [[3, 4]]]
    large, small = packed.masks
    assert (large.size, large.entry.tolist()) == ((2, 2), [8, 11])
    assert (large.owner.tolist(), large.first.tolist(), large.stop.tolist()) == (
        [0, 1],
        [2, 2],
        [3, 3],
    )
    assert (small.size, small.entry.tolist()) == ((1, 2), [10])
    assert (small.owner.tolist(), small.first.tolist(), small.stop.tolist()) == ([0], [0], [2])


@pytest.mark.parametrize(
    ("counts", "first", "stop"),
    [
        ([4], [], []),
        ([0, 4], [0], [4]),
        ([1, 1, 2], [1], [2]),
        ([1, 3], [1], [4]),
        # Runs of no length, which COCO allows, set nothing.
        ([0, 1, 0, 1, 2], [0, 1], [1, 2]),
        ([2, 0, 2], [2], [2]),
    ],
)
def test_runs_of_set_pixels(counts: list[int], first: list[int], stop: list[int]) -> None:
    (group,) = pack(tube(times=[2], masks=[{"size": [2, 2], "counts": counts}])).masks
    assert (group.first.tolist(), group.stop.tolist()) == (first, stop)


@given(
    st.integers(1, 6).flatmap(
        lambda height: st.integers(1, 6).flatmap(
            lambda width: st.lists(arrays.arrays(np.bool_, (height, width)), min_size=1, max_size=3)
        )
    )
)
def test_mask_centroids_against_a_loop_over_pixels(drawn: list[np.ndarray]) -> None:
    height, width = drawn[0].shape
    times = list(range(len(drawn)))
    (group,) = pack(tube(start=0, times=times, masks=[encode_runs(mask) for mask in drawn])).masks
    for mask, (x, y) in zip(drawn, mask_centroids(group), strict=True):
        centres = [
            ((column + 0.5) / width, (row + 0.5) / height)
            for row in range(height)
            for column in range(width)
            if mask[row, column]
        ]
        if centres:
            count = len(centres)
            assert math.isclose(x, sum(cx for cx, _ in centres) / count, abs_tol=1e-12)
            assert math.isclose(y, sum(cy for _, cy in centres) / count, abs_tol=1e-12)
        else:
            assert math.isnan(x)
            assert math.isnan(y)


def test_the_centroid_of_a_mask_as_large_as_can_be() -> None:
    # All of 10,000 x 10,000 pixels: sums up to 5e11 columns, exact enough for the centre.
    packed = pack(tube(times=[2], masks=[{"size": [10_000, 10_000], "counts": [0, 100_000_000]}]))
    assert packed.point[0].tolist() == pytest.approx([320, 240], rel=1e-12)


def test_a_file_without_tubes() -> None:
    packed = pack()
    assert packed.video.size == packed.second.size == packed.score.size == 0
    assert packed.offset.tolist() == [0]
    assert packed.point.shape == (0, 2)
    assert packed.box.shape == (0, 4)
    assert (packed.heatmaps, packed.masks, packed.has_regions) == ((), (), False)


def test_boxes_alone_are_regions_and_points_are_not() -> None:
    assert not pack(tube(points=[[0, 0], None, None])).has_regions
    assert not pack(tube(boxes=[None] * 3)).has_regions
    assert pack(tube(boxes=[None, None, [0, 0, 0, 0]])).has_regions
    assert pack(tube(heatmaps=[None, None, [[1]]])).has_regions
    assert pack(tube(masks=[None, None, MASK])).has_regions
