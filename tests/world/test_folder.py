"""A narrated world as files: what reads them reads the stories that were told."""

import json
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from gytbench import load_benchmark
from gytbench.benchmark import Benchmark
from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, score
from gytbench.predictions import TASKS, Predictions, Task
from gytbench.training.config import Data
from gytbench.training.narrations import read_narrations
from gytbench.world import folder as module
from gytbench.world.painting import RATE, box, frames
from gytbench.world.rules import STEPS, Rules
from gytbench.world.stories import Story, tell

from .making import SHORT, world

SEED = 3
KINDS = {"train": 0, "validation": 1, "test": 2}
COUNTS = {"train": 2, "validation": 1, "test": 2}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world(tmp_path_factory.mktemp("world"), SHORT, SEED, **COUNTS)


@pytest.fixture(scope="module")
def benchmark(written: Path) -> Benchmark:
    return load_benchmark(data=written / "test" / "data")


def told(part: str, number: int) -> Story:
    return tell(SHORT, np.random.default_rng([SEED, KINDS[part], number]))


def videos(part: str) -> list[tuple[str, Story]]:
    return [(f"world-{number:05}", told(part, number)) for number in range(COUNTS[part])]


def files(folder: Path) -> dict[str, bytes]:
    """By name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_the_same_seed_gives_the_same_files(written: Path, tmp_path: Path) -> None:
    again = files(world(tmp_path / "again", SHORT, SEED, **COUNTS))
    assert again == files(written)
    other = files(world(tmp_path / "other", SHORT, SEED + 1, **COUNTS))
    assert other.keys() == again.keys()
    for name in ("train/captions.json", "test/data/groundingyoutube/seg.json"):
        assert other[name] != again[name]


def test_more_videos_leave_the_others_as_they_are(written: Path, tmp_path: Path) -> None:
    more = world(tmp_path, SHORT, SEED, train=3, validation=2, test=3)
    before, after = files(written), files(more)
    cues = [name for name in before if name.endswith(".srt")]
    assert len(cues) == COUNTS["validation"] + COUNTS["test"]
    assert all(before[name] == after[name] for name in cues)
    for name in ("train/captions.json", "test/data/groundingyoutube/seg.json"):
        few, many = json.loads(before[name]), json.loads(after[name])
        assert len(many) == len(few) + 1
        assert {video: many[video] for video in few} == few


def test_parts_have_videos_of_their_own(written: Path) -> None:
    films = [path.read_bytes() for path in written.rglob("*.mp4")]
    assert len(films) == len(set(films)) == sum(COUNTS.values())


@pytest.mark.parametrize("part", COUNTS)
def test_a_video_shows_its_story(written: Path, part: str) -> None:
    for name, story in videos(part):
        with av.open(str(written / part / "videos" / f"{name}.mp4")) as container:
            stream = container.streams.video[0]
            assert float(stream.duration * stream.time_base) == pytest.approx(story.seconds)
            assert stream.codec_context.name == "h264"
            seen = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        painted = list(frames(story))
        assert len(seen) == len(painted) == story.seconds * RATE
        for one, other in zip(seen, painted, strict=True):
            assert np.abs(one.astype(int) - other).mean() < 6


def test_the_narrations_are_those_that_training_reads(written: Path) -> None:
    data = Data(videos="train/videos", captions="train/captions.json")
    narrated = read_narrations(data, written)
    assert not narrated.left_out_lines()
    assert narrated.videos == tuple(name for name, _ in videos("train"))
    for index, (_, story) in enumerate(videos("train")):
        read = [(n.start, n.end, n.text) for n in narrated.narrations(index)]
        assert sorted(read) == [tuple(said) for said in story.said]
        assert read


def test_a_silent_world_has_no_narration_to_train_on(tmp_path: Path) -> None:
    silent = Rules(said=0, chatter=0, steps=1, step_seconds=(2, 2), gap_seconds=(0, 1))
    world(tmp_path, silent, train=1, validation=1, test=1)
    with pytest.raises(InputError, match="no narration is left"):
        read_narrations(Data(videos="train/videos", captions="train/captions.json"), tmp_path)


def test_the_benchmark_has_every_step_with_its_boxes(benchmark: Benchmark) -> None:
    expected = [
        (name, act.step, act.start, act.end) for name, story in videos("test") for act in story.acts
    ]
    for found in (benchmark.instances, benchmark.cues):
        assert [(i.video, i.step, i.start, i.end) for i in found] == expected
    for name, story in videos("test"):
        boxes = {
            second: tuple(4 * value for value in box(act, second))
            for act in story.acts
            for second in range(act.start, act.end)
        }
        assert benchmark.boxes[name] == boxes
        assert benchmark.frames[name] == (640, 480)


@pytest.mark.parametrize("boxes", ["published", "readme", "full"])
def test_every_release_of_boxes_is_there(written: Path, boxes: str) -> None:
    read = load_benchmark(data=written / "test" / "data", boxes=boxes)
    seconds = {i.video: 0 for i in read.instances}
    for instance in read.instances:
        seconds[instance.video] += len(instance.seconds())
    assert {video: len(found) for video, found in read.boxes.items()} == seconds


def test_every_step_of_the_world_is_a_class_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "write_video", lambda *_: None)
    rules = Rules(steps=100, step_seconds=(2, 2), gap_seconds=(0, 0), clutter=0, tools_about=0)
    world(tmp_path, rules, train=1, validation=1, test=2)
    read = load_benchmark(data=tmp_path / "test" / "data")
    labels = {i.step: i.label for i in read.instances}
    assert set(labels) == {f"{verb}_{thing}" for verb, thing in STEPS}
    assert len(set(labels.values())) == len(STEPS)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_truth_scores_all_there_is(written: Path, part: str, task: Task) -> None:
    truth = load_benchmark(data=written / part / "data")
    tubes = BOUNDS["oracle-instance"].predict(truth, task)
    result = score(Predictions(task, tubes, {}), truth, Protocol(task))
    assert result.metrics
    assert set(result.metrics.values()) == {1.0}


def test_what_it_was_made_by_is_told(written: Path) -> None:
    about = json.loads((written / "world.json").read_text())
    assert {name: about[name] for name in ("seed", *COUNTS)} == {"seed": SEED, **COUNTS}
    assert about["rules"]["step_seconds"] == [2, 4]


def test_it_is_told_of_each_video(tmp_path: Path) -> None:
    times = []
    rules = Rules(steps=1, step_seconds=(2, 2), gap_seconds=(0, 0))
    module.write_world(
        tmp_path, rules, 1, train=1, validation=1, test=2, told=lambda: times.append(1)
    )
    assert len(times) == 4


def test_a_whole_world_is_not_written_over(written: Path) -> None:
    before = files(written)
    with pytest.raises(InputError) as caught:
        world(written, SHORT, SEED + 1)
    assert str(caught.value) == f"{written}: holds a world already: name another folder"
    assert files(written) == before


def test_an_interrupted_world_is_made_whole(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_video", interrupted)
    with pytest.raises(KeyboardInterrupt):
        world(tmp_path, SHORT, SEED, **COUNTS)
    assert not (tmp_path / "world.json").exists()
    monkeypatch.undo()
    world(tmp_path, SHORT, SEED, **COUNTS)
    assert files(tmp_path) == files(written)
    assert (tmp_path / "world.json").exists()
    with av.open(str(tmp_path / "train" / "videos" / "world-00000.mp4")) as container:
        assert next(container.decode(video=0))


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: cannot be written: (File exists|Not a dir)"):
        world(tmp_path / "file")
    (tmp_path / "held" / "train" / "videos" / "world-00000.mp4").mkdir(parents=True)
    with pytest.raises(InputError, match=r"world-00000.mp4: cannot be written: Is a dir"):
        world(tmp_path / "held")


def test_without_pyav_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"needs PyAV: pip install 'gytbench\[video\]'"):
        world(tmp_path)
    assert not (tmp_path / "world.json").exists()
