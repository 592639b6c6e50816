"""Layouts of boxes, masks and heatmaps: read back by readers that others wrote."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as rle
from pycocotools.coco import COCO

from gytbench.annotation import (
    LAYOUTS,
    Built,
    BuiltBox,
    PointRow,
    Rule,
    build,
    build_table,
    coco,
    encode_layout,
    heatmap_masks,
    one_a_second,
    write_heatmaps,
)
from gytbench.benchmark.box_files import read_boxes
from gytbench.errors import InputError
from tests.construction import dense

LYING = (640.0, 480.0)
SMALL = (64.0, 48.0)
NATIVE = Rule(frame=None)


def answers(
    *points: dense.Point | None,
    video: str = "v",
    second: int = 1,
    step: str = "pour_milk",
    size: dense.Point = LYING,
    distance: float | None = None,
) -> list[PointRow]:
    """One frame's answers, of annotators 0, 1, 2, ..."""
    return [
        PointRow(video, second, step, f"{i}", *(point or (None, None)), *size, "here", distance)
        for i, point in enumerate(points)
    ]


def made(*frames: list[PointRow], rule: Rule = NATIVE) -> Built:
    return build(build_table([row for frame in frames for row in frame]), rule)


def opened(document: dict[str, Any], folder: Path) -> COCO:
    """As pycocotools reads the document from a file; what it prints is kept quiet."""
    path = folder / "coco.json"
    path.write_text(json.dumps(document))
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


TWO_STEPS = made(
    answers((300, 200), (320, 260)),
    answers((100.25, 50), second=2, step="add_egg"),
    answers((500, 400), second=2, step="whisk"),
    answers(None, second=3),
    answers((20, 600), video="w", second=0, step="", size=(480.0, 640.0)),
)


def test_the_released_layout_has_the_last_box_of_a_second() -> None:
    content = encode_layout(TWO_STEPS.rows(), "boxes")
    assert json.loads(content) == {
        "v": {"1": [200, 100, 420, 360], "2": [400, 300, 600, 480]},
        "w": {"0": [0, 500, 120, 640]},
    }
    assert b"200.0" not in content


def test_the_layout_with_steps() -> None:
    assert json.loads(encode_layout(TWO_STEPS.rows(), "steps")) == {
        "v": {
            "1": {"box": [200, 100, 420, 360], "step": "pour milk"},
            "2": {"box": [400, 300, 600, 480], "step": "whisk"},
        },
        "w": {"0": {"box": [0, 500, 120, 640]}},
    }


def test_estimated_boxes_are_marked() -> None:
    rows = made(answers((300, 200), distance=10.0)).rows()
    (with_step,) = json.loads(encode_layout(rows, "steps"))["v"].values()
    assert with_step["estimated"] is True
    (annotation,) = json.loads(encode_layout(rows, "coco"))["annotations"]
    assert annotation["estimated"] is True
    assert not any(each["estimated"] for each in coco(TWO_STEPS.rows())["annotations"])


def test_coco_has_every_box(tmp_path: Path) -> None:
    document = json.loads(encode_layout(TWO_STEPS.rows(), "coco"))
    assert document == coco(TWO_STEPS.rows())
    read = opened(document, tmp_path)
    assert {each["name"] for each in read.loadCats(read.getCatIds())} == {
        "pour_milk",
        "add_egg",
        "whisk",
        "action",
    }
    first, second, other = read.loadImgs(sorted(read.getImgIds()))
    assert (first["video"], first["second"], first["width"], first["height"]) == ("v", 1, 640, 480)
    assert first["file_name"] == "v_1_pour_milk.jpg"
    assert (other["file_name"], other["width"], other["height"]) == ("w_0.jpg", 480, 640)
    (annotation,) = read.loadAnns(read.getAnnIds(imgIds=first["id"]))
    assert annotation["bbox"] == [200, 100, 220, 260]
    assert annotation["area"] == 220 * 260
    assert annotation["iscrowd"] == 0
    both = read.loadAnns(read.getAnnIds(imgIds=second["id"]))
    names = [read.loadCats(each["category_id"])[0]["name"] for each in both]
    assert dict(zip(names, (each["bbox"] for each in both), strict=True)) == {
        "add_egg": [0.25, 0, 200, 150],
        "whisk": [400, 300, 200, 180],
    }
    assert len(read.anns) == 4


def test_no_boxes() -> None:
    rows = made(answers(None)).rows()
    assert [json.loads(encode_layout(rows, layout)) for layout in LAYOUTS] == [
        {},
        {},
        {"images": [], "annotations": [], "categories": []},
    ]


coordinates = st.floats(-100_000, 100_000)
boxes = st.builds(
    BuiltBox,
    st.sampled_from(["v", "-_w", 'é"x']),
    st.integers(0, 10_000_000),
    st.sampled_from(["", "pour_milk", "fry"]),
    st.tuples(coordinates, coordinates, coordinates, coordinates),
    st.sampled_from([LYING, (480.0, 640.0)]),
    st.booleans(),
)


@settings(deadline=None)
@given(st.lists(boxes, max_size=8, unique_by=lambda row: row[:3]))
def test_layouts_read_back_and_hold_the_same(rows: list[BuiltBox]) -> None:
    last: dict[str, dict[int, Any]] = {}
    for row in rows:
        last.setdefault(row.video, {})[row.second] = row
    expected = {
        video: {second: row.box for second, row in by_second.items()}
        for video, by_second in last.items()
    }
    for layout in ("boxes", "steps"):
        assert read_boxes(encode_layout(rows, layout), Path("out.json")) == expected
    document = json.loads(encode_layout(rows, "coco"))
    images = {image["id"]: image for image in document["images"]}
    names = {each["id"]: each["name"] for each in document["categories"]}
    found = [
        (
            images[each["image_id"]]["video"],
            images[each["image_id"]]["second"],
            names[each["category_id"]],
            each["bbox"],
            each["estimated"],
        )
        for each in document["annotations"]
    ]
    assert found == [
        (
            row.video,
            row.second,
            row.step or "action",
            [row.box[0], row.box[1], row.box[2] - row.box[0], row.box[3] - row.box[1]],
            row.estimated,
        )
        for row in rows
    ]
    assert len(images) == len({row[:2] for row in rows})
    assert len({each["id"] for each in document["annotations"]}) == len(rows)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_masks_are_the_dense_regions(tmp_path: Path) -> None:
    frames = {
        0: [(20.0, 30.0), (24.5, 31.0), (40.0, 12.0)],
        1: [(0.0, 0.0)],
        5: [(63.0, 47.0), (2.0, 3.0)],
    }
    built = made(*(answers(*points, second=s, size=SMALL) for s, points in frames.items()))
    masks = heatmap_masks(built, 0.5)
    read = opened(json.loads(json.dumps(coco(built.rows(), masks))), tmp_path)
    for annotation in read.anns.values():
        second = read.imgs[annotation["image_id"]]["second"]
        above = dense.region(frames[second], (64, 48), 64 / 20, 0.5)
        clear = np.abs(above) > 1e-12
        mask = read.annToMask(annotation)
        assert mask.shape == (48, 64)
        assert (mask.astype(bool) == (above >= 0))[clear].all()
        assert mask.any()
    assert len(read.anns) == 3


def test_frames_without_a_box_have_no_mask() -> None:
    """Masks follow the boxes: a frame that the rule drops has neither."""
    frames = answers((20, 30), (21, 30), size=SMALL), answers((5, 5), second=2, size=SMALL)
    built = made(*frames, rule=Rule(frame=None, min_points=2))
    assert len(heatmap_masks(built, 0.5)) == 1 == len(built.rows())
    alone = made(frames[0])
    assert heatmap_masks(built, 0.5) == heatmap_masks(alone, 0.5)


def test_a_higher_level_is_a_smaller_region() -> None:
    built = made(answers((20, 30), (40, 20), size=SMALL))
    masks = [heatmap_masks(built, level)[0] for level in (0.1, 0.5, 0.9, 1)]
    areas = [mask.area for mask in masks]
    assert areas == [int(rle.area({"size": m.size, "counts": m.counts})) for m in masks]
    assert areas == sorted(areas, reverse=True)
    assert len(set(areas)) == 4


@pytest.mark.parametrize("level", [0, -0.5, 1.01, 2, float("nan")])
def test_levels_that_cannot_be(level: float) -> None:
    with pytest.raises(InputError, match=r"^--level must be above 0"):
        heatmap_masks(TWO_STEPS, level)


def test_masks_need_whole_pixels() -> None:
    with pytest.raises(InputError, match="whole pixels"):
        heatmap_masks(made(answers((2, 3), size=(64.5, 48.0))), 0.5)


def heatmaps(*built: Built, grid: tuple[int, int] | None = None) -> dict[str, NDArray[Any]]:
    file = io.BytesIO()
    names = list(write_heatmaps(built, grid, file))
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        assert sorted(archive.files) == sorted(names)
        return {name: archive[name] for name in archive.files}


def test_heatmaps_are_one_value_a_pixel() -> None:
    points = [(20.5, 30.5), (24.5, 31.0)]
    built = made(
        answers(*points, size=SMALL),
        answers(None, second=2, size=SMALL),
        answers((5.5, 40.5), video="w", step="", size=(48.0, 64.0)),
    )
    found = heatmaps(built)
    assert list(found) == ["v/1/pour_milk", "w/1"]
    first, other = found.values()
    assert first.dtype == np.float32
    assert first.shape == (48, 64)
    np.testing.assert_allclose(first, dense.heat(points, (64, 48), 64 / 20), atol=1e-8)
    assert other.shape == (64, 48)
    assert np.unravel_index(other.argmax(), other.shape) == (40, 5)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5),
    st.tuples(st.integers(5, 30), st.integers(5, 30)),
)
def test_heatmaps_on_a_grid(points: list[dense.Point], grid: tuple[int, int]) -> None:
    (heat,) = heatmaps(made(answers(*((x * 640, y * 480) for x, y in points))), grid=grid).values()
    assert heat.shape == grid[::-1]
    assert (heat >= 0).all()
    assert float(heat.sum()) == pytest.approx(1, abs=1e-5)
    # A mean of Gaussians is highest within the hull of their centres, here to a cell and rounding.
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    xs, ys = zip(*points, strict=True)
    assert min(xs) * grid[0] - 1.001 <= column <= max(xs) * grid[0] + 0.001
    assert min(ys) * grid[1] - 1.001 <= row <= max(ys) * grid[1] + 0.001


def test_of_two_tables_that_of_own_points_counts() -> None:
    own, mean = made(answers((100, 100))), made(answers((500, 300), distance=3.0))
    for tables in ((own, mean), (mean, own)):
        (heat,) = heatmaps(*tables, grid=(64, 48)).values()
        assert np.unravel_index(heat.argmax(), heat.shape)[1] in (9, 10)
        rows, others = one_a_second([row for table in tables for row in table.rows()])
        assert [(row.box[:2], row.estimated) for row in rows] == [((0, 0), False)]
        assert others == 1


def test_a_grid_too_coarse_for_the_gaussians() -> None:
    built = made(answers((320, 240)), rule=Rule(sigma=0.5))
    with pytest.raises(InputError, match=r"^cells of 160x160 pixels are too large for Gaussians"):
        heatmaps(built, grid=(4, 3))
