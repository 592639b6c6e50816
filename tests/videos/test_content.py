"""Hashes of videos: the same for the same content, whatever lies around it."""

import hashlib
from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.videos import content_hash


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def test_a_file_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a.mp4").write_bytes(content)
    assert content_hash(tmp_path / "a.mp4") == hashlib.sha256(content).hexdigest()


def test_what_counts_of_a_folder(tmp_path: Path) -> None:
    images = {"1.jpg": b"one", "2.PNG": b"two"}
    hashed = content_hash(folder_of(tmp_path / "a", images))
    assert len(bytes.fromhex(hashed)) == 32
    others = {"notes.txt": b"note", ".1.jpg": b"hidden"}
    assert content_hash(folder_of(tmp_path / "b", others | images)) == hashed


@pytest.mark.parametrize(
    "images",
    [
        {"1.jpg": b"one"},
        {"1.jpg": b"two", "2.png": b"one"},
        {"1.jpg": b"one", "3.png": b"two"},
        {"1.jpg": b"onet", "2.png": b"wo"},
        {"1.jpg": b"one", "2.png": b"two", "3.png": b""},
    ],
)
def test_other_images_have_another_hash(tmp_path: Path, images: dict[str, bytes]) -> None:
    first = folder_of(tmp_path / "a", {"1.jpg": b"one", "2.png": b"two"})
    assert content_hash(folder_of(tmp_path / "b", images)) != content_hash(first)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4: no such video file or folder of images"):
        content_hash(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="has no images"):
        content_hash(tmp_path)
