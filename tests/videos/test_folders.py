"""Folders of images: names, sizes, and images that are broken."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gytbench.errors import InputError
from gytbench.videos import open_frames

from .making import grey, level, write_image

VIDEO = "-1okAud_nAc"


def test_the_released_names(tmp_path: Path) -> None:
    for name in ("101_beat_mixture", "101_crack_eggs", "7_add_2_eggs"):
        write_image(tmp_path / f"{VIDEO}_{name}.jpg", 2)
    source = open_frames(tmp_path)
    assert (source.video, source.size) == (VIDEO, (64, 48))
    assert list(source.seconds) == [7, 101]
    assert source.steps == {7: ["add_2_eggs"], 101: ["beat_mixture", "crack_eggs"]}


def test_plain_names(tmp_path: Path) -> None:
    folder = tmp_path / "my video"
    folder.mkdir()
    names = {1: "1.jpg", 2: "frame_0002.JPEG", 10: "clip_name_x_3_10.png", 12: "a_12.webp"}
    for second, name in names.items():
        write_image(folder / name, second % 10)
    (folder / "notes.txt").touch()
    (folder / "._1.jpg").touch()
    source = open_frames(folder)
    assert source.video == "my video"
    assert list(source.seconds) == [1, 2, 10, 12]
    assert source.steps == {}
    seen = [level(image, -9, -9) for _, image in source.frames([1, 2, 10, 12])]
    assert seen == pytest.approx([grey(1), grey(2), grey(0), grey(2)], abs=3)
    kinds = [source.image(second).content_type for second in source.seconds]
    assert kinds == ["image/jpeg", "image/jpeg", "image/png", "image/webp"]
    assert source.image(10).data == (folder / names[10]).read_bytes()


def test_an_image_on_its_side(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(write_image(tmp_path / "1.png"))
    image.save(tmp_path / "2.jpg", exif=exif)
    (tmp_path / "1.png").unlink()
    source = open_frames(tmp_path)
    assert source.size == (48, 64)
    assert next(source.frames([2]))[1].size == (48, 64)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "has no images"),
        (["cover.jpg"], r"cover\.jpg: its name says no second"),
        (["1.jpg", "01.jpg"], r"1\.jpg: is of the same second as 01\.jpg"),
        (["a_1.jpg", "b_1.png"], r"b_1\.png: is of the same second as a_1\.jpg"),
        ([f"{VIDEO}_1_a.jpg", "aaaaaaaaaaa_1_b.jpg"], "images of several videos"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        write_image(tmp_path / name)
    with pytest.raises(InputError, match=message):
        open_frames(tmp_path)


def test_sizes_that_differ(tmp_path: Path) -> None:
    write_image(tmp_path / "1.jpg")
    write_image(tmp_path / "2.jpg", size=(64, 50))
    with pytest.raises(InputError, match=r"2\.jpg: is 64x50, but 1\.jpg is 64x48"):
        open_frames(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image", b"GIF89a" + bytes(20)])
def test_a_file_that_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1.jpg").write_bytes(content)
    with pytest.raises(InputError, match=r"1\.jpg: cannot be decoded as an image: not a JPEG"):
        open_frames(tmp_path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_an_image_that_is_cut_off(tmp_path: Path, suffix: str) -> None:
    path = write_image(tmp_path / f"1{suffix}", size=(400, 300))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(InputError, match=r"1\.\w+: cannot be decoded as an image"):
        open_frames(tmp_path).image(1)


def test_the_image_is_what_the_file_shows(tmp_path: Path) -> None:
    write_image(tmp_path / "5.png", 5)
    image = Image.open(io.BytesIO(open_frames(tmp_path).image(5).data))
    assert level(image, -9, -9) == grey(5)
