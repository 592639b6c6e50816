"""`gytbench train`: real videos, a real network, a folder of weights that ground videos."""

import csv
import shlex
from pathlib import Path

import pytest
import yaml

from gytbench.predictions import load_predictions
from tests.grounding.making import make_ground
from tests.models.clips import small_vit, written

from ..cli.conftest import Printed, Run, run  # noqa: F401
from ..videos.making import steady, write_video
from .narrating import narrated

SMALL = {
    "kind": "vit",
    "width": 64,
    "layers": [1],
    "patch": 8,
    "grid": 2,
    "embedding": 32,
    "text_width": 64,
    "text_layers": 1,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five narrated videos, of which one is no video, and CLIP's weights."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "videos").mkdir()
    for number in range(4):
        write_video(folder / "videos" / f"v{number}.mp4", steady(8, 4), (48, 32))
    said = {f"v{number}": [(1.0, 4.0, "crack eggs"), (3.0, 6.0, "pour it")] for number in range(4)}
    narrated(folder, {**said, "broken": [(0.0, 3.0, "nothing")]})
    written(small_vit(), folder / "ViT.pt")
    return folder


def configured(world: Path, name: str, **parts: object) -> Path:
    values = {
        "data": {"videos": "videos", "captions": "captions.csv", "frames": 4},
        "model": {"backbone": "small", "small": SMALL},
        "selection": {"keep": 2},
        "optimisation": {"batch_size": 2, "epochs": 2, "warmup_steps": 1},
        "workers": 0,
        **parts,
    }
    path = world / f"{name}.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def log(out: Path) -> list[dict[str, str]]:
    with (out / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_trains_and_prints_the_command_that_grounds_videos(
    run: Run,  # noqa: F811
    world: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    out = tmp_path / "a run"
    config = configured(world, "small")
    done = run("train", config, "-o", out, "--set", "optimisation.epochs=3")
    assert done.code == 0, done
    *lines, last = done.out.splitlines()
    assert lines == [
        f"6 steps done; {out}/log.csv has each",
        f"weights in {out}/head.pth.tar",
        f"weights in {out}/backbone.pt",
    ]
    assert f"1 sample could not be read and had substitutes; see {out}/failed.csv" in done.err
    assert f"{world}/videos/broken.mp4" in (out / "failed.csv").read_text()
    assert len(log(out)) == 6
    assert list((out / "tensorboard").iterdir())

    ground = make_ground(tmp_path_factory.mktemp("ground"))
    line = shlex.split(last.removeprefix("to use them: "))
    assert line[:3] == ["gytbench", "run-baseline", "global-local-clip"]
    given = {"DIR": ground.videos, "preds.json": tmp_path / "preds.json"}
    used = run(*(given.get(word, word) for word in line[1:]), "--data", ground.data)
    assert used.code == 0, used
    assert load_predictions(tmp_path / "preds.json").tubes

    again = run("train", config, "-o", out, "--set", "optimisation.epochs=3")
    assert again.code == 0
    assert again.out.splitlines()[0] == f"6 steps done, 0 of them now; {out}/log.csv has each"
    assert "goes on after step 6 of 6 (as of epoch0003.pth.tar)" in again.err

    changed = run("train", config, "-o", out)
    assert changed.code == 2
    assert "optimisation.epochs 3, now 2" in changed.err


def test_features_of_a_frozen_backbone_are_kept_for_the_next_run(
    run: Run,  # noqa: F811
    world: Path,
    tmp_path: Path,
) -> None:
    whole = {"crop": "stretch", "flip": False, "keep": "features"}
    kept = {"videos": "videos", "captions": "captions.csv", "frames": 4, **whole}
    model = {"backbone": "clip", "weights": "ViT.pt"}
    config = configured(world, "kept", data=kept, model=model, tensorboard=False)
    given = ("--kept", tmp_path / "features", "--set", "loss.local=0")
    first = run("train", config, "-o", tmp_path / "one", *given)
    assert first.code == 0, first
    assert f"--file backbone={world}/ViT.pt" in first.out
    assert "--set where=global" in first.out
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "features").iterdir()}
    assert len(files) == 4
    second = run("train", config, "-o", tmp_path / "two", *given)
    assert second.code == 0, second
    again = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "features").iterdir()}
    assert again == files
    losses = [[row["loss"] for row in log(tmp_path / name)] for name in ("one", "two")]
    assert losses[0] == losses[1]
    assert "broken.mp4" in (tmp_path / "one" / "failed.csv").read_text()


def refused(printed: Printed, *words: str) -> bool:
    """Whether a command ended as one that was told something wrong does: one line, no more."""
    lines = printed.err.splitlines()
    return (
        printed.code == 2
        and len(lines) == 1
        and lines[0].startswith("error: ")
        and all(word in lines[0] for word in words)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("optimisation.epoch=3", ["unknown field `epoch`", "optimisation"]),
        ("optimisation.epochs=0", ["`int` >= 1", "optimisation.epochs"]),
        ("title.name=a", ["with --set title.name", "title is no group of values"]),
        ("optimisation.epochs", ["--set takes NAME=VALUE", "optimisation.epochs=3"]),
        (".epochs=1", ["--set takes NAME=VALUE"]),
        ("title='a", ["--set title: ", "not YAML"]),
        ("selection.keep=9", ["selection.keep is 9", "4 frames"]),
        ("data.videos=elsewhere", ["elsewhere"]),
        ("optimisation.batch_size=20", ["20 videos", "there are 5"]),
    ],
)
def test_what_does_not_serve_is_told_in_one_line(
    run: Run,  # noqa: F811
    world: Path,
    tmp_path: Path,
    change: str,
    words: list[str],
) -> None:
    config = configured(world, "refused", title="a")
    printed = run("train", config, "-o", tmp_path / "out", "--set", change)
    assert refused(printed, *words), printed


def test_a_value_given_twice_is_refused(run: Run, world: Path, tmp_path: Path) -> None:  # noqa: F811
    config = configured(world, "twice")
    printed = run("train", config, "-o", tmp_path, "--set", "seed=1", "--set", "seed=2")
    assert refused(printed, "--set gives seed twice")


def test_files_that_are_missing_are_named(run: Run, world: Path, tmp_path: Path) -> None:  # noqa: F811
    assert refused(run("train", tmp_path / "no.yaml", "-o", tmp_path / "out"), "no.yaml", "No such")
    config = configured(world, "lost", model={"backbone": "clip", "weights": "lost.pt"})
    assert refused(run("train", config, "-o", tmp_path / "out"), "lost.pt", "no such file")


def test_an_output_or_a_device_that_cannot_be_is_told(
    run: Run,  # noqa: F811
    world: Path,
    tmp_path: Path,
) -> None:
    config = configured(world, "told")
    (tmp_path / "file").write_text("")
    inside = run("train", config, "-o", tmp_path / "file" / "out")
    assert refused(inside, "file/out", "cannot be made: Not a directory"), inside
    nowhere = run("train", config, "-o", tmp_path / "out", "--device", "nowhere")
    assert refused(nowhere, "the device nowhere cannot be used"), nowhere


def test_the_help_names_what_can_be_given(run: Run) -> None:  # noqa: F811
    printed = run("train", "--help")
    assert printed.code == 0
    for option in ("--output", "--device", "--set", "--kept"):
        assert option in printed.out
