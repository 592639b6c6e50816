"""Narrated videos: what is said in each, when, and the file that it is in.

The layouts of captions are those of `gytbench.training.captions`. Files are found by the
id that they are named for, in the folder itself, so that no id can lead out of it.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from gytbench.errors import InputError
from gytbench.training.captions import VIDEO_COLUMNS, LeftOut, Row, caption_rows, csv_rows
from gytbench.training.config import Data
from gytbench.videos import videos_by_id

MAX_CHARACTERS = 10_000
"""Of the text of a narration; a longer one is no sentence."""

MAX_SECONDS = 1e7
"""Of a time: four months, more than any video has."""

# What downloaders leave beside a video, under its id.
_NO_VIDEOS = frozenset(
    (
        *(".csv", ".tsv", ".srt", ".vtt", ".ass", ".json", ".jsonl", ".xml", ".yaml", ".yml"),
        *(".txt", ".md", ".description", ".npy", ".npz", ".wav", ".mp3", ".m4a", ".part", ".ytdl"),
    )
)


class Narration(NamedTuple):
    """What is said in a video, from one second to another; the end is after the start."""

    video: str
    start: float
    end: float
    text: str
    """Words with single spaces between them; at least one."""


class Narrated:
    """The narrations of many videos, each with its file; by video, start and end.

    Kept in a few arrays, not as an object for each, so that millions take a hundred bytes
    each and processes share them.
    """

    def __init__(self, folder: Path, rows: "_Rows", left_out: LeftOut) -> None:
        self.videos: tuple[str, ...] = tuple(sorted(rows.numbers))
        self.left_out: Counter[str] = left_out.counts
        """How many videos, files and narrations do not count, by reason."""
        self.examples: Mapping[str, str] = left_out.examples
        """The first of each reason."""
        rank = np.empty(len(self.videos), np.int64)
        rank[[rows.numbers[video] for video in self.videos]] = np.arange(len(self.videos))
        by = rank[np.array(rows.videos)]
        starts, ends = np.array(rows.starts), np.array(rows.ends)
        order = np.lexsort((ends, starts, by))
        self._starts, self._ends = starts[order], ends[order]
        self._first = np.searchsorted(by[order], np.arange(len(self.videos) + 1))
        stops = np.array(rows.stops)
        self._texts = np.stack([np.concatenate([[0], stops[:-1]]), stops], 1)[order]
        self._text = bytes(rows.text)
        self._folder = folder
        self._files = tuple(rows.files[video] for video in self.videos)

    @property
    def total(self) -> int:
        """How many narrations all videos have."""
        return len(self._starts)

    def count(self, index: int) -> int:
        """How many narrations the video at an index of `videos` has: at least one."""
        return int(self._first[index + 1] - self._first[index])

    def narration(self, index: int, number: int) -> Narration:
        """One of the `count` narrations of the video at an index of `videos`."""
        if not 0 <= number < self.count(index):
            raise IndexError(number)
        at = self._first[index] + number
        begin, stop = self._texts[at]
        text = self._text[begin:stop].decode()
        return Narration(self.videos[index], float(self._starts[at]), float(self._ends[at]), text)

    def narrations(self, index: int) -> list[Narration]:
        """All narrations of the video at an index of `videos`."""
        return [self.narration(index, number) for number in range(self.count(index))]

    def file(self, video: str) -> Path:
        """The file, or the folder of images, of one of the videos; KeyError for others."""
        index = bisect_left(self.videos, video)
        if self.videos[index : index + 1] != (video,):
            raise KeyError(video)
        return self._folder / self._files[index]

    def left_out_lines(self) -> list[str]:
        """A line for each reason: how many, and the first, the most frequent first."""
        return _lines(self.left_out, self.examples)


def read_narrations(
    data: Data, base: Path, usable: Callable[[str], bool] | None = None
) -> Narrated:
    """The narrated videos of a configuration; `base` is the folder that its paths start from.

    A video counts where it has a file, a narration, and, where there is a table, a row in
    it. The table is a CSV file with a column video_id, video or video_path (HowTo100M_v1.csv,
    or that of MIL-NCE's release); there and in captions an id may stand as a path with a
    suffix. What does not count is counted: see `Narrated.left_out`. So are narrations
    without text, of more than `MAX_CHARACTERS`, whose times are not finite, beyond
    `MAX_SECONDS` or do not ascend, that end before the video starts, and those that are
    not `usable`, which is asked with the text. Whether a narration starts after its video
    has ended is not looked at here.

    Raises `InputError` where a file cannot be read or is in no known layout, and where
    no narration is left.
    """
    left_out = LeftOut()
    folder, captions = base / data.videos, base / data.captions
    files = _video_files(folder, left_out)
    if data.table:
        files = _listed(base / data.table, files, folder, left_out)
    wanted = _Wanted(files, left_out, bool(data.table))
    rows = _Rows(files)
    for row in caption_rows(captions, wanted, left_out):
        reason = _fault(row, usable)
        if reason:
            left_out.add(reason, f"{row.where}{row.number}")
        else:
            rows.add(row)
    _count_videos(files if data.table else wanted.seen, wanted.seen, rows.numbers, left_out)
    if not rows.numbers:
        reasons = "; ".join(_lines(left_out.counts, left_out.examples)) or "there is none"
        raise InputError(f"no narration is left: {reasons}", where=str(captions))
    return Narrated(folder, rows, left_out)


class _Rows:
    """Narrations in the order of their files, in columns."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.numbers: dict[str, int] = {}
        self.videos, self.stops = array("q"), array("q")
        self.starts, self.ends = array("d"), array("d")
        self.text = bytearray()

    def add(self, row: Row) -> None:
        """One more; its text is kept with single spaces."""
        self.videos.append(self.numbers.setdefault(row.video, len(self.numbers)))
        self.starts.append(row.start)
        self.ends.append(row.end)
        self.text += " ".join(row.text.split()).encode()
        self.stops.append(len(self.text))


class _Wanted:
    """Which videos the names in captions stand for."""

    def __init__(self, files: Mapping[str, str], left_out: LeftOut, by_table: bool) -> None:
        self._files, self._left_out, self._by_table = files, left_out, by_table
        self._missing: set[str] = set()
        self.seen: dict[str, None] = {}

    def __call__(self, name: str) -> str | None:
        video = _id(name, self._files)
        if video in self._files:
            self.seen[video] = None
            return video
        # What a table does not list is meant to be left out.
        if not self._by_table and video not in self._missing:
            self._missing.add(video)
            self._left_out.add(_NO_FILE, _shown(name))
        return None


_NO_FILE = "videos without a file"


def _video_files(folder: Path, left_out: LeftOut) -> dict[str, str]:
    """The name of each video's file by its id."""
    files = {}
    for video, paths in videos_by_id(folder).items():
        names = [path.name for path in paths if path.suffix.lower() not in _NO_VIDEOS]
        if len(names) > 1:
            left_out.add("videos with several files", f"{_shown(names[0])}, {_shown(names[1])}")
        elif names:
            files[video] = names[0]
    if not files:
        reason = ": ".join(["has no video", *_lines(left_out.counts, left_out.examples)])
        raise InputError(reason, where=str(folder))
    return files


def _listed(
    table: Path, files: Mapping[str, str], folder: Path, left_out: LeftOut
) -> dict[str, str]:
    """The files of the videos that a table lists."""
    found: dict[str, str] = {}
    missing: set[str] = set()
    for line, cells in csv_rows(table, (("video_id", *VIDEO_COLUMNS),)):
        if cells is None or not cells[0].strip():
            left_out.add("rows of the table without a video", f"{table}: line {line}")
            continue
        video = _id(cells[0], files)
        if video in found or video in missing:
            left_out.add("rows of the table that repeat a video", f"{table}: line {line}")
        elif video in files:
            found[video] = files[video]
        else:
            missing.add(video)
            left_out.add(_NO_FILE, _shown(cells[0]))
    if not found:
        reason = f"none of its {len(missing):,} videos has a file in {folder}"
        example = f", such as {left_out.examples[_NO_FILE]}" if missing else ""
        raise InputError(f"{reason}{example}; files are named for the ids", where=str(table))
    return found


def _id(name: str, known: Mapping[str, str]) -> str:
    """The id that a name or path stands for: its last part, without a suffix where it has one."""
    name = name.strip()
    if name in known:
        return name
    last = PurePosixPath(name.replace("\\", "/"))
    return last.name if last.name in known else last.stem


def _fault(row: Row, usable: Callable[[str], bool] | None) -> str:
    """Why a row is no narration; empty where it is one."""
    # False for NaN too.
    if not (abs(row.start) <= MAX_SECONDS and abs(row.end) <= MAX_SECONDS):
        return "narrations whose times are no seconds"
    if row.end <= row.start:
        return "narrations that do not end after their start"
    if row.end <= 0:
        return "narrations that end before the video starts"
    if not row.text or row.text.isspace():
        return "narrations without text"
    if len(row.text) > MAX_CHARACTERS:
        return f"narrations of more than {MAX_CHARACTERS:,} characters"
    if usable and not usable(row.text):
        return "narrations without a known word"
    return ""


def _count_videos(
    videos: Mapping[str, object],
    seen: Mapping[str, object],
    kept: Mapping[str, object],
    left_out: LeftOut,
) -> None:
    """Counts the videos of which nothing is left."""
    for video in videos:
        if video not in seen:
            left_out.add("videos without captions", _shown(video))
        elif video not in kept:
            left_out.add("videos whose captions are all left out", _shown(video))


def _lines(counts: Counter[str], examples: Mapping[str, str]) -> list[str]:
    return [
        f"{count:,} {reason}, such as {examples[reason]}" for reason, count in counts.most_common()
    ]


def _shown(name: str) -> str:
    """A name of a stranger, fit to be printed."""
    return ascii(name if len(name) <= 100 else f"{name[:100]}...")
