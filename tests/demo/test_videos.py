"""Videos of the demo: something moves where the annotations say, and nowhere else."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.demo import write_annotations, write_videos
from gytbench.demo.videos import RATE
from gytbench.errors import InputError


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    data = tmp_path_factory.mktemp("data")
    write_annotations(data)
    return load_benchmark(data=data)


@pytest.fixture(scope="module")
def videos(benchmark: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_videos(benchmark, folder / "made" / "here")
    return folder / "made" / "here"


def pixels(path: Path) -> np.ndarray:
    """All frames: frames x height x width x 3."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_the_same_bytes_every_time(benchmark: Benchmark, videos: Path, tmp_path: Path) -> None:
    write_videos(benchmark, tmp_path)
    for path in videos.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("video", ["demo-eggs_1", "demo_tall-1"])
def test_the_disc_swings_about_the_annotated_point(
    benchmark: Benchmark, videos: Path, video: str
) -> None:
    frames = pixels(videos / f"{video}.mp4").astype(float)
    rows, columns = np.mgrid[: frames.shape[1], : frames.shape[2]]
    disc = (np.abs(frames - (235, 200, 60)) < 60).all(axis=-1)
    # The last frame shows the background alone.
    changed = (np.abs(frames - frames[-1]) > 40).any(axis=-1)
    points = {p.second: p for p in benchmark.points if p.video == video}
    acting = {s for i in benchmark.instances if i.video == video for s in i.seconds()}
    assert acting & points.keys()
    for number in range(len(frames)):
        point = points.get(number // RATE)
        if point is None or number // RATE not in acting:
            assert not changed[number].any()
            continue
        # Annotations are in frames of 640x480, the videos a quarter of that.
        x, y = point.x / 4 + (5 if number % 2 else -5), point.y / 4
        distance = np.hypot(columns - x, rows - y)
        assert disc[number][distance < 7].mean() > 0.9
        assert not changed[number][distance > 12].any()


def test_the_background_lies_still(videos: Path) -> None:
    frames = pixels(videos / "demo-eggs_1.mp4").astype(int)
    # A disc covers a small share of the frame; only compression moves the rest, and little.
    changed = np.abs(np.diff(frames, axis=0)).max(axis=-1) > 40
    assert changed.mean(axis=(1, 2)).max() < 0.05


def test_a_folder_that_cannot_be_made_is_named(benchmark: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be made: File exists"):
        write_videos(benchmark, tmp_path / "file")


def test_without_pyav_it_says_how_to_get_it(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"needs PyAV: pip install 'gytbench\[video\]'"):
        write_videos(benchmark, tmp_path / "videos")
    assert not (tmp_path / "videos").exists()
