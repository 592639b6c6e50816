"""Motion finds what moves, on a still background and on one that a camera pans over."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from gytbench.grounding.adapters.motion import MotionGrounder
from gytbench.grounding.contract import NoSettings, Setup, Stretch, capabilities

WIDTH, HEIGHT = 96, 72
SIDE = 16


@pytest.fixture
def grounder():
    return MotionGrounder(NoSettings(), Setup())


@pytest.fixture(scope="module")
def scenery():
    """Part of a photograph, larger than the frame."""
    return load_sample_image("china.jpg")[::3, ::3]


def _clip(scenery, start, step, pan=(0, 0), brightness=1.0):
    """A square that moves by a step a frame, over scenery that moves by `pan`; down, right."""
    texture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3))
    frames = []
    for time in (-1, 0, 1):
        top, left = 30 + pan[0] * time, 50 + pan[1] * time
        frame = scenery[top : top + HEIGHT, left : left + WIDTH].copy()
        down, right = start[0] + step[0] * time, start[1] + step[1] * time
        frame[down : down + SIDE, right : right + SIDE] = texture
        frames.append(frame)
    return (np.stack(frames) * brightness).astype(np.uint8)


def _peak(heatmap):
    """The middle of the highest cell in pixels, down and right."""
    rows, columns = heatmap.shape
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    return (row + 0.5) * HEIGHT / rows, (column + 0.5) * WIDTH / columns


def _on_square(heatmap, start):
    return all(low <= place <= low + SIDE for place, low in zip(_peak(heatmap), start, strict=True))


@pytest.mark.parametrize("pan", [(0, 0), (0, 7), (-4, -9), (5, 3)])
@pytest.mark.parametrize(
    ("start", "step"), [((28, 40), (5, 9)), ((8, 70), (4, -8)), ((50, 16), (-6, 0))]
)
def test_moving_square_is_found_where_it_is(grounder, scenery, pan, start, step):
    clip = _clip(scenery, start, step, pan)
    (heatmap,) = grounder.encode(clip[None])["map"]
    assert heatmap.min() >= 0
    assert _on_square(heatmap, start)


def test_camera_alone_is_no_motion(grounder, scenery):
    panned = _clip(scenery, (28, 40), (5, 9), (0, 7))
    still = panned.copy()
    for time in (-1, 0, 1):
        still[time + 1] = scenery[30 : 30 + HEIGHT, 50 + 7 * time : 50 + 7 * time + WIDTH]
    moving, background = grounder.encode(np.stack([panned, still]))["map"]
    assert background.max() == 0
    assert moving.max() > 20


def test_repeated_last_frame_leaves_the_motion_before_it(grounder, scenery):
    clip = _clip(scenery, (28, 40), (5, 9))
    clip[2] = clip[1]
    (heatmap,) = grounder.encode(clip[None])["map"]
    down, right = _peak(heatmap)
    # Somewhere on its path from the first frame to the second.
    assert 23 <= down <= 28 + SIDE
    assert 31 <= right <= 40 + SIDE


def test_change_of_light_is_no_motion(grounder, scenery):
    frame = scenery[:HEIGHT, :WIDTH] // 2
    clip = np.stack([frame, frame + 20, frame + 60])
    assert grounder.encode(clip[None])["map"].max() < 1e-4


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (10, 200, 77)])
def test_flat_frames_have_no_preference(grounder, colour):
    clips = np.full((2, 3, HEIGHT, WIDTH, 3), colour, dtype=np.uint8)
    maps = grounder.encode(clips)["map"]
    assert (maps == maps[0, 0, 0]).all()


def test_brightness_leaves_the_peak(grounder, scenery):
    clips = [_clip(scenery, (28, 40), (5, 9), (0, 7), brightness) for brightness in (1.0, 0.6, 0.3)]
    bright, *dimmer = grounder.encode(np.stack(clips))["map"]
    assert [_peak(heatmap) for heatmap in dimmer] == [_peak(bright)] * 2
    assert dimmer[1].max() < bright.max()


def test_features_do_not_depend_on_the_batch(grounder, scenery):
    clips = np.stack([_clip(scenery, (20 + 3 * k, 40), (5, 9), (0, k)) for k in range(5)])
    together = grounder.encode(clips)["map"]
    alone = np.concatenate([grounder.encode(clip[None])["map"] for clip in clips])
    np.testing.assert_array_equal(together, alone)
    assert together.dtype == np.float32


def test_query_changes_nothing_and_seconds_are_kept_apart(grounder, scenery):
    clips = np.stack([_clip(scenery, (10 + 8 * k, 40), (5, 9)) for k in range(4)])
    stretch = Stretch(grounder.encode(clips), range(20, 24)).part(range(21, 23))
    heatmaps = grounder.heatmaps(stretch, "crack egg")
    assert heatmaps.shape == (2, 18, 24)
    np.testing.assert_array_equal(heatmaps, grounder.heatmaps(stretch, "stir"))
    assert _on_square(heatmaps[0], (18, 40))
    assert _on_square(heatmaps[1], (26, 40))


def test_looks_half_a_second_before_and_after(grounder):
    sampling = grounder.sampling
    times = [(index - sampling.lead) / sampling.fps for index in range(sampling.frames)]
    assert times == [-0.5, 0, 0.5]
    assert sampling.size == (WIDTH, HEIGHT)


def test_says_where_and_not_when():
    assert capabilities(MotionGrounder).tasks == ("spatial",)
