"""Entries of people who mean harm: each is refused, in words, before it costs anything."""

import datetime
import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from gytbench.leaderboard import checking
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.submission import read_submission

from ..cli.conftest import tube
from .entries import ABOUT, checked, content, entry, faults, named, write, yaml_faults


def test_an_entry_that_is_right(board: Board, data: Path) -> None:
    folder = entry(board, citation="@article{a,\n\ttitle = {B}\n}\n", notes="One.\nTwo.")
    found = checked(board, data)
    assert (found.name, found.flags) == ("mine", ())
    assert found.files == {"st": folder / "st.json.gz"}
    assert found.submission == read_submission(folder / "submission.yaml")


# The folder


def test_there_is_no_such_entry(board: Board, data: Path) -> None:
    assert faults(board, data) == ["no such entry"]
    (board.submissions / "mine").mkdir()
    (told,) = faults(board, data)
    assert told.startswith("the folder holds no submission.yaml: `gytbench submit init")


@pytest.mark.parametrize("name", ["../../data", "..", ".", "/etc", "oracle-time", "a/../mine"])
def test_a_name_that_leads_elsewhere(board: Board, data: Path, name: str) -> None:
    entry(board)
    assert len(faults(board, data, name)) == 1


def test_a_folder_that_is_a_link(board: Board, data: Path, tmp_path: Path) -> None:
    away = entry(Board(tmp_path / "aside"))
    (board.submissions / "mine").symlink_to(away)
    assert faults(board, data) == ["must be a folder, not a link or a file"]
    board.submissions.joinpath("mine").unlink()
    board.submissions.rmdir()
    board.submissions.symlink_to(away.parent)
    assert len(faults(board, data)) == 1


@pytest.mark.parametrize("file", ["submission.yaml", "st.json.gz"])
def test_a_link_in_place_of_a_file(board: Board, data: Path, tmp_path: Path, file: str) -> None:
    folder = entry(board)
    (folder / file).rename(tmp_path / file)
    (folder / file).symlink_to(tmp_path / file)
    assert faults(board, data) == [f"{file}: is no plain file: links and folders are not allowed"]


def test_pipes_folders_and_links_to_secrets_are_told_together(board: Board, data: Path) -> None:
    folder = entry(board)
    os.mkfifo(folder / "pipe")
    (folder / "inner").mkdir()
    (folder / "key").symlink_to("/etc/shadow")
    assert [each.partition(":")[0] for each in faults(board, data)] == ["inner", "key", "pipe"]


def test_what_is_not_named_may_not_lie_there(board: Board, data: Path) -> None:
    folder = entry(board)
    (folder / ".gitattributes").write_text("* filter=evil")
    (folder / "run.sh").write_text("rm -rf /")
    assert faults(board, data) == [
        f"{name}: is not named in submission.yaml, and may not lie here"
        for name in (".gitattributes", "run.sh")
    ]


def test_a_name_of_control_characters_is_told_as_escapes(board: Board, data: Path) -> None:
    (entry(board) / "a\n::error::\u202e").write_text("")
    (told,) = faults(board, data)
    assert told.startswith(r"a\n::error::\u202e: is not named")


def test_too_many_files(board: Board, data: Path) -> None:
    folder = entry(board)
    for number in range(checking.MAX_FILES):
        (folder / f"{number}").write_text("")
    assert faults(board, data) == ["holds 12 files, and no more than 10 are allowed"]


def test_more_predictions_than_a_folder_holds(
    board: Board,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert checking.MAX_FOLDER_BYTES == 50 * 2**20
    folder = entry(board)
    with (folder / "st.json.gz").open("r+b") as file:
        file.truncate(checking.MAX_FOLDER_BYTES + 1)
    # A file with a hole: nothing of it may be read.
    monkeypatch.setattr(checking.hashlib, "file_digest", None)
    told = faults(board, data)
    assert len(told) == 2
    assert told[0].endswith(f"has {50 * 2**20 + 1:,} bytes, but `size` says {len(content())}")
    assert "more than 50 MiB: give their `url`" in told[1]


# The prediction files that are named


@pytest.mark.parametrize(
    "file",
    [
        "../other/st.json.gz",
        "/etc/passwd",
        "../../../data/groundingyoutube/seg.json",
        "sub/st.json.gz",
        "..\\st.json.gz",
        ".json.gz",
        "st.json.gz\0",
        "submission.yaml",
        "s\u0442.json.gz",
        "%2e%2e/st.json.gz",
        "~/st.json.gz",
    ],
)
def test_a_file_that_leads_elsewhere(board: Board, data: Path, file: str) -> None:
    entry(board)
    other = board.submissions / "other"
    other.mkdir()
    (other / "st.json.gz").write_bytes(content())
    told = yaml_faults_of(board, data, file)
    assert any(each.startswith("submission.yaml: $.predictions.st") for each in told)


def yaml_faults_of(board: Board, data: Path, file: str) -> list[str]:
    """What is wrong with an entry that names its file so."""
    predictions = {"st": named(content(), file)}
    write(board.submissions / "mine", ABOUT | {"predictions": predictions})
    return faults(board, data)


@pytest.mark.parametrize(
    "file",
    ["a b.json.gz", "-rf.json.gz", ".st.json.gz", "s\u0442.json.gz", "<b>.json.gz", "a\n.json.gz"],
)
def test_a_file_that_is_there_under_an_odd_name(board: Board, data: Path, file: str) -> None:
    entry(board, file=file)
    told = faults(board, data)
    assert any(each.startswith("submission.yaml: $.predictions.st.file: ") for each in told)


@pytest.mark.parametrize("file", ["st.json", "st.jsonl.gz", "st.tar.gz", "st.JSON.GZ", "st.pkl"])
def test_other_forms_are_refused(board: Board, data: Path, file: str) -> None:
    entry(board, file=file)
    (told,) = faults(board, data)
    assert told == "submission.yaml: $.predictions.st.file: must end in .json.gz or .parquet"


def test_a_file_that_is_not_there(board: Board, data: Path) -> None:
    (entry(board) / "st.json.gz").unlink()
    (told,) = faults(board, data)
    assert told.endswith(".file: st.json.gz does not lie in this folder")


def test_another_size_and_another_sha256(board: Board, data: Path) -> None:
    folder = entry(board)
    right = (folder / "st.json.gz").read_bytes()
    (folder / "st.json.gz").write_bytes(right[:-1] + b"\xff")
    (told,) = faults(board, data)
    assert re.search(r"has the SHA-256 [0-9a-f]{64}, but submission\.yaml says [0-9a-f]{64}$", told)
    (folder / "st.json.gz").write_bytes(right + b"\0")
    (told,) = faults(board, data)
    assert told.endswith(f"has {len(right) + 1} bytes, but `size` says {len(right)}")


def test_one_file_for_two_tasks(board: Board, data: Path) -> None:
    entry(board, predictions={"st": named(content()), "temporal": named(content())})
    told = faults(board, data)
    assert [each.endswith("is named for two tasks; a file is of one") for each in told] == [
        True
    ] * 2


def test_predictions_of_another_task(board: Board, data: Path) -> None:
    # Answers of `spatial` are given the true times.
    entry(board, data=content(tube(instance=0), task="spatial"))
    (told,) = faults(board, data)
    assert told.endswith("the task spatial, but stands under st in submission.yaml")


def test_no_tubes_at_all(board: Board, data: Path) -> None:
    empty = gzip.compress(b'{"format": "gytbench-predictions/1", "task": "st", "tubes": []}')
    entry(board, data=empty)
    assert faults(board, data) == ["st.json.gz: holds no tubes"]


def test_every_fault_of_the_predictions_with_file_and_place(board: Board, data: Path) -> None:
    entry(board, data=content(tube(label="<script>"), tube(), tube(video="x", end=1)))
    told = faults(board, data)
    assert [each.partition(": ")[2].partition(": ")[0] for each in told] == [
        "$.tubes[2].video",
        "$.tubes[0].label",
        "$.tubes[2].end",
    ]


def test_faults_of_all_tasks_are_told_together(board: Board, data: Path) -> None:
    folder = entry(board)
    broken = {"st": b"no gzip", "temporal": content(tube(label="?"), task="temporal")}
    for task, raw in broken.items():
        (folder / f"{task}.json.gz").write_bytes(raw)
    said = {task: named(raw, f"{task}.json.gz") for task, raw in broken.items()}
    write(folder, ABOUT | {"predictions": said})
    told = faults(board, data)
    assert told[0].startswith("st.json.gz: not a valid gzip file")
    assert told[1].startswith("temporal.json.gz: $.tubes[0].label: unknown label '?'")
    assert len(told) == 2


# submission.yaml

RIGHT = "".join(f"{key}: {json.dumps(value)}\n" for key, value in ABOUT.items())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [x]\nb: *a\n", "line 2: uses an alias (*) or a tag (!), which is not allowed"),
        ("a: !!python/object/apply:os.system [id]\n", "line 1: uses an alias (*) or a tag (!)"),
        ("!!python/name:os.system {}\n", "line 1: uses an alias (*) or a tag (!)"),
        ("a: " + "[" * 1000, "line 1: is nested too deeply"),
        ("- " * 1000, "line 1: is nested too deeply"),
        (RIGHT + "system: Another\n", "line 10: has the key 'system' a second time"),
        ("a: " + "1:" * 400 + "1.5\n", "not YAML: int too large to convert to float"),
        ("a: " + "9" * 5000, "not YAML: Exceeds the limit"),
        ("x" * 100_001, "holds more than 100,000 bytes"),
        ("", "must hold keys and values"),
        ("[]", "must hold keys and values"),
        ("a: b\n---\na: b\n", "not YAML: but found another document"),
        (b"a: \xff\n", "not YAML"),
        (b"a: \x00\n", "not YAML"),
    ],
)
def test_yaml_that_is_not_plain(board: Board, data: Path, text: str | bytes, told: str) -> None:
    write(entry(board), text)
    (found,) = faults(board, data)
    assert told in found


def test_a_billion_laughs(board: Board, data: Path) -> None:
    laughs = ["a0: &a0 [lol]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    write(entry(board), "\n".join(laughs))
    (found,) = faults(board, data)
    assert "uses an alias" in found


def test_everything_that_is_missing_is_told_at_once(board: Board, data: Path) -> None:
    write(entry(board), "notes: nothing yet\n")
    told = faults(board, data)
    required = [
        "system",
        "authors",
        "date",
        "backbone",
        "training_data",
        "supervision",
        "modality",
        "tuned_on_test",
        "predictions",
    ]
    assert [each.partition(": is missing")[0] for each in told[:-1]] == [
        f"submission.yaml: $.{name}" for name in required
    ]
    assert told[-1].endswith(
        "needs `paper` or `code`, an https address, so that readers can look it up"
    )


def test_everything_that_is_still_to_be_filled_in_is_told(board: Board, data: Path) -> None:
    blank = "<fill in>"
    told = yaml_faults(
        board, data, system=blank, authors=["Ada", blank], date=blank, tuned_on_test=blank
    )
    assert [each.partition(" is still")[0] for each in told] == [
        "$.system:",
        "$.authors:",
        "$.date:",
        "$.tuned_on_test:",
    ]


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"system": 7}, "$.system: expected string, got integer; put it in quotes"),
        ({"system": "x" * 61}, "$.system: expected string of length <= 60"),
        ({"system": ""}, "$.system: expected string of length >= 1"),
        ({"system": "+++"}, "$.system: holds no letter and no digit"),
        ({"authors": "Ada"}, "$.authors: expected array, got string"),
        ({"authors": []}, "$.authors: expected array of length >= 1"),
        ({"authors": ["A", 2]}, "$.authors: [1]: expected string, got integer; put it in quotes"),
        ({"authors": ["A"] * 51}, "$.authors: expected array of length <= 50"),
        ({"supervision": "strong"}, "$.supervision: must be one of none, self, weak, full"),
        ({"modality": ["video"]}, "$.modality: must be one of video, video+text,"),
        ({"tuned_on_test": "no"}, "$.tuned_on_test: must be true or false"),
        ({"tuned_on_test": True}, "$.tuned: is missing: what was chosen on the test set"),
        ({"date": "2024"}, "$.date: must be the day of the paper"),
        ({"date": "2024-02-30"}, "$.date: is no day"),
        ({"date": "\u0662\u0660\u0662\u0664-01-01"}, "$.date: is no day"),
        ({"date": "2024-01-01\n"}, "$.date: must be one line"),
        ({"date": "2999-01-01"}, "$.date: must lie between 1990-01-01 and today"),
        ({"date": "0001-01-01"}, "$.date: must lie between 1990-01-01 and today"),
        ({"scores": {"iou": 1}}, "$.'scores': is no field; fields are system, authors"),
        ({"notes": "x" * 2001}, "$.notes: expected string of length <= 2000"),
        ({"predictions": {}}, "$.predictions: is empty"),
        ({"predictions": []}, "$.predictions: expected object, got array"),
        ({"predictions": {"all": {}}}, "$.predictions.'all': is no task; tasks are st, spatial"),
        ({"predictions": {"st": "st.json.gz"}}, "$.predictions.st: must hold file or url"),
    ],
)
def test_fields_that_are_wrong(board: Board, data: Path, about: Any, told: str) -> None:
    found = yaml_faults(board, data, **about)
    assert [each for each in found if each.startswith(told)], found


def test_a_date_without_quotes(board: Board, data: Path) -> None:
    folder = entry(board)
    text = (folder / "submission.yaml").read_text()
    write(folder, text.replace('"2024-05-31"', "2024-05-31"))
    assert faults(board, data) == ['submission.yaml: $.date: must stand in quotes: "2024-05-31"']


def test_today_is_no_future(board: Board, data: Path) -> None:
    entry(board, date=datetime.date.today().isoformat())
    assert checked(board, data).submission.date == datetime.date.today().isoformat()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sha256": "x"}, ".sha256: must be 64 digits"),
        ({"sha256": "A" * 64}, ".sha256: must be 64 digits"),
        ({"sha256": "a" * 64 + "\n"}, ".sha256: must be one line"),
        ({"sha256": "../" * 21 + "a"}, ".sha256: must be 64 digits"),
        ({"size": 0}, ".size: must be the number of bytes"),
        ({"size": "12"}, ".size: must be the number of bytes"),
        ({"size": True}, ".size: must be the number of bytes"),
        ({"size": 16**90_000}, ".size: must be the number of bytes"),
        ({"url": "https://example.org/a"}, ": needs either `file` or `url`, and not both"),
        ({"file": ""}, ": needs either `file` or `url`, and not both"),
        ({"score": 1}, ".'score': is no field; fields are file, url, sha256, size"),
    ],
)
def test_what_is_wrong_about_a_file(
    board: Board,
    data: Path,
    change: dict[str, Any],
    told: str,
) -> None:
    folder = entry(board)
    said = named(content()) | change
    size = f"0x{change['size']:x}" if type(change.get("size")) is int else None
    text = json.dumps(ABOUT | {"predictions": {"st": said | ({"size": "@"} if size else {})}})
    write(folder, text.replace('"@"', size) if size else text)
    found = faults(board, data)
    assert [each for each in found if each.startswith(f"submission.yaml: $.predictions.st{told}")]
