"""The drawings of the narrated world's objects and tools, on a square of side 44."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SIDE = 44


class Shape(NamedTuple):
    """An ellipse in the box of two corners, or a polygon of its corners."""

    corners: Sequence[tuple[float, float]]
    colour: tuple[int, int, int]
    round: bool = False


def _disc(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int]) -> Shape:
    return Shape([(x - rx, y - ry), (x + rx, y + ry)], colour, round=True)


def _block(x1: float, y1: float, x2: float, y2: float, colour: tuple[int, int, int]) -> Shape:
    return Shape([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], colour)


_WOOD = (120, 72, 32)
_STEEL = (205, 212, 220)

SPRITES: dict[str, Sequence[Shape]] = {
    "tomato": [_disc(22, 22, 11, 10, (212, 40, 30)), _block(20, 11, 24, 14, (40, 120, 40))],
    "cucumber": [_disc(22, 22, 16, 6, (40, 130, 50)), _disc(22, 20, 10, 2, (110, 180, 90))],
    "egg": [_disc(22, 22, 8, 11, (250, 246, 235))],
    "cheese": [Shape([(8, 32), (36, 32), (30, 14)], (250, 214, 50)), _disc(26, 27, 3, 3, _WOOD)],
    "onion": [_disc(22, 23, 10, 10, (150, 50, 140)), _block(20, 8, 24, 15, (190, 150, 190))],
    "carrot": [
        Shape([(6, 22), (32, 15), (32, 29)], (240, 130, 20)),
        _disc(35, 22, 4, 5, (50, 140, 40)),
    ],
    "cut": [
        Shape([(8, 30), (28, 12), (32, 16), (14, 34)], _STEEL),
        _block(28, 6, 38, 14, (20, 20, 20)),
    ],
    "put": [_disc(15, 29, 7, 7, _WOOD), Shape([(18, 24), (36, 6), (39, 9), (21, 27)], _WOOD)],
    "add": [
        _disc(14, 30, 5, 6, (60, 150, 240)),
        _disc(24, 22, 5, 6, (60, 150, 240)),
        _disc(31, 12, 5, 6, (60, 150, 240)),
    ],
    "chop": [_block(8, 20, 30, 34, (60, 60, 66)), _block(28, 8, 34, 22, (60, 60, 66))],
    "slice": [
        _block(8, 24, 24, 34, (240, 150, 190)),
        Shape([(18, 26), (36, 6), (39, 9), (22, 28)], (200, 60, 110)),
    ],
    "grate": [
        _block(16, 10, 32, 28, (90, 220, 210)),
        _disc(12, 34, 2, 2, (255, 255, 255)),
        _disc(18, 36, 2, 2, (255, 255, 255)),
        _disc(9, 28, 2, 2, (255, 255, 255)),
    ],
}


def draw(name: str, on: "ImageDraw", scale: int) -> None:
    """A drawing on a square of `SIDE` * scale pixels."""
    for shape in SPRITES[name]:
        corners = [(x * scale, y * scale) for x, y in shape.corners]
        (on.ellipse if shape.round else on.polygon)(corners, fill=shape.colour)
