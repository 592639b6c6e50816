"""Which frames are asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.collection import Task, list_tasks
from gytbench.errors import InputError
from gytbench.videos import FrameSource, open_frames

from ..videos.making import write_image


def folder(path: Path, *names: str) -> FrameSource:
    for name in names or [f"{second}.png" for second in range(10)]:
        write_image(path / name)
    return open_frames(path)


def segments(path: Path, **videos: Any) -> Path:
    rows = {
        video: [
            {"segment": [first, last], "id": i, "sentence": sentence}
            for i, (first, last, sentence) in enumerate(rows)
        ]
        for video, rows in videos.items()
    }
    file = path / "seg.json"
    file.write_text(json.dumps(rows))
    return file


@pytest.fixture
def source(tmp_path: Path) -> FrameSource:
    (tmp_path / "video").mkdir()
    return folder(tmp_path / "video")


def test_every_second(source: FrameSource) -> None:
    assert list_tasks(source).tasks == tuple(Task(second, None) for second in range(10))
    assert [task.second for task in list_tasks(source, every=4).tasks] == [0, 4, 8]


def test_the_names_of_images(tmp_path: Path) -> None:
    names = ("7_Pour it", "7_crack_eggs", "20_fry")
    source = folder(tmp_path, *(f"aaaaaaaaaaa_{name}.jpg" for name in names))
    assert set(list_tasks(source).tasks) == {
        Task(7, "pour_it"),
        Task(7, "crack_eggs"),
        Task(20, "fry"),
    }


def test_segments(tmp_path: Path, source: FrameSource) -> None:
    rows = [(2, 4, "Crack eggs"), (4, 4, "pour"), (3, 4, "crack eggs"), (8, 11, "fry")]
    tasks, without_frame = list_tasks(source, segments(tmp_path, video=rows))
    steps = [(2, "crack_eggs"), (3, "crack_eggs"), (4, "crack_eggs"), (4, "pour")]
    assert tasks == (*(Task(*step) for step in steps), Task(8, "fry"), Task(9, "fry"))
    assert without_frame == 2


def test_each_second_second_of_a_segment(tmp_path: Path, source: FrameSource) -> None:
    file = segments(tmp_path, video=[(1, 5, "a"), (6, 9, "b")])
    assert [task.second for task in list_tasks(source, file, 2).tasks] == [1, 3, 5, 6, 8]


def test_a_video_that_the_segments_lack(tmp_path: Path, source: FrameSource) -> None:
    file = segments(tmp_path, vidoe=[(1, 2, "a")])
    with pytest.raises(InputError, match=r"has no video 'video'; did you mean vidoe\?"):
        list_tasks(source, file)


def test_segments_beyond_the_video(tmp_path: Path, source: FrameSource) -> None:
    file = segments(tmp_path, video=[(50, 10_000_000, "a")])
    with pytest.raises(InputError, match="which has seconds 0 to 9"):
        list_tasks(source, file)


def test_segments_that_are_malformed(tmp_path: Path, source: FrameSource) -> None:
    (tmp_path / "seg.json").write_text('{"video": [{"segment": [1], "id": 0, "sentence": "a"}]}')
    with pytest.raises(InputError, match=r'seg\.json: \$\["video"\]\[0\]\.segment'):
        list_tasks(source, tmp_path / "seg.json")
