"""Scenes as images and clips."""

import io

import av
import numpy as np
import pytest
from PIL import Image

from gytbench.errors import InputError
from gytbench.scenes import Scene, spread
from gytbench.scenes.captions import PREDICTION, TRUTH, VERDICT_COLOURS, Line, fit
from gytbench.scenes.clips import clip_of
from gytbench.scenes.painting import draw_scene, draw_sheet

from .making import EMPTY, HOSTILE, LONG, TUBES, VIDEO, scene, scenes


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def where(image: Image.Image, colour: str) -> tuple[int, int, int, int]:
    """First and last column and row of the pixels of exactly that colour."""
    rows, columns = np.nonzero((np.asarray(image) == rgb(colour)).all(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def drawn(
    each: Scene, frame: Image.Image | None = None, width: int = 640
) -> tuple[Image.Image, int]:
    """The picture and the row at which its frame begins."""
    image = draw_scene(each, frame, width)
    height = round(width * each.frame[1] / each.frame[0])
    row = (image.height - height) // 3
    return image.crop((0, row, width, row + height)), row


def test_the_box_is_red_and_the_prediction_blue() -> None:
    picture, _ = drawn(scene(heatmap=None))
    assert picture.size == (640, 480)
    assert where(picture, TRUTH) == pytest.approx((100, 100, 300, 300), abs=1)
    assert where(picture, PREDICTION) == pytest.approx((150, 150, 250, 270), abs=1)
    assert picture.getpixel((200, 210)) == rgb(PREDICTION)


def test_sizes_follow_from_the_frame() -> None:
    wide, tall = scene(), scene(frame=(480.0, 640.0))
    assert draw_scene(wide, None, 320).width == 320
    assert {draw_scene(each, None, 320).size for each in (wide, scene(label=LONG))} == {
        draw_scene(wide, None, 320).size
    }
    assert draw_scene(tall, None, 320).height - draw_scene(wide, None, 320).height == 427 - 240 + 1
    assert draw_scene(tall, None, 320).height % 2 == 0
    assert draw_scene(scene(frame=(1.0, 1000.0)), None, 320).height < 1400


def test_the_frame_is_stretched_below() -> None:
    frame = Image.new("RGB", (64, 36), "#00ff00")
    picture, _ = drawn(scene(heatmap=None), frame)
    assert picture.getpixel((600, 440)) == (0, 255, 0)
    assert where(picture, TRUTH) == pytest.approx((100, 100, 300, 300), abs=1)


def test_edges_of_boxes_that_leave_the_frame_show() -> None:
    picture, _ = drawn(scene(true_box=(-50.0, 400.0, 700.0, 640.0), heatmap=None))
    assert where(picture, TRUTH) == pytest.approx((0, 400, 639, 479), abs=2)
    for box in ((480.0, 10.0, 470.0, 20.0), (-9.0, -9.0, -5.0, -5.0)):
        where(drawn(scene(true_box=box, heatmap=None))[0], TRUTH)


def test_heatmaps_and_masks_shade_the_picture() -> None:
    nothing = {"true_box": None, "box": None, "point": None}
    heat, _ = drawn(scene(**nothing))
    blue = [int(heat.getpixel(at)[0]) for at in ((10, 10), (10, 470), (630, 470))]
    assert blue == sorted(blue, reverse=True)
    assert blue[0] > blue[2] + 100
    mask = np.zeros((48, 64), bool)
    mask[:24] = True
    half, _ = drawn(scene(**nothing, mask=mask))
    assert half.getpixel((320, 230)) != half.getpixel((320, 250))
    empty, _ = drawn(scene(**nothing, heatmap=np.zeros((2, 2))))
    assert len(empty.getcolors() or ()) == 1


def test_the_verdict_has_its_colour() -> None:
    for verdict, colour in VERDICT_COLOURS.items():
        image = draw_scene(scene(verdict=verdict), None)
        assert image.getpixel((638, 2)) == rgb(colour)


@pytest.mark.parametrize("width", [40, 320, 640])
def test_long_and_hostile_names_stay_within_the_picture(width: int) -> None:
    for name in (LONG, HOSTILE, "日" * 80):
        hostile = scene(label=name, true_labels=(name, name), video=name)
        image = draw_scene(hostile, None, width)
        row = (image.height - round(width * 0.75)) // 3
        # Nothing is written into the margin of the captions.
        margin = np.asarray(image)[row + round(width * 0.75) :, -5:]
        assert (margin == 255).all()


def test_shortening() -> None:
    assert fit("abcdef", 6, len) == "abcdef"
    assert fit("abc def", 5, len) == "abc…"
    assert fit("abcdef", 0, len) == ""
    assert Line("true: ", "abcdef", " 0.5").fitted(13, len) == "true: ab… 0.5"
    assert Line("true: ", "abcdef", " 0.5").fitted(4, len) == "tru…"


def test_a_sheet_of_a_video_and_of_an_empty_one() -> None:
    laid = scenes(*TUBES)
    chosen = spread(laid[VIDEO], 24)
    sheet = draw_sheet(laid[VIDEO], chosen, [None] * len(chosen))
    assert (sheet.width, len(chosen)) == (4 * 332 + 12, 5)
    for colour in (TRUTH, PREDICTION, VERDICT_COLOURS["false alarm"]):
        where(sheet, colour)
    assert draw_sheet(laid[EMPTY], (), ()).height < 200


def test_a_clip_has_a_frame_for_each_image() -> None:
    images = [draw_scene(scene(second=second), None) for second in range(5)]
    with av.open(io.BytesIO(clip_of(images))) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
        stream = container.streams.video[0]
        assert (len(frames), stream.average_rate) == (5, 2)
        assert stream.codec_context.name in ("h264", "mpeg4")
    assert frames[0].size == images[0].size
    difference = np.abs(np.asarray(frames[4], int) - np.asarray(images[4], int))
    assert difference.mean() < 8


def test_a_clip_of_nothing() -> None:
    with pytest.raises(InputError, match="no clip to write"):
        clip_of([])
