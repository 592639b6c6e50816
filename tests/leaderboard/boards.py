"""Boards on the demo benchmark, with entries that are right."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from gytbench.benchmark import Benchmark
from gytbench.demo import predict
from gytbench.leaderboard.board import Board
from gytbench.predictions import Predictions, Task, save_predictions

ABOUT: dict[str, Any] = {
    "system": "Two branches",
    "authors": ["Ada Example"],
    "date": "2026-05-01",
    "paper": "https://example.org/paper",
    "backbone": "CLIP ViT-B/32",
    "training_data": ["HowTo100M"],
    "supervision": "self",
    "modality": "video",
    "tuned_on_test": False,
}


def empty_board(folder: Path) -> Board:
    """A board without entries."""
    board = Board(folder / "leaderboard")
    board.submissions.mkdir(parents=True)
    return board


def submit(board: Board, name: str, *files: Predictions, **about: Any) -> Path:
    """Puts an entry with predictions of one or more tasks on a board; its folder."""
    folder = board.submissions / name
    folder.mkdir(exist_ok=True)
    named = {}
    for predictions in files:
        path = folder / f"{predictions.task}.json.gz"
        save_predictions(predictions, path)
        named[predictions.task] = {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size": path.stat().st_size,
        }
    said = {**ABOUT, "system": name.title(), **about, "predictions": named}
    (folder / "submission.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return folder


def worse(truth: Benchmark, task: Task, late: float) -> Predictions:
    """The demo's predictions, some seconds late: other predictions for each number."""
    made = predict(truth, task)
    for tube in made.tubes:
        tube.start += late
        tube.end += late
    return made


def git(folder: Path, *arguments: str) -> str:
    """What git prints, whatever this machine's settings are."""
    settings = {"user.name": "ada", "user.email": "ada@example.org", "init.defaultBranch": "main"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    options += ["-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *options, *arguments],
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )
    return done.stdout


def commit(folder: Path, message: str = "change") -> None:
    """Commits all that lies in a repository."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def files(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rewrite(path: Path, **fields: Any) -> None:
    """Puts other values into a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_bytes()) | fields), encoding="utf-8")
