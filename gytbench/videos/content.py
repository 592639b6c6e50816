"""What tells one video from another: a hash of its content."""

import hashlib
import os
from pathlib import Path

from gytbench.errors import InputError
from gytbench.videos.sources import image_paths


def content_hash(path: Path) -> str:
    """SHA-256 in hex digits of a video: of a file's bytes, or of a folder's images.

    Of a folder count the names and the bytes of its images, by name; other files and
    the folder's own name do not. Needs neither PyAV nor Pillow and decodes nothing.
    Raises `InputError` where the path leads to neither or cannot be read.
    """
    if not path.is_dir():
        return _digest(path).hex()
    total = hashlib.sha256()
    for image in image_paths(path):
        # Digests have one length and names no zero byte, so no two folders read the same.
        total.update(os.fsencode(image.name) + b"\0" + _digest(image))
    return total.hexdigest()


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        reason = "no such video file or folder of images"
        raise InputError(reason, where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
