"""Every system of the package on a real video: from the command to the scored file.

Weights are filled, not trained, so that nothing here says how good a system is; conse
has its real ones.
"""

import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import gytbench
from gytbench.cli.main import main
from gytbench.grounding.features import Looker, Store, Video, Watch
from gytbench.grounding.recipes import WEIGHTS_VARIABLE
from gytbench.grounding.systems import Loaded, Options, Prepared, prepare
from gytbench.predictions import Predictions, Tube, load_predictions
from tests.models.clips import small_vit

from .real import (
    SECONDS,
    VIDEO,
    Real,
    brightest,
    make_real,
    runs_when_unpickled,
    whole_tubes,
    write_trap,
)

TASKS = ("temporal", "spatial", "st")

SAME = 1e-5
"""Scores of other batches, in parts of their largest magnitude."""

CLOSE = 0.01
"""Scores in half precision, in parts of their largest magnitude."""


@dataclass(frozen=True)
class Case:
    """A baseline, with what it is given beside the video."""

    name: str
    given: Callable[[Real], list[str]] = lambda _: []
    tasks: tuple[str, ...] = TASKS
    varied: str = "st"
    """The task that is done in two ways."""
    shown: str = ""
    says: str = ""
    """What it tells before it begins."""


def _vit(real: Real) -> list[str]:
    return real.file("checkpoint", "filled-ViT-B-32.pt")


def _network(real: Real, folder: str) -> list[str]:
    """The files of a network in Hugging Face's layout."""
    config = real.file("config", f"{folder}/config.json")
    return config + real.file("checkpoint", f"{folder}/model.safetensors")


def _set(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


PLACES = ("spatial",)
COMPOSED = ("spatial", "st")

CASES = [
    Case("conse"),
    Case("clip", _vit),
    Case("clip", lambda r: _vit(r) + _set("heatmap=maskclip"), shown="clip-maskclip"),
    Case("clip", lambda r: _vit(r) + _set("heatmap=gradcam"), shown="clip-gradcam"),
    Case("clip-rn50x4", lambda r: r.file("checkpoint", "filled-RN.pt")),
    Case("mil-nce", lambda _: _set("fps=8")),
    Case("comma"),
    Case("comma-clip", lambda r: r.file("backbone", "filled-ViT-B-32.pt")),
    Case("motion", tasks=PLACES, varied="spatial"),
    Case("saliency", tasks=PLACES, varied="spatial"),
    Case(
        "regionclip",
        lambda r: (
            r.file("checkpoint", "small-regionclip.pth") + _set("short_side=64", "max_regions=7")
        ),
        says="regionclip: regions are sliding windows: no proposals and no proposal network "
        "were given\n",
    ),
    Case("owlv2", lambda r: _network(r, "owlv2")),
    Case(
        "grounding-dino",
        lambda r: (
            _network(r, "grounding-dino")
            + r.file("vocabulary", "grounding-dino/vocab.txt")
            + _set("short_side=224", "long_side=448")
        ),
    ),
    Case("exec", lambda _: _set(brightest())),
    Case("exec-tubes", lambda r: _set(whole_tubes(r.weights))),
    Case("mil-nce+motion", lambda _: _set("when.fps=8"), COMPOSED, "spatial"),
    Case("oracle-time+clip", lambda r: _part("where", _vit(r)), COMPOSED, "spatial"),
    Case("clip+saliency", lambda r: _part("when", _vit(r)), COMPOSED, "spatial"),
]
CONSE = CASES[0]


def _part(part: str, options: list[str]) -> list[str]:
    return [word if word.startswith("--") else f"{part}.{word}" for word in options]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("real")
    yield make_real(folder)
    shutil.rmtree(folder)  # it holds much, and pytest keeps the folders of three runs


@dataclass(frozen=True)
class Answers:
    """What a baseline wrote, by task."""

    case: Case
    real: Real
    folder: Path
    written: dict[str, Path] = field(default_factory=dict)

    def path(self, task: str) -> Path:
        """The file for a task, written once: in batches of 7, with features that are kept."""
        if task not in self.written:
            kept = ("--features", self.real.data.parent / "features", "--batch-size", 7)
            self.written[task] = self.write(f"{task}.json", task, *kept)
        return self.written[task]

    def write(self, name: str, task: str, *more: object) -> Path:
        """A file of its own."""
        path = self.folder / name
        case = self.case
        ground(self.real, path, case.name, task, *case.given(self.real), *more, says=case.says)
        return path


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.shown or case.name)
def answers(
    request: pytest.FixtureRequest, real: Real, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Answers]:
    started: dict[str, Loaded] = {}
    start = Prepared.start

    def once(prepared: Prepared) -> Loaded:
        """Weights are read once for all tasks; programs are ended after each."""
        if "exec" in prepared.name:
            return start(prepared)
        key = repr((prepared.name, prepared.description, prepared.setup))
        if key not in started:
            started[key] = start(prepared)
        return started[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prepared, "start", once)
        yield Answers(request.param, real, tmp_path_factory.mktemp("answers"))


def command(*words: object) -> Any:
    """A command's result; anything but an exit code is a traceback, and fails the test."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def ground(real: Real, path: Path, name: str, task: str, *more: object, says: str = "") -> None:
    """Write the predictions; none of the videos may fail."""
    words = ("run-baseline", name, *real.arguments(), "--task", task, "-o", path, *more)
    result = command(*words)
    assert (result.exit_code, result.stderr) == (0, says)
    assert not path.with_name(f"{path.name}.run").exists()


def spoken(tube: Tube) -> list[int]:
    """The seconds that a tube speaks of."""
    return list(tube.times or range(math.floor(tube.start), math.ceil(tube.end)))


def by_second(predictions: Predictions) -> np.ndarray:
    """The best similarity of each second, in the task `st`."""
    scores = np.full(SECONDS, np.nan)
    for tube in predictions.tubes:
        scores[[int(second) for second in spoken(tube)]] = tube.scores or tube.score
    return scores


@pytest.mark.parametrize("task", TASKS)
def test_it_grounds_a_real_video(answers: Answers, task: str) -> None:
    if task not in answers.case.tasks:
        words = (*answers.real.arguments(), *answers.case.given(answers.real))
        result = command(
            "run-baseline",
            answers.case.name,
            *words,
            "--task",
            task,
            "-o",
            answers.folder / "no.json",
        )
        assert result.exit_code == 2
        assert f"{answers.case.name} does the task " in result.stderr
        return
    path, data = answers.path(task), answers.real.data
    checked = command("validate", path, "--data", data)
    assert (checked.exit_code, checked.stderr) == (0, "")
    predictions = load_predictions(path)
    assert (predictions.task, predictions.model["name"]) == (task, answers.case.name)
    metrics = gytbench.evaluate(path, data=data).metrics
    assert next(iter(metrics.values())) is not None
    assert all(0 <= value <= 1 for value in metrics.values() if value is not None)
    _check(predictions, gytbench.load_benchmark(data=data))


def _check(predictions: Predictions, benchmark: gytbench.Benchmark) -> None:
    """Finite scores, the expected seconds, and a point within the frame for each."""
    for tube in predictions.tubes:
        assert np.isfinite([tube.score, *(tube.scores or ())]).all()
        if predictions.task != "temporal":
            assert tube.points is not None
            assert len(tube.points) == len(spoken(tube))
            assert all(point is not None for point in tube.points)
            assert (np.array(tube.points) >= 0).all()
            assert (np.array(tube.points) <= 1).all()
    if predictions.task == "spatial":
        asked = {each.id: list(each.seconds()) for each in benchmark.instances}
        assert {tube.instance: spoken(tube) for tube in predictions.tubes} == asked
    if predictions.task == "temporal":
        said = [benchmark.classes.name_of(tube.label) for tube in predictions.tubes]
        assert said == [cue.label for cue in benchmark.cues]
    if predictions.task == "st":
        said = {benchmark.classes.name_of(tube.label) for tube in predictions.tubes}
        assert said <= {instance.label for instance in benchmark.instances}


def test_batches_and_kept_features_change_nothing(answers: Answers) -> None:
    task = answers.case.varied
    # The tasks before it have kept what it needs, where anything is kept.
    expected = load_predictions(answers.path(task)).tubes
    found = load_predictions(answers.write("alone.json", task, "--batch-size", 1)).tubes
    assert [outline(tube) for tube in found] == [outline(tube) for tube in expected]
    before, after = scores_of(expected), scores_of(found)
    assert np.abs(after - before).max() <= SAME * np.abs(before).max()


def outline(tube: Tube) -> tuple[Any, ...]:
    """All of a tube that must be the same to the last bit."""
    return tube.label, tube.instance, tube.start, tube.end, tube.times, tube.points, tube.boxes


def scores_of(tubes: Sequence[Tube]) -> np.ndarray:
    """All scores in their order."""
    return np.array([score for tube in tubes for score in (tube.score, *(tube.scores or ()))])


def test_kept_features_serve_all_tasks(answers: Answers) -> None:
    """The features of a system are made once; the files made from them are the same."""
    task = answers.case.varied
    kept = answers.real.data.parent / "features"
    # A system that reads the video itself keeps nothing.
    kept.mkdir(exist_ok=True)
    first = answers.path(task)
    stored = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    again = answers.write("again.json", task, "--batch-size", 3, "--features", kept)
    assert again.read_bytes() == first.read_bytes()
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == stored


@pytest.mark.parametrize("answers", [CONSE], indirect=True, ids=["conse"])
def test_conse_sees_what_is_there(answers: Answers) -> None:
    """Its weights are real ones."""
    queries = ["ride bicycle", "crack egg", "play piano"]
    answers.path("st")
    loaded = prepare("conse", Options()).start("st").where
    looker = Looker(store=Store(answers.real.data.parent / "features"))
    video = Video(VIDEO, answers.real.videos / f"{VIDEO}.mp4", Watch())
    scores = loaded.grounder.frame_scores(looker.whole(loaded, video, "st", queries), queries)
    assert scores.mean(axis=0).argmax() == 0


HALVES: dict[str, Callable[[Real], list[str]]] = {
    # Half precision is very slow on a CPU: a small network, and small frames, few a clip.
    "clip": lambda real: real.file("checkpoint", "small-vit.pt"),
    "mil-nce": lambda _: _set("size=32", "frames=8"),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_precision_is_close(real: Real, tmp_path: Path, name: str) -> None:
    whole, half = tmp_path / "whole.json", tmp_path / "half.json"
    ground(real, whole, name, "st", *HALVES[name](real))
    ground(real, half, name, "st", *HALVES[name](real), "--half")
    before, after = (by_second(load_predictions(path)) for path in (whole, half))
    assert np.abs(after - before).max() <= CLOSE * np.abs(before).max()
    assert not np.array_equal(after, before)
    assert load_predictions(half).model["half"] is True


def refused(real: Real, folder: Path, name: str, *more: object) -> str:
    """The message of a run that cannot begin, and that leaves nothing behind."""
    path = folder / "refused.json"
    result = command("run-baseline", name, *real.arguments(), "-o", path, *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert not path.exists()
    return result.stderr


@pytest.mark.parametrize(
    ("name", "role", "file", "told"),
    [
        ("clip", "checkpoint", "s3d_howto100m.pth", "lacks token_embedding.weight"),
        ("clip", "checkpoint", "comma_clip.pth.tar", "lacks token_embedding.weight"),
        ("mil-nce", "checkpoint", "filled-ViT-B-32.pt", "no entry text_module.word_embd.weight"),
        ("mil-nce", "checkpoint", "comma.pth.tar", "lacks 4 entries: fc.weight, fc.bias, "),
        ("comma", "checkpoint", "s3d_howto100m.pth", "(vis_proj_mat, lang_proj_mat, sa_layer)"),
        ("mil-nce", "dictionary", "s3d_howto100m.pth", "give s3d_dict.npy"),
    ],
)
def test_a_file_of_another_system_is_refused(
    real: Real, tmp_path: Path, name: str, role: str, file: str, told: str
) -> None:
    message = refused(real, tmp_path, name, *real.file(role, file))
    assert told in message
    assert str(real.weights / file) in message


def test_all_entries_that_are_missing_are_listed(real: Real, tmp_path: Path) -> None:
    state = small_vit().state_dict()
    for entry in ("visual.ln_post.bias", "ln_final.weight"):
        del state[entry]
    path = tmp_path / "cut.pt"
    torch.save(state, path)
    message = refused(real, tmp_path, "clip", "--file", f"checkpoint={path}")
    assert f"{path}: lacks 2 entries: " in message
    assert "visual.ln_post.bias" in message
    assert "ln_final.weight" in message


@pytest.mark.parametrize(
    ("name", "role", "suffix"),
    [
        ("clip", "checkpoint", ".pt"),
        ("mil-nce", "checkpoint", ".pth"),
        ("mil-nce", "dictionary", ".npy"),
        ("comma", "checkpoint", ".pth.tar"),
        ("comma-clip", "checkpoint", ".pth.tar"),
        ("comma-clip", "backbone", ".pt"),
    ],
)
def test_code_in_a_file_is_not_run(
    real: Real, tmp_path: Path, name: str, role: str, suffix: str
) -> None:
    mark = tmp_path / "it ran"
    trap = write_trap(tmp_path, f"trap{suffix}", mark)
    assert runs_when_unpickled(trap, mark)
    others = {"checkpoint": "comma_clip.pth.tar", "backbone": "filled-ViT-B-32.pt"}
    others = others if name == "comma-clip" else {}
    given = [word for other in others if other != role for word in real.file(other, others[other])]
    message = refused(real, tmp_path, name, *given, "--file", f"{role}={trap}")
    assert str(trap) in message
    if suffix != ".npy":
        assert "would run code" in message
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("clip", ["ViT-B-32.pt", "https://openaipublic.azureedge.net/", "--file checkpoint=PATH"]),
        ("clip-rn50x4", ["RN50x4.pt", "https://openaipublic.azureedge.net/"]),
        ("mil-nce", ["s3d_howto100m.pth", "s3d_dict.npy", "https://www.rocq.inria.fr/"]),
        ("comma", ["comma.pth.tar", "rxtan2/video-grounding-narrations", "s3d_dict.npy"]),
        ("comma-clip", ["comma_clip.pth.tar", "not published", "ViT-B-32.pt"]),
        ("oracle-time+clip", ["ViT-B-32.pt", "https://openaipublic.azureedge.net/"]),
    ],
)
@pytest.mark.parametrize("named", [True, False], ids=["no folder", "none named"])
def test_without_weights_it_says_how_to_get_them(
    real: Real,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    told: list[str],
    named: bool,
) -> None:
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    missing = tmp_path / "missing"
    words = ("--videos", real.videos, "--data", real.data, "-o", tmp_path / "x.json")
    result = command("run-baseline", name, *words, *(("--weights", missing) if named else ()))
    assert (result.exit_code, result.stdout) == (2, "")
    for part in (*told, f"{missing}" if named else WEIGHTS_VARIABLE):
        assert part in result.stderr
    assert not (tmp_path / "x.json").exists()
