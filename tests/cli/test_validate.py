"""`gytbench validate`: counts, then every fault."""

import json
from pathlib import Path

import pytest

from gytbench.predictions import faults

from .conftest import Run, predictions, tube


def test_a_valid_file(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(), tube(start=0, end=9.5))
    assert run("validate", path, "--data", data) == (
        0,
        f"{path}: valid for the task st; 2 tubes over 13 seconds\n",
        "",
    )


def test_all_faults_with_counts_the_most_frequent_first(
    run: Run, data: Path, tmp_path: Path
) -> None:
    wrong = [tube(label="?")] * 3 + [tube(), tube(end=1, video="x", score=2)]
    path = predictions(tmp_path, *wrong)
    code, out, err = run("validate", path, "--data", data)
    assert (code, err) == (2, "")
    assert out.splitlines()[:3] == [
        "3 x unknown label",
        "1 x unknown video",
        "1 x end not after start",
    ]
    assert [line.partition(" ")[2].partition(" ")[0] for line in out.splitlines()[3:]] == [
        "$.tubes[4].video:",
        "$.tubes[0].label:",
        "$.tubes[1].label:",
        "$.tubes[2].label:",
        "$.tubes[4].end:",
    ]


def test_faults_of_structure_are_listed_too(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, {"video": "a"}, tube(score="x"), tube(), None)
    code, out, err = run("validate", path, "--data", data)
    assert (code, err) == (2, "")
    assert out.splitlines() == [
        "3 x missing key",
        "2 x wrong type",
        f"{path}: $.tubes[0]: the key `label` is missing",
        f"{path}: $.tubes[0]: the key `start` is missing",
        f"{path}: $.tubes[0]: the key `end` is missing",
        f"{path}: $.tubes[1].score: expected number, got string",
        f"{path}: $.tubes[3]: must be an object, not null",
    ]


def test_thousands_of_faults_are_all_listed(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, *[tube(label="?")] * 3000)
    lines = run("validate", path, "--data", data).out.splitlines()
    assert lines[0] == "3,000 x unknown label"
    assert len(lines) == 1 + 3000
    lines = run("validate", path, "--data", data, "--limit", 2).out.splitlines()
    assert lines[0] == "3,000 x unknown label"
    assert lines[3:] == ["and 2,998 more; without --limit all are listed"]
    lines = run("validate", path, "--data", data, "--limit", 3000).out.splitlines()
    assert len(lines) == 1 + 3000


def test_a_list_that_was_cut_says_so(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "MAX_FAULTS", 5)
    path = predictions(tmp_path, *[tube(label="?")] * 9)
    lines = run("validate", path, "--data", data).out.splitlines()
    assert lines[:2] == ["5 x unknown label", "1 x not listed"]
    assert lines[-1] == f"{path}: more faults follow: only 5 are listed"


def test_the_task_decides_what_is_asked(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube())
    assert run("validate", path, "--data", data).code == 0
    code, out, _ = run("validate", path, "--data", data, "--task", "spatial")
    assert code == 2
    assert out.startswith("1 x no instance\n")


def test_the_ground_truth_decides_what_is_known(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(instance=0), task="spatial")
    assert run("validate", path, "--data", data).code == 0
    # The class is no step of the instance; the subset counts its instances anew.
    assert "says 'crack_egg'" in run("validate", path, "--data", data, "--classes", "step").out
    assert "no instance 0 in the" in run("validate", path, "--data", data, "--subset", "3to20").out


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.json", "no such file"),
        ("folder.json", "this is a folder; name the prediction file"),
        (
            "preds.txt",
            "the file name must end in one of .json, .json.gz, .jsonl, .jsonl.gz, .parquet",
        ),
    ],
)
def test_files_that_are_none(run: Run, data: Path, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.json").mkdir()
    code, out, err = run("validate", tmp_path / name, "--data", data)
    assert (code, err) == (2, "")
    assert out == f"1 x fault\n{tmp_path / name}: {reason}\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--boxes x", "known are published, readme, full"),
        ("--classes x", "known are mining512, step"),
        ("--subset x", "known are all, 3to20"),
        ("--task temporal --boxes readme", "--boxes has no meaning for the task 'temporal'"),
        ("--task x", "'st', 'spatial', 'temporal'"),
        ("--limit 0", "0 is not in the range"),
        ("--limit -5", "-5 is not in the range"),
        ("--data nowhere", "gytbench data fetch"),
    ],
)
def test_options_that_are_wrong(
    run: Run, data: Path, tmp_path: Path, options: str, told: str
) -> None:
    path = predictions(tmp_path, tube(label="?"))
    code, out, err = run("validate", path, "--data", data, *options.split())
    assert (code, out) == (2, "")
    assert told in err


def test_control_characters_are_printed_as_escapes(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(label="\x1b[31mred\nnext"), name="a\nb.json")
    code, out, _ = run("validate", path, "--data", data)
    assert code == 2
    assert len(out.splitlines()) == 2
    assert r"a\nb.json: $.tubes[0].label: unknown label '\x1b[31mred\nnext'" in out


def test_lines_are_named_by_their_number(run: Run, data: Path, tmp_path: Path) -> None:
    header = {"format": "gytbench-predictions/1", "task": "st"}
    path = tmp_path / "preds.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (header, tube(), tube(end=1))))
    out = run("validate", path, "--data", data).out
    assert out.splitlines()[1].startswith(f"{path}: line 3: $.end: the tube ends at 1 s")
