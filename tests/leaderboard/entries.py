"""Entries by hand, right or hostile, on the small benchmark of the command line's tests."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gytbench.errors import InputError
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.checking import Checked, check_entry

from ..cli.conftest import tube

ABOUT: dict[str, Any] = {
    "system": "Two Branches",
    "authors": ["Ada Example", "Zo\u00eb Example"],
    "date": "2024-05-31",
    "paper": "https://example.org/paper",
    "backbone": "CLIP ViT-B/32",
    "training_data": ["HowTo100M"],
    "supervision": "self",
    "modality": "video+text",
    "tuned_on_test": False,
}


def content(*tubes: Any, **header: Any) -> bytes:
    """A .json.gz of predictions; without tubes, of one that is right."""
    tubes = tubes or (tube(boxes=[[1, 2, 30, 40]] * 3, frame_size=[640, 480]),)
    document = {"format": "gytbench-predictions/1", "task": "st", **header, "tubes": list(tubes)}
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def named(data: bytes, file: str = "st.json.gz") -> dict[str, Any]:
    """What submission.yaml says of a file."""
    return {"file": file, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def elsewhere(data: bytes, url: str = "https://data.example.org/st.json.gz") -> dict[str, Any]:
    """What submission.yaml says of predictions that are fetched."""
    return {"url": url, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def entry(
    board: Board,
    name: str = "mine",
    data: bytes | None = None,
    *,
    file: str = "st.json.gz",
    **about: Any,
) -> Path:
    """Puts an entry on a board, right but for what is given; None takes a field away."""
    data = content() if data is None else data
    folder = board.submissions / name
    folder.mkdir(parents=True)
    (folder / file).write_bytes(data)
    said = ABOUT | {"predictions": {"st": named(data, file)}} | about
    write(folder, {key: value for key, value in said.items() if value is not None})
    return folder


def json_text(said: Any) -> str:
    """Text that YAML reads as well: characters beyond U+FFFF are not written as two halves."""

    def whole(halves: re.Match[str]) -> str:
        pair = json.loads(f'"{halves[0]}"')
        return f"\\U{ord(pair):08x}"

    return re.sub(r"\\ud[89ab]..\\ud[c-f]..", whole, json.dumps(said))


def write(folder: Path, said: Any) -> None:
    """Writes submission.yaml; text is written as it is."""
    raw = said.encode() if isinstance(said, str) else said
    if not isinstance(raw, bytes):
        raw = json_text(said).encode()
    (folder / "submission.yaml").write_bytes(raw)


def faults(board: Board, data: Path, name: str = "mine") -> list[str]:
    """What the check finds, without the path of the entry's folder in front."""
    with pytest.raises(InputError) as caught:
        check_entry(board, name, data=data)
    root = f"{board.submissions / name}"
    return [
        str(fault).removeprefix(f"{root}/").removeprefix(f"{root}: ")
        for fault in caught.value.faults
    ]


def checked(board: Board, data: Path, name: str = "mine") -> Checked:
    """The entry, which is right."""
    return check_entry(board, name, data=data)


def yaml_faults(board: Board, data: Path, **about: Any) -> list[str]:
    """What is wrong with fields of submission.yaml, without the file's name in front."""
    entry(board, **about)
    return [fault.removeprefix("submission.yaml: ") for fault in faults(board, data)]
