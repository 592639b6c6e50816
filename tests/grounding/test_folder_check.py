"""A folder of real small videos against a benchmark made for them."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gytbench.benchmark import Benchmark, ClassMap, Cues, FrameClock, Instance
from gytbench.errors import InputError
from gytbench.grounding.folder_check import (
    UNUSABLE,
    USABLE,
    VideoState,
    check_videos,
    native_sizes,
    other_files,
)
from tests.videos.making import steady, write_image, write_sound, write_video

VIDEO = "aaaaaaaaaaa"
FRAME, NATIVE = (64, 48), (128, 72)


def benchmark(*videos: str, last: int = 3, cue: float = 0, box: int = 0) -> Benchmark:
    """Each video annotated to the second `last`, and further by a cue or a box."""
    cues = tuple(Instance(v, 0, 0, cue, "pour_it", "pour_it") for v in videos if cue)
    return Benchmark(
        classes=ClassMap("mining512", ("pour_it",), {"pour_it": 0}),
        frames=dict.fromkeys(videos or [VIDEO], FRAME),
        instances=tuple(
            Instance(video, 0, 1, last + 1, "pour_it", "pour_it") for video in videos or [VIDEO]
        ),
        boxes={video: {box: (0, 0, 9, 9)} for video in videos if box},
        read_cues=lambda: Cues("local", cues),
    )


def state(folder: Path, **options: float) -> VideoState:
    """That of the one video."""
    [found] = check_videos(folder, benchmark(VIDEO, **options), {VIDEO: NATIVE})  # type: ignore[arg-type]
    return found


def test_a_video_as_the_original(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), NATIVE)
    assert state(tmp_path) == VideoState(
        VIDEO, "ok", "", (f"{VIDEO}.mp4",), NATIVE, NATIVE, last_second=3, annotated_to=3
    )


def test_frames_are_counted_into_seconds(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), NATIVE)
    # Frame 75, the last, is shown at (75 - 1) / 25 s; frame 76 at second 3.
    clock = FrameClock(25.0, first=1)
    for last, second in ((75, 2), (76, 3), (101, 4)):
        made = replace(benchmark(VIDEO, last=last), dataset="daly", clocks={VIDEO: clock})
        [found] = check_videos(tmp_path, made, native_sizes(made))
        assert found.annotated_to == second
        assert found.state == ("too short" if second > 3 else "no size known")


def test_the_frames_of_vhico_are_the_originals() -> None:
    made = replace(benchmark(VIDEO), dataset="vhico")
    assert native_sizes(made) == {VIDEO: FRAME}


def test_nothing_of_it(tmp_path: Path) -> None:
    found = state(tmp_path)
    assert (found.state, found.usable, found.files) == ("missing", False, ())
    assert found.reason == f"no {VIDEO}.* and no folder {VIDEO} of images"


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((64, 36), "other size"),
        ((126, 72), "other size"),
        ((124, 72), "other aspect"),
        (FRAME, "stretched"),
        ((128, 96), "other aspect"),
    ],
)
def test_sizes(tmp_path: Path, size: tuple[int, int], expected: str) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), size)
    found = state(tmp_path)
    assert found.state == expected
    told = "is {}x{}, but the original is 128x72".format(*size)
    assert found.reason == (told if expected == "other aspect" else "")


def test_a_rotation_flag_is_applied(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), (72, 128), turned=90)
    assert state(tmp_path).state == "ok"
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), NATIVE, turned=90)
    assert state(tmp_path).reason == "is 72x128, but the original is 128x72"


def test_a_video_without_an_original_size(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), (90, 30))
    [found] = check_videos(tmp_path, benchmark(), {})
    assert (found.state, found.usable, found.size) == ("no size known", True, (90, 30))


@pytest.mark.parametrize(
    ("options", "last"), [({}, 3), ({"cue": 4.5}, 4), ({"cue": 5.0}, 4), ({"box": 6}, 6)]
)
def test_annotated_to(tmp_path: Path, options: dict[str, float], last: int) -> None:
    path = tmp_path / f"{VIDEO}.mp4"
    write_video(path, steady(last), NATIVE)
    found = state(tmp_path, **options)
    assert (found.state, found.last_second, found.annotated_to) == ("too short", last - 1, last)
    assert found.reason == f"its last second is {last - 1}, but it is annotated to {last}"
    write_video(path, steady(last + 1), NATIVE)
    assert state(tmp_path, **options).state == "ok"


def test_too_short_and_of_another_aspect(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(2), (90, 30))
    found = state(tmp_path)
    assert found.state == "too short"
    assert found.reason.endswith("is annotated to 3; is 90x30, but the original is 128x72")


def test_a_video_without_annotation_is_never_too_short(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mp4", steady(1), NATIVE)
    empty = Benchmark(benchmark().classes, {VIDEO: FRAME}, (), {})
    assert check_videos(tmp_path, empty, {VIDEO: NATIVE})[0].state == "ok"


@pytest.mark.parametrize(
    ("suffix", "expected"), [("mp4", "cannot be decoded"), ("mkv", "too short")]
)
def test_a_file_cut_off(tmp_path: Path, suffix: str, expected: str) -> None:
    """An MP4 has its index at the end; a Matroska file can be read as far as it goes."""
    path = write_video(tmp_path / f"{VIDEO}.{suffix}", steady(10), NATIVE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = state(tmp_path, last=9)
    assert (found.state, found.usable) == (expected, False)


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / f"{VIDEO}.mp4").write_text("<html>not found</html>")
    write_sound(tmp_path / f"{VIDEO}.mov")
    (tmp_path / VIDEO).mkdir()
    found = state(tmp_path)
    assert (found.state, found.doubled) == ("cannot be decoded", "")
    assert found.files == (VIDEO, f"{VIDEO}.mov", f"{VIDEO}.mp4")
    assert found.reason == (
        f"{VIDEO}: has no images (.jpg, .jpeg, .png or .webp); "
        f"{VIDEO}.mov: has no video stream; "
        f"{VIDEO}.mp4: cannot be decoded as a video: Invalid data found when processing input"
    )


def test_a_folder_of_images(tmp_path: Path) -> None:
    inner = tmp_path / VIDEO
    inner.mkdir()
    for second in (1, 2):
        write_image(inner / f"{VIDEO}_{second}_pour_it.jpg", second, NATIVE)
    assert (state(tmp_path).state, state(tmp_path, last=2).state) == ("too short", "ok")


def test_several_files_of_one_video(tmp_path: Path) -> None:
    write_video(tmp_path / f"{VIDEO}.mkv", steady(4), NATIVE)
    write_video(tmp_path / f"{VIDEO}.mp4", steady(2), NATIVE)
    (tmp_path / f"{VIDEO}.description").write_text("an omelette")
    found = state(tmp_path)
    assert (found.state, found.last_second) == ("ok", 3)
    assert found.doubled == f"several files: {VIDEO}.mkv is used, not {VIDEO}.mp4"


def test_a_preview_picture_is_no_video(tmp_path: Path) -> None:
    """Though it would open as a video of one second."""
    write_image(tmp_path / f"{VIDEO}.jpg", 0, NATIVE)
    write_video(tmp_path / f"{VIDEO}.mp4", steady(4), NATIVE)
    found = state(tmp_path)
    assert (found.state, found.last_second, found.doubled) == ("ok", 3, "")


def test_every_video_and_other_files(tmp_path: Path) -> None:
    write_video(tmp_path / "b.mp4", steady(4), NATIVE)
    for name in (".hidden", "c.mp4", "b.info.json"):
        (tmp_path / name).touch()
    truth = benchmark("b", "a")
    found = check_videos(tmp_path, truth, {"b": NATIVE})
    assert [(each.video, each.state) for each in found] == [("a", "missing"), ("b", "ok")]
    assert other_files(tmp_path, truth) == ["b.info.json", "c.mp4"]


def test_every_state_is_usable_or_not() -> None:
    assert len({*USABLE, *UNUSABLE}) == 8


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: cannot be read: No such file or directory"):
        state(tmp_path / "none")


@pytest.mark.parametrize("missing", ["av", "PIL"])
def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r"needs PyAV and Pillow: pip install 'gytbench\[video\]'"):
        state(tmp_path)
