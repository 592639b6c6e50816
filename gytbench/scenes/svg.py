"""A scene as inline SVG, for pages."""

import struct
import zlib
from base64 import b64encode
from html import escape
from unicodedata import east_asian_width

import numpy as np

from gytbench.benchmark import Box
from gytbench.metrics.arrays import Floats
from gytbench.scenes.captions import (
    BLANK,
    HEAT,
    INK,
    PREDICTION,
    TRUTH,
    VERDICT_COLOURS,
    Line,
    clean,
    said_line,
    summary,
    time_line,
    true_line,
)
from gytbench.scenes.model import Scene
from gytbench.scenes.shapes import coarse, drawn_box, drawn_point, opacities, picture_height

_CELLS = 32
"""Cells a side of a drawn heatmap, at most: it is a smooth thing."""

_WIDE = frozenset("mwMW@%&—…")
_PADDING = 4


def scene_svg(scene: Scene, image_href: str | None, width: int) -> str:
    """The scene as one `<svg>` element, `width` CSS pixels across.

    image_href: address of the frame (https:, or data: for a page that stands alone),
    stretched to the annotation frame; None draws on a blank canvas. The truth is a
    solid red box; what is predicted is blue: point, dashed box, shaded heatmap or mask.
    Time and verdict stand above the picture, the labels below it. Without the image
    it takes a few kilobytes; nothing in it refers to ids, so that it can be repeated.
    """
    height = picture_height(scene.frame, width)
    size = max(9.0, min(13.0, width / 22))
    row = round(1.6 * size)
    total = height + 3 * row
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{total}" '
        f'viewBox="0 0 {width} {total}" font-family="system-ui, sans-serif" '
        f'font-size="{size:.4g}">',
        f"<title>{escape(summary(scene))}</title>",
        *_header(scene, width, row, size),
        *_picture(scene, image_href, (width, height), row),
        _caption(true_line(scene), TRUTH, width, row + height + 0.72 * row, size),
        _caption(said_line(scene), PREDICTION, width, 2 * row + height + 0.72 * row, size),
        "</svg>",
    ]
    return "".join(parts)


def text_width(text: str, size: float) -> float:
    """A generous guess at the width of a text, since the reader's font is not known."""
    return size * sum(map(_ems, text))


def _ems(character: str) -> float:
    if east_asian_width(character) in "WF" or character in _WIDE:
        return 1.1
    return 0.75 if character.isupper() else 0.6


def _header(scene: Scene, width: int, row: int, size: float) -> list[str]:
    """Time at the left, verdict in its colour at the right."""
    pill = min(float(width), text_width(scene.verdict, size) + 2 * _PADDING)
    line = Line("", scene.verdict).fitted(pill - 2 * _PADDING, lambda t: text_width(t, size))
    colour = VERDICT_COLOURS[scene.verdict]
    base = 0.72 * row
    return [
        _caption(time_line(scene), INK, width - pill, base, size),
        f'<rect x="{width - pill:.4g}" width="{pill:.4g}" height="{row}" fill="{colour}"/>',
        f'<text x="{width - pill / 2:.4g}" y="{base:.4g}" text-anchor="middle" fill="#fff">'
        f"{escape(line)}</text>",
    ]


def _caption(line: Line, colour: str, width: float, base: float, size: float) -> str:
    text = line.fitted(width - 2 * _PADDING, lambda t: text_width(t, size))
    return f'<text x="{_PADDING}" y="{base:.5g}" fill="{colour}">{escape(text)}</text>'


def _picture(scene: Scene, href: str | None, size: tuple[int, int], top: int) -> list[str]:
    """The frame and what is drawn on it, in a viewport that cuts off what leaves the frame."""
    width, height = size
    across, down = scene.frame
    pixel = across / width
    whole = f'width="{across:.6g}" height="{down:.6g}"'
    parts = [
        f'<svg y="{top}" width="{width}" height="{height}" viewBox="0 0 {across:.6g} {down:.6g}" '
        f'preserveAspectRatio="none"><rect {whole} fill="{BLANK}"/>'
    ]
    if href is not None:
        parts.append(_image(escape(clean(href)), whole))
    heat = opacities(scene)
    if heat is not None:
        parts.append(_image(_png(coarse(heat, _CELLS)), whole))
    if scene.true_box is not None:
        parts.append(_rect(drawn_box(scene.true_box, scene.frame, 1.5 * pixel), TRUTH, pixel))
    if scene.box is not None:
        parts.append(_rect(drawn_box(scene.box, scene.frame, 1.5 * pixel), PREDICTION, pixel, True))
    if scene.point is not None:
        x, y = drawn_point(scene.point, scene.frame)
        parts.append(
            f'<circle cx="{x:.5g}" cy="{y:.5g}" r="{5 * pixel:.4g}" fill="{PREDICTION}" '
            f'stroke="#fff" stroke-width="{1.5 * pixel:.4g}"/>'
        )
    return [*parts, "</svg>"]


def _image(href: str, whole: str) -> str:
    return f'<image href="{href}" {whole} preserveAspectRatio="none"/>'


def _rect(box: Box, colour: str, pixel: float, dashed: bool = False) -> str:
    """A line of 2.5 pixels over a paler one, which keeps it apart from a frame of its colour."""
    x1, y1, x2, y2 = box
    place = f'x="{x1:.5g}" y="{y1:.5g}" width="{x2 - x1:.5g}" height="{y2 - y1:.5g}" fill="none"'
    dashes = f' stroke-dasharray="{7 * pixel:.4g} {4 * pixel:.4g}"' if dashed else ""
    return (
        f'<rect {place} stroke="#fff" stroke-opacity=".7" stroke-width="{4 * pixel:.4g}"/>'
        f'<rect {place} stroke="{colour}" stroke-width="{2.5 * pixel:.4g}"{dashes}/>'
    )


def _png(opacity: Floats) -> str:
    """Opacities as a data: address of a small PNG in the colour of predictions.

    Written by hand: pages are made where Pillow is not installed.
    """
    rows, columns = opacity.shape
    pixels = np.empty((rows, columns, 4), dtype=np.uint8)
    pixels[..., :3] = tuple(bytes.fromhex(PREDICTION[1:]))
    pixels[..., 3] = np.round(255 * HEAT * opacity)
    # Each row begins with the number of its filter: 0, none.
    lines = np.hstack((np.zeros((rows, 1), np.uint8), pixels.reshape(rows, -1)))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)
    return "data:image/png;base64," + b64encode(content).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
