"""The folder that is made of prediction files, and the archive that is made of it."""

import gzip
import io
import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from gytbench.errors import InputError
from gytbench.leaderboard import submitting
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.checking import check_entry
from gytbench.leaderboard.submitting import make_entry, pack_entry
from gytbench.predictions import load_predictions

from ..cli.conftest import predictions, tube
from .entries import ABOUT, content, elsewhere, entry, named, write


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A prediction file as somebody has it."""
    return predictions(tmp_path, tube(meta={"note": "x" * 1000}, points=[[0.5, 0.5]] * 3))


def made(board: Board, *paths: Path, **options: Any) -> Path:
    """The folder of an entry about which everything is said."""
    return make_entry(board, "mine", paths, ABOUT, **options)


@pytest.mark.parametrize("form", [".json.gz", ".parquet"])
def test_an_entry_about_which_all_is_said_passes_the_check(
    board: Board, data: Path, given: Path, form: str
) -> None:
    folder = made(board, given, form=form)
    assert sorted(path.name for path in folder.iterdir()) == [f"st{form}", "submission.yaml"]
    checked = check_entry(board, "mine", data=data)
    assert checked.submission.authors == tuple(ABOUT["authors"])
    (tube_,) = load_predictions(checked.files["st"]).tubes
    assert (tube_.points, tube_.meta) == ([(0.5, 0.5)] * 3, None)
    assert not list(board.cache.iterdir())


def test_the_form_is_kept_unless_another_is_wanted(board: Board, given: Path) -> None:
    first = made(board, given, form=".parquet")
    again = make_entry(board, "again", [first / "st.parquet"], {})
    assert (again / "st.parquet").read_bytes() == (first / "st.parquet").read_bytes()


def test_what_is_left_to_fill_in_is_what_the_check_tells(
    board: Board, data: Path, given: Path
) -> None:
    make_entry(board, "mine", [given], {"system": "Two Branches"})
    with pytest.raises(InputError) as caught:
        check_entry(board, "mine", data=data)
    told = [fault.where.partition("$.")[2] for fault in caught.value.faults]
    text = (board.submissions / "mine" / "submission.yaml").read_text()
    assert told == [*re.findall(r"^(\w+): \"<fill in>\"$", text, re.M), ""]
    assert told[:3] == ["authors", "date", "backbone"]
    assert yaml.safe_load(text)["system"] == "Two Branches"


@pytest.mark.parametrize(
    "text",
    [
        '"quoted": {a',
        "a: b # c",
        "- x",
        "caf\u00e9 \u5f20 \U0001f600",
        "'",
        "*alias",
        "!tag",
        "\\n",
        "a\nb",
    ],
)
def test_text_comes_back_as_it_was_given(board: Board, given: Path, text: str) -> None:
    folder = make_entry(board, "mine", [given], {"system": text, "authors": [text, "b"]})
    said = yaml.safe_load((folder / "submission.yaml").read_text(encoding="utf-8"))
    assert (said["system"], said["authors"]) == (text, [text, "b"])


def test_bytes_that_are_no_text_are_told_by_the_check(
    board: Board, data: Path, given: Path
) -> None:
    make_entry(board, "mine", [given], ABOUT | {"system": os.fsdecode(b"a\xffb")})
    with pytest.raises(InputError, match=r"\$\.system: holds half a character, U\+DCFF"):
        check_entry(board, "mine", data=data)


def test_one_file_for_each_task(board: Board, tmp_path: Path, given: Path) -> None:
    other = predictions(tmp_path, tube(), name="t.jsonl.json", task="temporal")
    folder = made(board, given, other)
    assert {"st.json.gz", "temporal.json.gz"} < {path.name for path in folder.iterdir()}
    with pytest.raises(InputError, match="is a second file of the task st; give one for each"):
        make_entry(board, "twice", [given, given], {})
    assert not (board.submissions / "twice").exists()
    assert not list(board.cache.iterdir())


@pytest.mark.parametrize("name", ["Mine", "../mine", "centre", ""])
def test_names_that_no_entry_can_have(board: Board, given: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot name an entry|is the name of a floor"):
        make_entry(board, name, [given], {})
    assert not list(board.submissions.iterdir())


def test_what_is_there_already_stays(board: Board, given: Path, tmp_path: Path) -> None:
    folder = entry(board)
    before = (folder / "submission.yaml").read_bytes()
    with pytest.raises(InputError, match="is there already; take another name, or remove it"):
        made(board, given)
    assert (folder / "submission.yaml").read_bytes() == before
    (board.submissions / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is there already"):
        make_entry(board, "link", [given], {})


def test_predictions_that_are_too_large_for_the_folder(
    board: Board, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "MAX_FOLDER_BYTES", 100)
    with pytest.raises(InputError, match=r"predictions take more than .*give --url TASK=URL"):
        made(board, given)
    assert not list(board.submissions.iterdir())
    monkeypatch.setattr(submitting, "MAX_FETCHED_BYTES", 100)
    with pytest.raises(InputError, match=r"st: takes \d+ bytes, more than the"):
        made(board, given, urls={"st": "https://data.example.org/st"})


def test_a_board_that_cannot_be_written(tmp_path: Path, given: Path) -> None:
    board = Board(tmp_path / "board")
    board.root.mkdir()
    board.submissions.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot be written"):
        made(board, given)


def test_predictions_that_lie_elsewhere_are_checked_before_they_lie_there(
    board: Board, data: Path, given: Path, tmp_path: Path
) -> None:
    url = "https://data.example.org/mine?download=1"
    folder = made(board, given, urls={"st": url}, form=".parquet")
    assert [path.name for path in folder.iterdir()] == ["submission.yaml"]
    checked = check_entry(board, "mine", data=data, fetch=False)
    assert checked.submission.predictions["st"].url == url
    archive, upload = pack_entry(board, "mine", tmp_path / "mine.tar.gz")
    assert upload == tmp_path / "mine-st.parquet"
    assert upload.read_bytes() == checked.files["st"].read_bytes()
    with tarfile.open(archive) as packed:
        assert packed.getnames() == ["mine/submission.yaml"]


def test_what_lies_elsewhere_and_not_here_cannot_be_packed(board: Board, tmp_path: Path) -> None:
    (entry(board, predictions={"st": elsewhere(content())}) / "st.json.gz").unlink()
    with pytest.raises(InputError, match="is not in the cache, and is not fetched"):
        pack_entry(board, "mine", tmp_path / "mine.tar.gz")


def test_a_pack_holds_the_folder_and_nothing_of_this_machine(board: Board, tmp_path: Path) -> None:
    folder = entry(board)
    (one,) = pack_entry(board, "mine", tmp_path / "one.tar.gz")
    with tarfile.open(one) as packed:
        members = packed.getmembers()
    assert [member.name for member in members] == ["mine/st.json.gz", "mine/submission.yaml"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in members} == {
        (0, 0, 0, "", "", 0o644, tarfile.REGTYPE)
    }
    for path in folder.iterdir():
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (two,) = pack_entry(board, "mine", tmp_path / "another name.tgz")
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(one.read_bytes()))) as packed:
        file = packed.extractfile("mine/submission.yaml")
        assert file is not None
        assert file.read() == (folder / "submission.yaml").read_bytes()


def test_a_folder_with_a_link_or_a_secret_is_not_packed(board: Board, tmp_path: Path) -> None:
    folder = entry(board)
    (folder / "key").symlink_to("/etc/shadow")
    with pytest.raises(InputError, match="is no plain file"):
        pack_entry(board, "mine", tmp_path / "mine.tar.gz")
    (folder / "key").unlink()
    (folder / ".env").write_text("secret")
    with pytest.raises(InputError, match="is not named in"):
        pack_entry(board, "mine", tmp_path / "mine.tar.gz")
    (folder / ".env").unlink()
    write(folder, json.dumps(ABOUT | {"predictions": {"st": named(b"x" * len(content()))}}))
    with pytest.raises(InputError, match="has the SHA-256"):
        pack_entry(board, "mine", tmp_path / "mine.tar.gz")
    assert not (tmp_path / "mine.tar.gz").exists()


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("mine.zip", "the name must end in .tar.gz"),
        ("leaderboard/submissions/mine/mine.tar.gz", "would lie in the entry itself"),
        ("leaderboard/submissions/mine/../mine/a.tar.gz", "would lie in the entry itself"),
        ("nowhere/mine.tar.gz", "cannot be written: No such file or directory"),
    ],
)
def test_outputs_that_cannot_be(board: Board, tmp_path: Path, output: str, told: str) -> None:
    entry(board)
    with pytest.raises(InputError, match=re.escape(told)):
        pack_entry(board, "mine", tmp_path / output)
