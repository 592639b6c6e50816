"""Suppression of boxes: by hand, and a twin in plain Python."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gytbench.models.suppression import box_iou, suppressed, suppressed_by_class


def iou(a: list[float], b: list[float]) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    union = areas - width * height
    return width * height / union if union else 0.0


def slow(boxes, scores, classes, threshold) -> list[int]:
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        rivals = [other for other in kept if classes[other] == classes[index]]
        if all(iou(boxes[index], boxes[other]) <= threshold for other in rivals):
            kept.append(index)
    return kept


def tensors(*values):
    return [torch.tensor(value) for value in values]


def test_iou_by_hand():
    boxes, others = tensors(
        [[0.0, 0, 2, 2], [1, 1, 1, 1]], [[1.0, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]]
    )
    assert box_iou(boxes, others).tolist() == [[pytest.approx(1 / 3), 0, 0], [0, 0, 0]]


def test_of_boxes_that_overlap_the_best_stays():
    """The second overlaps the first too much and goes; so it cannot make the third go."""
    boxes, scores = tensors([[0.0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]], [3.0, 2.0, 1.0])
    assert suppressed(boxes, scores, 0.5).tolist() == [0, 2]
    assert suppressed(boxes, scores.flip(0), 0.5).tolist() == [2, 0]
    assert suppressed(boxes, scores, 0.6).tolist() == [0, 1, 2]


def test_what_reaches_the_threshold_stays():
    boxes, scores = tensors([[0.0, 0, 2, 1], [1.0, 0, 2, 1]], [1.0, 1.0])
    assert suppressed(boxes, scores, 0.5).tolist() == [0, 1]
    assert suppressed(boxes, scores, 0.49).tolist() == [0]


def test_classes_are_left_apart():
    boxes = torch.tensor([[0.0, 0, 1, 1]] * 4)
    scores, classes = tensors([1.0, 4.0, 3.0, 2.0], [7, 7, -1, 7])
    assert suppressed_by_class(boxes, scores, classes, 0.5).tolist() == [1, 2]


def test_none_of_none():
    boxes, scores = torch.empty(0, 4), torch.empty(0)
    assert suppressed(boxes, scores, 0.5).tolist() == []
    assert suppressed_by_class(boxes, scores, torch.empty(0, dtype=torch.long), 0.5).tolist() == []


# Whole numbers, so that the IoUs of both ways are the same to the last bit.
_box = st.tuples(*[st.integers(0, 12)] * 4).map(
    lambda c: [
        float(min(c[0], c[2])),
        float(min(c[1], c[3])),
        float(max(c[0], c[2])),
        float(max(c[1], c[3])),
    ]
)


@given(
    st.lists(st.tuples(_box, st.integers(0, 5), st.integers(0, 2)), max_size=30),
    st.sampled_from([0.0, 0.3, 0.51, 0.9]),
)
def test_it_is_the_greedy_rule(rows, threshold):
    boxes, scores, classes = ([row[part] for row in rows] for part in range(3))
    given_boxes = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    given_scores = torch.tensor(scores, dtype=torch.float64)
    found = suppressed_by_class(given_boxes, given_scores, torch.tensor(classes), threshold)
    assert found.tolist() == slow(boxes, scores, classes, threshold)
    alone = suppressed(given_boxes, given_scores, threshold)
    assert alone.tolist() == slow(boxes, scores, [0] * len(rows), threshold)


def test_it_is_torchvisions_where_that_runs():
    ops = pytest.importorskip("torchvision.ops", exc_type=(ImportError, RuntimeError))
    random = torch.Generator().manual_seed(0)
    corners = torch.rand(500, 2, 2, generator=random) * 100
    boxes = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
    scores, classes = torch.rand(500, generator=random), torch.arange(500) % 3
    expected = ops.batched_nms(boxes, scores, classes, 0.5)
    assert suppressed_by_class(boxes, scores, classes, 0.5).tolist() == expected.tolist()
