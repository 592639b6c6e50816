"""`gytbench run-baseline`: files that are valid and can be scored."""

import json
from pathlib import Path

import pytest

from gytbench.bounds import BOUNDS
from gytbench.predictions import TASKS, load_predictions

from .conftest import Run

DONE = [(name, task) for name, bound in BOUNDS.items() for task in bound.tasks]
NOT_DONE = [(n, task) for n, bound in BOUNDS.items() for task in TASKS if task not in bound.tasks]


@pytest.mark.parametrize(("name", "task"), DONE)
def test_every_baseline_writes_a_valid_file_that_is_scored(
    run: Run, data: Path, tmp_path: Path, name: str, task: str
) -> None:
    path = tmp_path / "preds.json"
    code, out, err = run("run-baseline", name, "--task", task, "-o", path, "--data", data)
    assert (code, err) == (0, "")
    read = load_predictions(path)
    assert out == f"{len(read.tubes)} tubes for the task {task} in {path}\n"
    assert read.tubes
    assert (read.task, read.model["name"]) == (task, name)
    assert run("validate", path, "--data", data).code == 0
    code, out, err = run("evaluate", path, "--data", data, "--json", "-")
    assert (code, err) == (0, "")
    first = next(iter(json.loads(out)["metrics"].values()))
    assert first is not None
    if name == "oracle-instance":
        assert first == 1


@pytest.mark.parametrize(("name", "task"), NOT_DONE)
def test_a_task_that_a_baseline_does_not_do(
    run: Run, data: Path, tmp_path: Path, name: str, task: str
) -> None:
    path = tmp_path / "preds.json"
    code, out, err = run("run-baseline", name, "--task", task, "-o", path, "--data", data)
    assert (code, out) == (2, "")
    assert f"error: {name} does the task {' or '.join(BOUNDS[name].tasks)}, not '{task}'\n" == err
    assert not path.exists()


def test_without_a_task_the_first_that_the_baseline_does(
    run: Run, data: Path, tmp_path: Path
) -> None:
    for name, task in (("centre", "spatial"), ("random", "st"), ("oracle-time", "st")):
        path = tmp_path / f"{name}.json"
        assert run("run-baseline", name, "-o", path, "--data", data).code == 0
        assert load_predictions(path).task == task


@pytest.mark.parametrize("form", [".json.gz", ".jsonl", ".jsonl.gz", ".parquet"])
def test_the_suffix_chooses_the_form(run: Run, data: Path, tmp_path: Path, form: str) -> None:
    plain, path = tmp_path / "plain.json", tmp_path / f"preds{form}"
    for target in (plain, path):
        assert run("run-baseline", "centre", "-o", target, "--data", data).code == 0
    assert load_predictions(path).tubes == load_predictions(plain).tubes


def test_the_chosen_ground_truth_is_the_one_that_is_answered(
    run: Run, data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "preds.json"
    options = ("--classes", "step", "--subset", "3to20", "--data", data)
    assert (
        run("run-baseline", "oracle-instance", "--task", "spatial", "-o", path, *options).code == 0
    )
    assert [(t.instance, t.label) for t in load_predictions(path).tubes] == [(5, "pour_it")]
    path = tmp_path / "full.json"
    options = ("--boxes", "full", "--data", data)
    assert run("run-baseline", "oracle-instance", "-o", path, *options).code == 0
    boxes = [tube.boxes for tube in load_predictions(path).tubes if tube.video.startswith("bb")]
    assert boxes == [[(1, 1, 2, 2), None]]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("centr -o x.json", "error: no baseline 'centr'; did you mean 'centre'?"),
        ("orakel-time -o x.json", "did you mean 'oracle-time'?"),
        ("zzz -o x.json", "no baseline 'zzz'; `gytbench baselines list` names them all"),
        ("centre", "Missing option '-o'"),
        ("-o x.json", "Missing argument 'NAME'"),
        ("centre -o x.txt", "x.txt: the file name must end in one of .json, .json.gz"),
        ("centre -o .", ".: this is a folder; name the file to write"),
        ("centre -o data", "data: this is a folder; name the file to write"),
        ("centre -o missing/x.json", "missing/x.json: cannot be written: No such file or dir"),
        ("centre -o x.json --boxes y", "known are published, readme, full"),
        ("centre -o x.json --classes y", "known are mining512, step"),
        ("centre -o x.json --subset y", "known are all, 3to20"),
        ("centre -o x.json --task y", "'st', 'spatial', 'temporal'"),
        ("random -o x.json --task temporal --boxes full", "--boxes has no meaning for the task"),
        ("motion -o x.json", "motion grounds videos: name their folder with --videos DIR"),
        ("motio -o x.json", "did you mean 'motion'?"),
        ("oracle-time+motion -o x.json", "name their folder with --videos DIR"),
        ("random -o x.json --set seed=3", "random looks at no video: leave out --set"),
        ("random -o x.json --checkpoint x.pt", "looks at no video: leave out --checkpoint"),
        ("random -o x.json --shard 1/2", "random looks at no video: leave out --shard"),
        ("random -o x.json --tau 0.5", "random looks at no video: leave out --tau"),
        ("random -o x.json --batch-size 16", "looks at no video: leave out --batch-size"),
    ],
)
def test_what_is_wrong_is_one_message(
    run: Run,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: str,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("run-baseline", *args.split(), "--data", data)
    assert (code, out) == (2, "")
    assert told in err
    assert list(tmp_path.iterdir()) == [data]


def test_missing_points_are_named(run: Run, data: Path, tmp_path: Path) -> None:
    (data / "groundingyoutube" / "id2wh.json").unlink()
    path = tmp_path / "preds.json"
    code, out, err = run("run-baseline", "annotators", "-o", path, "--data", data)
    assert (code, out) == (2, "")
    assert "id2wh.json: no such file; `gytbench data fetch` gets it" in err
    assert not path.exists()


def test_an_odd_name_is_printed_on_one_line(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a\nb\x1b[1m.json"
    out = run("run-baseline", "centre", "-o", path, "--data", data).out
    assert out == f"3 tubes for the task spatial in {tmp_path}/a\\nb\\x1b[1m.json\n"
    assert path.exists()
