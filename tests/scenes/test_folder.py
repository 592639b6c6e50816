"""Frames of a video for as long as there are any."""

from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.scenes.folder import Frames, VideoFolder
from tests.videos.making import grey, level, steady, write_image, write_video


def test_frames_of_a_video_and_a_note_of_those_it_lacks(tmp_path: Path) -> None:
    write_video(tmp_path / "one.mp4", steady(3))
    frames = Frames(VideoFolder(tmp_path), "one")
    found = list(frames.at([0, 2, 2, 7]))
    assert [image and level(image, -1, -1) for image in found] == pytest.approx(
        [grey(0), grey(2), grey(2), None], abs=4
    )
    assert frames.notes == ["has no frame of 1 of the seconds shown"]


def test_no_folder_no_video_and_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    assert list(Frames(None, "one").at([1, 2])) == [None, None]
    missing, broken = (Frames(VideoFolder(tmp_path), video) for video in ("one", "broken"))
    assert list(missing.at([1])) == list(broken.at([1])) == [None]
    assert missing.notes == ["no video of it in the folder"]
    assert "cannot be decoded as a video" in broken.notes[0]
    with pytest.raises(InputError, match="cannot be read"):
        VideoFolder(tmp_path / "absent")


def test_a_frame_that_breaks_on_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    for second in range(3):
        write_image(folder / f"one_{second}.jpg", second, (640, 480))
    content = (folder / "one_1.jpg").read_bytes()
    (folder / "one_1.jpg").write_bytes(content[: len(content) // 2])
    frames = Frames(VideoFolder(tmp_path), "one")
    first, *others = frames.at([0, 1, 2])
    assert first is not None
    assert others == [None, None]
    assert len(frames.notes) == 1
    assert "cannot be decoded as an image" in frames.notes[0]
