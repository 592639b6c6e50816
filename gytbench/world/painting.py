"""The pictures of the narrated world."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gytbench.world.sprites import SIDE, draw
from gytbench.world.stories import HEIGHT, WIDTH, Act, Item, Story

if TYPE_CHECKING:
    from PIL.Image import Image

RATE = 2
"""Frames a second."""

_FINE = 4
"""Sprites are drawn this many times as large, and made small."""

_REACH = 11
"""Pixels between the middle of the thing and that of the tool that is held to it."""

_SWING = 3
"""Pixels by which the tool moves between two frames."""

_SKIN = (224, 172, 140)
_SLEEVE = (70, 90, 140)

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the video."""


class _Placed(NamedTuple):
    """A sprite and where its upper left corner comes."""

    sprite: "Image"
    x: int
    y: int


def frames(story: Story) -> Iterator[np.ndarray]:
    """The video: RATE frames a second, HEIGHT x WIDTH x 3, uint8 RGB."""
    still = _still(story)
    for number in range(story.seconds * RATE):
        second = number // RATE
        picture = still.copy()
        for idle in story.idle:
            if idle.start <= second < idle.end:
                _arm(picture, idle.x, idle.y)
        for act in story.acts:
            if act.start <= second < act.end:
                _act(picture, act, second, swing=number % RATE > 0)
        yield np.asarray(picture)


def box(act: Act, second: int) -> Box:
    """The smallest box of the thing and the tool in the first frame of a second of a step."""
    corners = [
        (placed.x + x1, placed.y + y1, placed.x + x2, placed.y + y2)
        for placed in _thing_and_tool(act, second, swing=False)
        for x1, y1, x2, y2 in [placed.sprite.getchannel("A").getbbox() or (0, 0, 1, 1)]
    ]
    low = np.min(corners, axis=0)[:2].clip(0)
    high = np.minimum(np.max(corners, axis=0)[2:], (WIDTH, HEIGHT))
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _still(story: Story) -> "Image":
    """The worktop with what lies on it."""
    from PIL import Image

    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shade = (rows / HEIGHT + columns / WIDTH - 1)[..., None] * 20
    pixels = np.clip(np.asarray(story.worktop) + shade, 0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    for item in story.clutter:
        _paste(picture, _placed(item))
    return picture


def _act(picture: "Image", act: Act, second: int, swing: bool) -> None:
    thing, tool = _thing_and_tool(act, second, swing)
    _paste(picture, thing)
    centre = tool.x + tool.sprite.width / 2, tool.y + tool.sprite.height / 2
    _arm(picture, *centre)
    _paste(picture, tool)


def _thing_and_tool(act: Act, second: int, swing: bool) -> tuple[_Placed, _Placed]:
    x, y = act.places[second - act.start]
    thing = _placed(Item(act.thing, x, y, act.size, act.turn))
    shift = _SWING if swing else 0
    tool = _placed(Item(act.verb, x + _REACH + shift, y - _REACH + shift, act.size, 0))
    return thing, tool


def _arm(picture: "Image", x: float, y: float) -> None:
    """A hand at a place, and its arm to the frame's right edge."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    shoulder = (WIDTH + 10, y - 20)
    draw.line([(x + 8, y - 4), shoulder], fill=_SLEEVE, width=12)
    draw.ellipse([x + 2, y - 10, x + 16, y + 4], fill=_SKIN)


def _paste(picture: "Image", placed: _Placed) -> None:
    picture.paste(placed.sprite, (placed.x, placed.y), placed.sprite)


def _placed(item: Item) -> _Placed:
    sprite = _sprite(item.name, round(item.size, 1), round(item.turn / 30) * 30 % 360)
    return _Placed(sprite, round(item.x - sprite.width / 2), round(item.y - sprite.height / 2))


@cache
def _sprite(name: str, size: float, turn: int) -> "Image":
    """RGBA; `turn` in degrees, counterclockwise."""
    from PIL import Image, ImageDraw

    side = round(SIDE * size)
    fine = Image.new("RGBA", (SIDE * _FINE, SIDE * _FINE))
    draw(name, ImageDraw.Draw(fine), _FINE)
    turned = fine.rotate(turn, resample=Image.Resampling.BICUBIC)
    return turned.resize((side, side), Image.Resampling.BOX)
