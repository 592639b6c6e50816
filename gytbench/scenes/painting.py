"""Scenes as images: one, a contact sheet of a video. Needs Pillow."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from gytbench.benchmark import Box
from gytbench.scenes.captions import (
    BLANK,
    HEAT,
    INK,
    PREDICTION,
    TRUTH,
    VERDICT_COLOURS,
    Line,
    Measure,
    clean,
    clock,
    fit,
    said_line,
    time_line,
    true_line,
)
from gytbench.scenes.model import VERDICTS, Scene, VideoScenes
from gytbench.scenes.shapes import drawn_box, drawn_point, opacities, picture_height

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

_COLUMNS = 4
_CELL = 320
"""Pixels across each picture of a sheet."""
_GAP = 12
_PADDING = 6
_DASH, _SPACE = 8, 5
_BAR = 16
_LEGEND = (
    "red box: true    blue: predicted "
    "(dot: point, dashed: box, shade: heatmap or mask, its line: half the maximum)"
)


def draw_scene(scene: Scene, frame: Image.Image | None, width: int = 640) -> Image.Image:
    """The scene, `width` pixels across: the picture between a strip of time and verdict
    and one of the labels, true and predicted.

    frame: of any size, stretched to the annotation frame; None draws on a blank canvas.
    The height follows from `width` and the annotation frame alone, so that scenes of one
    video are all of one size, which is even on both sides, as video encoders want it, if
    `width` is.
    """
    size = (width, picture_height(scene.frame, width))
    font = _font(width)
    row = _row_height(font)
    whole = Image.new("RGB", (width, _even(size[1] + 3 * row)), "white")
    whole.paste(_picture(scene, frame, size), (0, row))
    draw = ImageDraw.Draw(whole)
    _header(draw, scene, font, (width, row))
    for number, (line, colour) in enumerate(
        ((true_line(scene), TRUTH), (said_line(scene), PREDICTION))
    ):
        _write(draw, line, colour, (_PADDING, row + size[1] + number * row), width, font)
    return whole


def side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    """Images of one height in a row."""
    return _grid(images, len(images))


def draw_sheet(
    video: VideoScenes, scenes: Sequence[Scene], frames: Iterable[Image.Image | None]
) -> Image.Image:
    """A contact sheet: what the video came to, its time line, and scenes of it with frames."""
    pictures = [
        draw_scene(scene, frame, _CELL) for scene, frame in zip(scenes, frames, strict=True)
    ]
    grid = _grid(pictures, _COLUMNS) if pictures else None
    width = max(2 * (_CELL + _GAP), grid.width if grid else 0)
    head = _head(video, width)
    whole = Image.new("RGB", (width, head.height + (grid.height if grid else 0)), "white")
    whole.paste(head, (0, 0))
    if grid:
        whole.paste(grid, (0, head.height))
    return whole


def _grid(images: Sequence[Image.Image], columns: int) -> Image.Image:
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    width, height = images[0].size
    grid = Image.new(
        "RGB", (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP), "white"
    )
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        grid.paste(image, (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP)))
    return grid


def _picture(scene: Scene, frame: Image.Image | None, size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, BLANK) if frame is None else frame.convert("RGB").resize(size)
    scale = (size[0] / scene.frame[0], size[1] / scene.frame[1])
    _shade(picture, scene)
    draw = ImageDraw.Draw(picture)
    line = max(2, round(size[0] / 200))
    if scene.true_box is not None:
        _outline(draw, _scaled(scene.true_box, scale, size), TRUTH, line)
    if scene.box is not None:
        _outline(draw, _scaled(scene.box, scale, size), PREDICTION, line, dashed=True)
    if scene.point is not None:
        x, y = drawn_point(scene.point, scene.frame)
        _dot(picture, (x * scale[0], y * scale[1]), max(5, round(size[0] / 90)))
    return picture


def _shade(picture: Image.Image, scene: Scene) -> None:
    """The heatmap or mask over the whole picture, with a line where it reaches half its maximum."""
    heat = opacities(scene)
    if heat is None:
        return
    how = Image.Resampling.BILINEAR if scene.mask is None else Image.Resampling.NEAREST
    shade = Image.fromarray(np.round(255 * heat).astype(np.uint8)).resize(picture.size, how)
    whole = (0, 0, *picture.size)
    picture.paste(PREDICTION, whole, shade.point(lambda value: value * HEAT))
    region = shade.point(lambda value: 255 if value >= 128 else 0)
    outside = ImageChops.invert(region)
    picture.paste(
        "white", whole, ImageChops.multiply(region.filter(ImageFilter.MaxFilter(3)), outside)
    )
    picture.paste(
        PREDICTION, whole, ImageChops.multiply(outside.filter(ImageFilter.MaxFilter(3)), region)
    )


def _scaled(box: Box, scale: tuple[float, float], size: tuple[int, int]) -> Box:
    """The box in pixels of the picture, with room for its line."""
    x1, y1, x2, y2 = box
    across, down = scale
    pixels = (x1 * across, y1 * down, x2 * across, y2 * down)
    return drawn_box(pixels, (size[0] - 1, size[1] - 1), 1)


def _outline(
    draw: ImageDraw.ImageDraw, box: Box, colour: str, line: int, dashed: bool = False
) -> None:
    """The box's edges, over a white line that keeps them apart from the picture."""
    x1, y1, x2, y2 = (round(value) for value in box)
    draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline="white", width=line + 2)
    if not dashed:
        draw.rectangle((x1, y1, x2, y2), outline=colour, width=line)
        return
    inner = line - 1
    for x in range(x1, x2 + 1, _DASH + _SPACE):
        until = min(x + _DASH, x2)
        for y in (y1, max(y1, y2 - inner)):
            draw.rectangle((x, y, until, min(y + inner, y2)), fill=colour)
    for y in range(y1, y2 + 1, _DASH + _SPACE):
        until = min(y + _DASH, y2)
        for x in (x1, max(x1, x2 - inner)):
            draw.rectangle((x, y, min(x + inner, x2), until), fill=colour)


def _dot(picture: Image.Image, centre: tuple[float, float], radius: int) -> None:
    """A blue dot with a white rim; the masks are drawn large and made small, for smooth edges."""
    left, top = round(centre[0]) - radius - 2, round(centre[1]) - radius - 2
    for colour, within in (("white", 0), (PREDICTION, 2)):
        mask = _disc(2 * radius + 5, within)
        picture.paste(colour, (left, top, left + mask.width, top + mask.height), mask)


@cache
def _disc(side: int, within: int) -> Image.Image:
    large = Image.new("L", (8 * side, 8 * side), 0)
    edge = 8 * within
    ImageDraw.Draw(large).ellipse((edge, edge, 8 * side - 1 - edge, 8 * side - 1 - edge), fill=255)
    return large.resize((side, side), Image.Resampling.BOX)


@cache
def _font(width: int) -> Font:
    """The font that Pillow brings along, in a size for pictures of that width."""
    return ImageFont.load_default(max(10, min(18, round(width / 24))))


def _measure(font: Font) -> Measure:
    return font.getlength


def _row_height(font: Font) -> int:
    return round(1.25 * (font.getbbox("Ågjy")[3])) + 4


def _even(number: int) -> int:
    return number + number % 2


def _write(
    draw: ImageDraw.ImageDraw,
    line: Line,
    colour: str,
    place: tuple[int, int],
    right: float,
    font: Font,
) -> None:
    """A caption from `place`, the top left of its row, to `right` at most."""
    text = line.fitted(right - _PADDING - place[0], _measure(font))
    middle = place[1] + _row_height(font) / 2
    draw.text((place[0], middle), text, fill=colour, font=font, anchor="lm")


def _header(draw: ImageDraw.ImageDraw, scene: Scene, font: Font, size: tuple[int, int]) -> None:
    """Time at the left, verdict in its colour at the right."""
    width, row = size
    text = fit(scene.verdict, width - 2 * _PADDING, _measure(font))
    pill = width - font.getlength(text) - 2 * _PADDING
    draw.rectangle((pill, 0, width, row - 1), fill=VERDICT_COLOURS[scene.verdict])
    draw.text((pill + _PADDING, row / 2), text, fill="white", font=font, anchor="lm")
    _write(draw, time_line(scene), INK, (_PADDING, 0), pill, font)


def _head(video: VideoScenes, width: int) -> Image.Image:
    """Name, counts, legend and time line of a video."""
    font, large = _font(360), _font(480)
    row, top = _row_height(font), _row_height(large)
    bars = 3 * (_BAR + 4)
    head = Image.new("RGB", (width, _GAP + top + 2 * row + 6 + bars + row), "white")
    draw = ImageDraw.Draw(head)
    _write(draw, Line("", clean(video.video)), INK, (_GAP, _GAP), width, large)
    _counts(draw, video, (_GAP, _GAP + top), width, font)
    _write(draw, Line("", _LEGEND), INK, (_GAP, _GAP + top + row), width, font)
    _time_line(draw, video, (_GAP, _GAP + top + 2 * row + 6), width - _GAP, font)
    return head


def _counts(
    draw: ImageDraw.ImageDraw, video: VideoScenes, place: tuple[int, int], right: int, font: Font
) -> None:
    """How many seconds have each verdict, behind a square of its colour in the time line,
    which leaves the background out."""
    x, y = place
    side = _row_height(font) // 2
    top = y + (_row_height(font) - side) // 2
    for name, count in video.counts.items():
        text = f"{count:,} {name}"
        if count and name != "background" and x < right:
            draw.rectangle((x, top, x + side, top + side), fill=VERDICT_COLOURS[name])
            _write(draw, Line("", text), INK, (x + side + 5, y), right, font)
            x += round(side + 21 + font.getlength(text))


def _time_line(
    draw: ImageDraw.ImageDraw, video: VideoScenes, place: tuple[int, int], right: int, font: Font
) -> None:
    """Three bars over the video's time: what is true, what was said, what it came to."""
    left, top = place
    begin = left + round(max(font.getlength(name) for name in ("true", "said", "came to"))) + 8
    end = max(
        [
            1.0,
            *(run.end for run in video.truth),
            *(run.end for run in video.predicted),
            *(video.seconds[-1:] + 1),
        ]
    )
    scale = (right - begin) / end
    rows = (
        ("true", 2, [(run.start, run.end, TRUTH) for run in video.truth]),
        ("said", 2, [(run.start, run.end, PREDICTION) for run in video.predicted]),
        ("came to", 1, _verdict_runs(video)),
    )
    for number, (name, gap, runs) in enumerate(rows):
        y = top + number * (_BAR + 4)
        draw.text((left, y + _BAR / 2), name, fill=INK, font=font, anchor="lm")
        draw.rectangle((begin, y, right, y + _BAR - 1), fill="#f0f0f0")
        for start, stop, colour in runs:
            x1, x2 = begin + start * scale, begin + stop * scale
            # A gap of one pixel, so that neighbours of one colour can be told from each other.
            draw.rectangle((x1, y, max(x1, x2 - gap), y + _BAR - 1), fill=colour)
    y = top + len(rows) * (_BAR + 4)
    draw.text((begin, y), "0:00", fill=INK, font=font)
    draw.text((right, y), clock(int(end)), fill=INK, font=font, anchor="ra")


def _verdict_runs(video: VideoScenes) -> list[tuple[float, float, str]]:
    """Seconds in a row with one verdict, with its colour; background is left out."""
    if not video.seconds.size:
        return []
    other = np.diff(video.verdicts, prepend=-1) != 0
    new = np.flatnonzero(other | (np.diff(video.seconds, prepend=-1) > 1))
    last = np.append(new[1:], video.seconds.size) - 1
    return [
        (float(video.seconds[a]), float(video.seconds[b]) + 1, VERDICT_COLOURS[VERDICTS[verdict]])
        for a, b, verdict in zip(new, last, video.verdicts[new].tolist(), strict=True)
        if VERDICTS[verdict] != "background"
    ]
