"""`gytbench world`: videos that are rendered, and what is said of rules that do not serve."""

import json
from pathlib import Path

import pytest

from gytbench import load_benchmark

from .conftest import Run

pytest.importorskip("av")

FEW = ("--train", "2", "--validation", "1", "--test", "1")
RULES = "steps: 1\nstep_seconds: [2, 3]\ngap_seconds: [0, 1]\nclutter: 1\n"


def films(folder: Path) -> int:
    return len(list((folder / "videos").glob("*.mp4")))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_a_world_is_written_and_said_to_be(run: Run, tmp_path: Path, rules: Path) -> None:
    out = tmp_path / "new" / "world"
    code, text, err = run("world", "-o", out, *FEW, "--rules", rules, "--seed", "7")
    assert (code, err) == (0, "")
    assert text == (
        f"2 videos with captions in {out}/train\n"
        f"1 annotated videos in {out}/test, 1 in its validation/\n"
    )
    assert [films(out / part) for part in ("train", "validation", "test")] == [2, 1, 1]
    about = json.loads((out / "world.json").read_text())
    assert (about["seed"], about["rules"]["step_seconds"]) == (7, [2, 3])
    # What is not in the file is as it is by default.
    assert about["rules"]["chatter"] == 0.3
    assert len(load_benchmark(data=out / "test" / "data").instances) == 1
    assert run("data", "stats", "--data", out / "test" / "data").code == 0


def test_the_seed_decides_what_is_told(run: Run, tmp_path: Path, rules: Path) -> None:
    captions = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / name
        assert run("world", "-o", out, *FEW, "--rules", rules, "--seed", seed).code == 0
        captions.append((out / "train" / "captions.json").read_text())
    assert captions[0] == captions[1] != captions[2]
    default = tmp_path / "default"
    assert run("world", "-o", default, *FEW, "--rules", rules).code == 0
    assert (default / "train" / "captions.json").read_text() == captions[0]


def test_a_world_that_is_there_is_left_alone(run: Run, tmp_path: Path, rules: Path) -> None:
    out = tmp_path / "world"
    assert run("world", "-o", out, *FEW, "--rules", rules).code == 0
    code, text, err = run("world", "-o", out, *FEW)
    assert (code, text) == (2, "")
    assert err == f"error: {out}: holds a world already: name another folder\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("step_seconds: [9, 4]", "step_seconds is 9 to 4: the smaller number goes first"),
        ("said: 2", "Expected `float` <= 1.0 - at `$.said`"),
        ("colour: red", "Object contains unknown field `colour`"),
        ("steps: [", "line 2: not YAML: "),
        ("", "Expected `object`, got `null`"),
    ],
)
def test_rules_that_do_not_serve(run: Run, tmp_path: Path, text: str, reason: str) -> None:
    path, out = tmp_path / "mine.yaml", tmp_path / "world"
    path.write_text(f"{text}\n")
    code, _, err = run("world", "-o", out, *FEW, "--rules", path)
    assert code == 2
    assert err.startswith(f"error: {path}: {reason}")
    assert err.count("\n") == 1
    assert not out.exists()


def test_rules_that_are_not_there(run: Run, tmp_path: Path) -> None:
    code, _, err = run("world", "-o", tmp_path / "w", "--rules", tmp_path / "none.yaml")
    assert (code, err) == (2, f"error: {tmp_path}/none.yaml: cannot be read: No such file or "
                              "directory\n")  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [("--train", "0"), ("--test", "100001"), ("--seed", "-1"), ("--seed", 2**32), ("--tset", "1")],
)
def test_options_that_do_not_serve(run: Run, tmp_path: Path, options: tuple[object, ...]) -> None:
    code, text, err = run("world", "-o", tmp_path / "world", *options)
    assert (code, text) == (2, "")
    assert str(options[0]) in err
    assert not (tmp_path / "world").exists()


def test_a_folder_that_cannot_be_written_to(run: Run, tmp_path: Path, rules: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("world", "-o", tmp_path / "file" / "world", *FEW, "--rules", rules)
    assert (code, err) == (2, f"error: {tmp_path}/file/world: cannot be written: Not a directory\n")
    assert run("world", "-o", tmp_path / "file").code == 2
    assert run("world").code == 2
