"""Frames as small pictures that a page can carry in itself."""

import io
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDTH = 320
"""Pixels across a picture."""

_QUALITY = 70


def data_address(image: "Image", size: tuple[float, float]) -> str:
    """The image as a JPEG in a data: address, in the shape of its annotation frame (w, h)."""
    content = io.BytesIO()
    height = max(1, min(round(_WIDTH * size[1] / size[0]), 4 * _WIDTH))
    image.resize((_WIDTH, height)).save(content, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + b64encode(content.getvalue()).decode()
