"""The MLP of MiningYouTube from files of features to scored tubes."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import gytbench
from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.errors import InputError
from gytbench.grounding.adapters.mining_mlp import MiningMlpGrounder, MiningMlpSettings
from gytbench.grounding.answering import Choices
from gytbench.grounding.contract import Asked, Request, Setup, Stretch, capabilities
from gytbench.grounding.running import run
from gytbench.grounding.systems import Options
from gytbench.grounding.work import Job
from gytbench.models.mining_mlp import MiningMlp
from gytbench.predictions import load_predictions
from tests.models.features import World, write_h5

from ...cli.conftest import Run
from ...cli.conftest import run as command  # noqa: F401
from ..making import make_ground

RATE = 6.0
"""Frames of features a second."""


@dataclass(frozen=True)
class Kitchen:
    """The demo's videos, their features, and a network that was trained on others."""

    folder: Path
    truth: Benchmark
    world: World

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def videos(self) -> Path:
        return self.folder / "videos"

    @property
    def files(self) -> dict[str, Path]:
        return {
            "checkpoint": self.folder / "mlp.pth",
            "dictionary": self.folder / "weakYouTube_dict.txt",
        }

    def options(self, **settings: object) -> Options:
        return Options(self.files, settings)

    def iou(self, path: Path) -> float:
        found = gytbench.evaluate(path, data=self.data).metrics["iou"]
        assert found is not None
        return found


def labels_of(truth: Benchmark, video: str, frames: int) -> list[str]:
    """The true label of each frame of features."""
    labels = ["background"] * frames
    for cue in truth.cues:
        if cue.video == video:
            for frame in range(frames):
                if cue.start <= frame / RATE < cue.end:
                    labels[frame] = cue.label
    return labels


def frames_of(path: Path) -> int:
    """As many frames as the video has seconds."""
    from gytbench.videos import open_frames

    return int((open_frames(path).seconds[-1] + 0.5) * RATE)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    """Trained by the command on videos of its own; the network never saw the demo's."""
    folder = tmp_path_factory.mktemp("kitchen")
    make_ground(folder)
    truth = load_benchmark(data=folder / "data")
    names = sorted({cue.label for cue in truth.cues})
    world = World([*names, "background"])
    for name in ("features", "learned", "labels"):
        (folder / name).mkdir()
    for number in range(4):
        labels = world.sequence(500)
        np.save(folder / "learned" / f"v{number}.npy", world.draw(labels))
        (folder / "labels" / f"v{number}.gt").write_text("\n".join(labels))
    for path in (folder / "videos").iterdir():
        labels = labels_of(truth, path.stem, frames_of(path))
        np.save(folder / "features" / f"{path.stem}.npy", world.draw(labels))
    found = Kitchen(folder, truth, world)
    world.write_dictionary(found.files["dictionary"])
    train(found)
    return found


def train(kitchen: Kitchen) -> None:
    from gytbench.training.frame_labels import LabelledFrames
    from gytbench.training.mining_mlp import MlpTraining, train_mlp
    from gytbench.training.runs import write_tensors

    folder = kitchen.folder
    frames = LabelledFrames(folder / "learned", folder / "labels", kitchen.world.names)
    network = train_mlp(frames, MlpTraining(batch_size=64))
    write_tensors(kitchen.files["checkpoint"], network.state_dict())


def ground(kitchen: Kitchen, path: Path, videos: Path, **settings: object) -> Path:
    job = Job(
        "mining-mlp",
        videos,
        Choices("temporal"),
        kitchen.options(**settings),
        {"data": kitchen.data},
    )
    outcome = run(job, path)
    assert (outcome.failed, outcome.answered) == ({}, len(kitchen.truth.videos))
    return path


def test_it_aligns_videos_that_it_never_saw(kitchen: Kitchen, tmp_path: Path) -> None:
    """By the features alone, and by the features beside the videos."""
    features = kitchen.folder / "features"
    alone = ground(kitchen, tmp_path / "alone.json", features, rate=RATE)
    beside = ground(kitchen, tmp_path / "beside.json", kitchen.videos, features=str(features))
    for path in (alone, beside):
        assert kitchen.iou(path) > 0.8
        assert load_predictions(path).model["grounder"] == "mining-mlp"
    # What knows no more than the order is far from it.
    equal = tmp_path / "equal.json"
    from gytbench.bounds import make_bound
    from gytbench.predictions import save_predictions

    save_predictions(make_bound("uniform-segments", kitchen.truth, "temporal"), equal)
    assert kitchen.iou(equal) < 0.5


def test_both_kinds_of_files_give_the_same(kitchen: Kitchen, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    other = tmp_path / "h5"
    other.mkdir()
    for path in (kitchen.folder / "features").iterdir():
        write_h5(other / f"{path.stem}.h5", np.load(path))
    first = ground(kitchen, tmp_path / "a.json", kitchen.folder / "features", rate=RATE)
    second = ground(kitchen, tmp_path / "b.json", other, rate=RATE)
    assert load_predictions(first).tubes == load_predictions(second).tubes


def test_the_commands(command: Run, kitchen: Kitchen, tmp_path: Path) -> None:  # noqa: F811
    files = [f"--file={role}={path}" for role, path in kitchen.files.items()]
    where = ("--videos", kitchen.folder / "features", "--data", kitchen.data)
    output = tmp_path / "preds.json"
    told = command("run-baseline", "mining-mlp", *files, *where, "-o", output, "--set", "rate=6")
    assert (told.code, told.err) == (0, "")
    assert "for the task temporal" in told.out
    assert command("validate", output, "--data", kitchen.data).code == 0
    failed = command("run-baseline", "mining-mlp", *files, *where, "-o", tmp_path / "none.json")
    assert failed.code == 1
    assert "set their frames a second (--set rate=14.985)" in failed.err
    trained = tmp_path / "own.pth"
    learned = [kitchen.folder / "learned", kitchen.folder / "labels"]
    told = command(
        "train-mlp", *learned, "--dictionary", kitchen.files["dictionary"], "-o", trained
    )
    line = shlex.split(told.out.partition("to use them: ")[2])
    assert line[:5] == ["gytbench", "run-baseline", "mining-mlp", "--checkpoint", str(trained)]


def test_it_says_when_for_another_that_says_where(kitchen: Kitchen, tmp_path: Path) -> None:
    settings = {"when.features": str(kitchen.folder / "features")}
    options = Options({f"when.{r}": p for r, p in kitchen.files.items()}, settings)
    truth = {"data": kitchen.data}
    job = Job("mining-mlp+motion", kitchen.videos, Choices("st"), options, truth)
    path = tmp_path / "st.json"
    assert run(job, path).failed == {}
    metrics = gytbench.evaluate(path, data=kitchen.data).metrics
    # Of its own it knows no background here, so that all seconds of no step are wrong.
    assert (metrics["label_iou"] or 0) > 0.5


# One grounder, by itself


class Heads(MiningMlp):
    """Three classes: the first three numbers of a frame are their log odds."""

    def __init__(self) -> None:
        super().__init__(3)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            for number in range(3):
                # Twice, as the hidden layer knows no negative numbers.
                self.fc.weight[2 * number, number] = 1
                self.fc.weight[2 * number + 1, number] = -1
                head = self.out_fc[number].get_parameter("weight")
                head[1, 2 * number], head[1, 2 * number + 1] = 1, -1


@dataclass(frozen=True)
class Small:
    """Files of a network of three classes, and features to be written."""

    folder: Path

    def made(self, half: bool = False, **settings: object) -> MiningMlpGrounder:
        files = {"checkpoint": self.folder / "mlp.pth", "dictionary": self.folder / "dict.txt"}
        return MiningMlpGrounder(
            MiningMlpSettings(**settings),  # type: ignore[arg-type]
            Setup(files, half=half),
        )

    def write(self, odds: np.ndarray, name: str = "v.npy") -> Path:
        """Features whose log odds are those (frames x 3)."""
        values = np.zeros((2048, len(odds)), dtype=np.float32)
        values[:3] = odds.T
        np.save(self.folder / name, values)
        return self.folder / name


@pytest.fixture
def small(tmp_path: Path) -> Small:
    torch.save(Heads().state_dict(), tmp_path / "mlp.pth")
    (tmp_path / "dict.txt").write_text("crack_egg\nadd_salt\nbackground\n")
    return Small(tmp_path)


def request(path: Path, seconds: int, *queries: str) -> Request:
    asked = [Asked(query, range(seconds)) for query in queries]
    return Request("v", path, range(seconds), "temporal", asked)


def scores(grounder: MiningMlpGrounder, asked: Request) -> np.ndarray:
    stretch = Stretch(grounder.read(asked), asked.seconds)
    return grounder.frame_scores(stretch, [each.query for each in asked.asked])


def test_a_second_is_the_mean_of_the_frames_that_begin_within_it(small: Small) -> None:
    odds = np.random.default_rng(0).normal(0, 3, (7, 3))
    path = small.write(odds)
    grounder = small.made(rate=2.5)
    assert grounder.seconds(path) == range(3)
    found = scores(grounder, request(path, 3, "add salt", "background", "crack egg"))
    each = -np.log1p(np.exp(-odds))[:, [1, 2, 0]]
    # At 2.5 a second the frames begin at 0, .4, .8 | 1.2, 1.6 | 2, 2.4.
    expected = [each[:3].mean(axis=0), each[3:5].mean(axis=0), each[5:].mean(axis=0)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("frames", [3, 4, 5, 50, 74])
def test_beside_a_video_its_frames_are_spread_over_it(small: Small, frames: int) -> None:
    odds = np.repeat(np.arange(frames)[:, None] / frames, 3, axis=1)
    small.write(odds)
    grounder = small.made(features=str(small.folder))
    found = scores(grounder, request(Path("v.mp4"), 3, "add salt"))[:, 0]
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    if frames == 50:
        # 20 frames a second, as the video lasts about 2.5 s.
        parts = [odds[:20, 0], odds[20:40, 0], odds[40:, 0]]
        expected = [-np.log1p(np.exp(-part)).mean() for part in parts]
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_steps_are_scored_by_their_class(small: Small) -> None:
    path = small.write(np.random.default_rng(0).normal(0, 1, (4, 3)))
    asked = request(path, 4, "crack eggs", "crack egg", "add salt")
    found = scores(small.made(rate=1), asked)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    assert (found[:, 0] != found[:, 2]).all()
    with pytest.raises(InputError, match="its dictionary has no class for 'play piano'"):
        small.made(rate=1).read(request(path, 4, "play piano"))


def test_what_does_not_serve_is_told(small: Small) -> None:
    path = small.write(np.zeros((4, 3)))
    for made, asked, told in (
        (small.made(), request(Path("v.mp4"), 3, "add salt"), "v.mp4: is a video: name the folder"),
        (
            small.made(features=str(small.folder)),
            request(Path("v.mp4"), 5, "add salt"),
            "4 frames of features for 5 seconds of video: too few",
        ),
        (
            small.made(features=str(small.folder)),
            request(Path("v.mp4"), 3, "add salt")._replace(video="w"),
            "w: no features: no ",
        ),
    ):
        with pytest.raises(InputError) as caught:
            made.read(asked)
        assert told in str(caught.value)
    with pytest.raises(InputError, match="set their frames a second"):
        small.made().seconds(path)
    np.save(path, np.full((2048, 4), np.nan))
    with pytest.raises(InputError, match="frame 0 has a value that is not finite"):
        small.made(rate=1).read(request(path, 4, "add salt"))


def test_weights_that_are_no_numbers_are_told(small: Small) -> None:
    path = small.write(np.zeros((4, 3)))
    state = torch.load(small.folder / "mlp.pth", weights_only=True)
    state["fc.bias"][0] = torch.nan
    torch.save(state, small.folder / "mlp.pth")
    with pytest.raises(InputError, match="v: the network gives no number"):
        small.made(rate=1).read(request(path, 4, "crack egg"))


def test_what_it_is_started_with_is_checked(small: Small) -> None:
    with pytest.raises(InputError, match="half precision"):
        small.made(half=True)
    with pytest.raises(InputError, match=r"features: .*none is no folder"):
        small.made(features=str(small.folder / "none"))
    for role, told in (("checkpoint", "dictionary"), ("dictionary", "checkpoint")):
        files = {role: small.folder / {"checkpoint": "mlp.pth", "dictionary": "dict.txt"}[role]}
        with pytest.raises(InputError, match=f"needs the file '{told}'"):
            MiningMlpGrounder(MiningMlpSettings(), Setup(files))
    assert capabilities(MiningMlpGrounder).tasks == ("temporal",)


def test_a_long_video_goes_through_in_parts(small: Small) -> None:
    """More frames than are read at once: nothing is lost where parts meet."""
    odds = np.repeat(np.linspace(-3, 3, 9001)[:, None], 3, axis=1)
    found = scores(small.made(rate=30), request(small.write(odds), 301, "add salt"))
    each = -np.log1p(np.exp(-odds[:, 0]))
    expected = [each[at * 30 : at * 30 + 30].mean() for at in range(301)]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4)
