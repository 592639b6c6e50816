"""Marks on a canvas, that a template writes as SVG with every text escaped."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

WIDTH = 340.0
"""Of every chart, in pixels: what a phone shows at full size."""

_LETTER = 6.6
"""Pixels of a letter of a chart's text, generously."""

SHAPES = {
    "circle": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "triangle": "M0 -5.5L5.2 4.5L-5.2 4.5z",
    "diamond": "M0 -6L5 0L0 6L-5 0z",
    "square": "M-4.2 -4.2H4.2V4.2H-4.2z",
    "bar": "M-1.6 -6.5H1.6V6.5H-1.6z",
}


class Mark(NamedTuple):
    """One SVG element."""

    tag: str
    attributes: Mapping[str, str]
    text: str = ""
    title: str = ""
    """What a pointer that rests on it is told."""


class Key(NamedTuple):
    """One entry of a legend."""

    name: str
    css: str
    shape: str


class Scale(NamedTuple):
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; values outside are moved to the nearer end."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


@dataclass
class Canvas:
    """A chart that is being drawn."""

    title: str
    height: float
    description: str = ""
    """What the chart shows, for who cannot see it."""
    note: str = ""
    keys: tuple[Key, ...] = ()
    width: float = WIDTH
    marks: list[Mark] = field(default_factory=list)

    def rect(self, css: str, x: float, y: float, width: float, height: float) -> None:
        """A rectangle."""
        places = {"x": x, "y": y, "width": max(width, 0), "height": height}
        self._add("rect", css, places)

    def line(self, css: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """A straight line."""
        self._add("line", css, {"x1": x1, "y1": y1, "x2": x2, "y2": y2})

    def text(self, css: str, x: float, y: float, text: str, anchor: str = "start") -> None:
        """A line of text, from, to or around x."""
        self.marks.append(
            Mark("text", {"class": css, "text-anchor": anchor, **_places({"x": x, "y": y})}, text)
        )

    def fitted(self, css: str, x: float, y: float, text: str, space: float) -> None:
        """A line of text from x, cut where it does not fit; the whole is its title."""
        letters = int(space / _LETTER)
        cut = text if len(text) <= letters else text[: letters - 1] + "…"
        attributes = {"class": css, **_places({"x": x, "y": y})}
        self.marks.append(Mark("text", attributes, cut, "" if cut == text else text))

    def marker(self, css: str, shape: str, x: float, y: float, title: str) -> None:
        """A symbol around a place."""
        at = f"translate({_number(x)} {_number(y)})"
        attributes = {"class": css, "d": SHAPES[shape], "transform": at}
        self.marks.append(Mark("path", attributes, title=title))

    def path(self, css: str, places: list[tuple[float, float]]) -> None:
        """A line through places."""
        through = "L".join(f"{_number(x)} {_number(y)}" for x, y in places)
        self.marks.append(Mark("path", {"class": css, "d": f"M{through}"}))

    def _add(self, tag: str, css: str, places: Mapping[str, float]) -> None:
        self.marks.append(Mark(tag, {"class": css, **_places(places)}))


def _places(places: Mapping[str, float]) -> dict[str, str]:
    return {name: _number(value) for name, value in places.items()}


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def room(text: str) -> float:
    """Pixels that a text needs, generously."""
    return len(text) * _LETTER


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from low to high, at most `most` + 1 of them."""
    if not high > low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]
