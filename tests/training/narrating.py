"""Folders of narrated videos, small enough to be written by each test."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from gytbench.training.config import Data
from gytbench.training.narrations import Narrated, read_narrations

Said = Mapping[str, Iterable[tuple[float, float, str]]]


def narrated(folder: Path, said: Said, files: Mapping[str, str] | None = None) -> Narrated:
    """What is said in each video, written as one CSV file and read again.

    `files` has the name of each video's file, which is empty where there is none yet.
    """
    names = files or {video: f"{video}.mp4" for video in said}
    (folder / "videos").mkdir(exist_ok=True)
    for name in names.values():
        path = folder / "videos" / name
        if not path.exists():
            path.touch()
    with (folder / "captions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "start", "end", "text"])
        writer.writerows((video, *row) for video, rows in said.items() for row in rows)
    return read_narrations(Data(videos="videos", captions="captions.csv"), folder)
