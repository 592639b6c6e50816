"""Saliency finds what stands out of a frame, whatever is asked."""

import numpy as np
import pytest

from gytbench.grounding.adapters.saliency import SaliencyGrounder
from gytbench.grounding.contract import NoSettings, Setup, Stretch, capabilities

SIDE = 64
RED, GREEN, BLUE = (210, 30, 40), (20, 190, 60), (30, 40, 200)


@pytest.fixture
def grounder():
    return SaliencyGrounder(NoSettings(), Setup())


def _clip(colour, top, left, side, brightness=1.0):
    """One frame: a square of one colour on a coarse texture of browns."""
    texture = np.random.default_rng(1).integers(90, 160, (SIDE // 2, SIDE // 2, 1))
    frame = np.repeat(np.repeat(texture, 2, axis=0), 2, axis=1) * [1.0, 0.9, 0.75]
    frame[top : top + side, left : left + side] = colour
    return (frame * brightness).astype(np.uint8)[None]


def _peak(heatmap):
    """The middle of the highest cell in pixels, down and right."""
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    cell = SIDE / len(heatmap)
    return (row + 0.5) * cell, (column + 0.5) * cell


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE, (250, 250, 250)])
@pytest.mark.parametrize(
    ("top", "left", "side"), [(8, 40, 10), (45, 5, 14), (30, 30, 6), (0, 0, 9)]
)
def test_odd_coloured_square_is_found(grounder, colour, top, left, side):
    (heatmap,) = grounder.encode(_clip(colour, top, left, side)[None])["map"]
    down, right = _peak(heatmap)
    assert top <= down <= top + side
    assert left <= right <= left + side
    assert heatmap.min() >= 0


def test_colour_stands_out_at_equal_brightness(grounder):
    frame = np.full((SIDE, SIDE, 3), (150, 90, 120), dtype=np.uint8)
    frame[20:30, 44:54] = (90, 150, 120)
    (heatmap,) = grounder.encode(frame[None, None])["map"]
    down, right = _peak(heatmap)
    assert 20 <= down <= 30
    assert 44 <= right <= 54


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (10, 201, 77)])
def test_flat_frames_have_no_preference(grounder, colour):
    clips = np.full((2, 1, SIDE, SIDE, 3), colour, dtype=np.uint8)
    assert (grounder.encode(clips)["map"] == 0).all()


def test_brightness_leaves_the_peak(grounder):
    clips = [_clip(RED, 36, 20, 10, brightness) for brightness in (1.0, 0.6, 0.25)]
    bright, *dimmer = grounder.encode(np.stack(clips))["map"]
    assert [_peak(heatmap) for heatmap in dimmer] == [_peak(bright)] * 2
    assert dimmer[1].max() < bright.max()


def test_mirrored_frames_have_mirrored_maps(grounder):
    clip = _clip(BLUE, 8, 40, 10)
    (heatmap,) = grounder.encode(clip[None])["map"]
    for axis in (0, 1):
        (mirrored,) = grounder.encode(np.flip(clip, axis + 1)[None])["map"]
        np.testing.assert_allclose(mirrored, np.flip(heatmap, axis), rtol=1e-4, atol=1e-3)


def test_map_is_centre_against_surround_of_a_frame_mirrored_at_its_borders(grounder):
    grey = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE))
    clip = np.repeat(grey[None, ..., None], 3, axis=-1).astype(np.uint8)
    blurred = []
    for sigma in (1.5, 12.0):
        bell = np.exp(-0.5 * (np.arange(-SIDE, SIDE + 1) / sigma) ** 2)
        image = np.pad(3.0 * grey, SIDE, mode="symmetric")
        for axis in (0, 1):
            image = np.apply_along_axis(np.convolve, axis, image, bell / bell.sum(), "valid")
        blurred.append(image)
    contrast = (blurred[0] - blurred[1]) ** 2
    expected = contrast.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    (heatmap,) = grounder.encode(clip[None])["map"]
    np.testing.assert_allclose(heatmap, expected, rtol=1e-3, atol=1e-2)


def test_features_do_not_depend_on_the_batch(grounder):
    clips = np.stack([_clip(RED, 5 * k, 40, 10) for k in range(5)])
    together = grounder.encode(clips)["map"]
    alone = np.concatenate([grounder.encode(clip[None])["map"] for clip in clips])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert together.dtype == np.float32


def test_query_changes_nothing_and_seconds_are_kept_apart(grounder):
    clips = np.stack([_clip(RED, 10 * k, 40, 10) for k in range(4)])
    stretch = Stretch(grounder.encode(clips), range(20, 24)).part(range(21, 23))
    heatmaps = grounder.heatmaps(stretch, "crack egg")
    assert heatmaps.shape == (2, 32, 32)
    np.testing.assert_array_equal(heatmaps, grounder.heatmaps(stretch, "stir"))
    assert 10 <= _peak(heatmaps[0])[0] <= 20
    assert 20 <= _peak(heatmaps[1])[0] <= 30


def test_looks_at_one_frame_of_each_second(grounder):
    assert grounder.sampling.size == (SIDE, SIDE)
    assert grounder.sampling.frames == 1


def test_says_where_and_not_when():
    assert capabilities(SaliencyGrounder).tasks == ("spatial",)
