"""Everything that is wrong with an entry, before anything of it is scored or shown.

An entry is hostile until proven otherwise. Its folder holds plain files alone: submission.yaml
and the prediction files that it names. Sizes are held to limits before and after they unpack,
text to what cannot deceive, and the predictions to the format and the benchmark.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.errors import Fault, InputError
from gytbench.leaderboard.board import Board, name_fault
from gytbench.leaderboard.fetching import cached, fetched
from gytbench.leaderboard.fields import MAX_SUBMISSION_BYTES, read_entry_file, submission_of
from gytbench.leaderboard.leaks import leaks
from gytbench.leaderboard.lookalikes import same_names
from gytbench.leaderboard.submission import FILE, PredictionsOf, Submission
from gytbench.leaderboard.unpacking import check_unpacked
from gytbench.predictions import (
    TASKS,
    Predictions,
    Task,
    collector_paused,
    doubts,
    load_predictions,
    pack,
)

__all__ = ["Checked", "Entry", "check_entry", "file_of", "read_entry", "same_names"]

MAX_FILES = 10
MAX_FOLDER_BYTES = 50 << 20
"""Of all prediction files in an entry's folder; more is given by address."""
FORMS = (".json.gz", ".parquet")

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Checked(NamedTuple):
    """An entry that can be scored."""

    name: str
    submission: Submission
    files: dict[Task, Path]
    """The prediction files, in the entry's folder or in the cache."""
    flags: tuple[str, ...]
    """What a reader should know."""


class Entry(NamedTuple):
    """An entry whose folder and submission.yaml are right; its predictions are not read yet."""

    name: str
    submission: Submission
    folder: Path


def check_entry(
    board: Board,
    name: str,
    *,
    data: Path | None = None,
    benchmark: Benchmark | None = None,
    fetch: bool = True,
) -> Checked:
    """The entry, if it can be scored; raises `InputError` with everything that is wrong.

    data: the folder of the ground truth. benchmark: what is in it, where it is loaded already,
    with the released boxes. fetch: whether predictions that are given by address
    are fetched where they are not in the board's cache; a fault where they are not.
    """
    entry = read_entry(board, name)
    faults = list(_faults_beside(board, entry))
    files: dict[Task, Path] = {}
    flags: list[str] = []
    benchmark = benchmark or load_benchmark(data=data)
    for task in TASKS:
        given = entry.submission.predictions.get(task)
        if given is None:
            continue
        try:
            files[task] = file_of(given, entry, board, fetch=fetch)
            flags += (f"{task}: {each}" for each in _read(files[task], task, benchmark))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return Checked(name, entry.submission, files, tuple(flags))


def read_entry(board: Board, name: str) -> Entry:
    """What an entry's folder and submission.yaml say; raises `InputError` with all their faults.

    Prediction files in the folder are held to their name and size here, and not opened.
    """
    folder = board.submissions / name
    wrong = name_fault(name, str(board.submissions))
    if wrong is not None:
        raise InputError([wrong])
    if board.submissions.is_symlink():
        raise InputError("must not be a link", where=str(board.submissions))
    sizes = _sizes(folder)
    if FILE not in sizes:
        hint = f"`gytbench submit init PREDS --name {name}` writes it"
        raise InputError(f"the folder holds no {FILE}: {hint}", where=str(folder))
    submission = read_entry_file(folder / FILE)
    faults = list(_file_faults(folder, submission, sizes))
    if faults:
        raise InputError(faults)
    return Entry(name, submission, folder)


def _sizes(folder: Path) -> dict[str, int]:
    """The plain files of an entry's folder and their bytes; raises `InputError` for all else."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise InputError("must be a folder, not a link or a file", where=str(folder))
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda each: each.name)
    except FileNotFoundError:
        raise InputError("no such entry", where=str(folder)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    if len(entries) > MAX_FILES:
        reason = f"holds {len(entries)} files, and no more than {MAX_FILES} are allowed"
        raise InputError(reason, where=str(folder))
    kinds = {each.name: each.stat(follow_symlinks=False) for each in entries}
    # A link may lead anywhere, and a pipe or device is read without an end.
    faults = [
        Fault(str(folder / name), "is no plain file: links and folders are not allowed", "no file")
        for name, found in kinds.items()
        if not stat.S_ISREG(found.st_mode)
    ]
    if faults:
        raise InputError(faults)
    return {name: found.st_size for name, found in kinds.items()}


def _file_faults(folder: Path, submission: Submission, sizes: dict[str, int]) -> Iterator[Fault]:
    """What is wrong with the files that an entry names, and has."""
    named = [each.file for each in submission.predictions.values() if each.file]
    for task, given in submission.predictions.items():
        where = f"{folder / FILE}: $.predictions.{task}.file"
        reason = _naming_fault(given, sizes) if given.file else None
        if reason is not None:
            yield Fault(where, reason, "prediction file")
        elif given.file and named.count(given.file) > 1:
            yield Fault(where, "is named for two tasks; a file is of one", "prediction file")
    for name in sizes:
        if name not in (FILE, *named):
            reason = f"is not named in {FILE}, and may not lie here"
            yield Fault(str(folder / ascii(name)[1:-1]), reason, "unnamed file")
    total = sum(size for name, size in sizes.items() if name != FILE)
    if total > MAX_FOLDER_BYTES:
        most = MAX_FOLDER_BYTES >> 20
        reason = f"holds {total:,} bytes of predictions, more than {most} MiB: give their `url`"
        yield Fault(str(folder), reason, "too large")


def _naming_fault(given: PredictionsOf, sizes: dict[str, int]) -> str | None:
    if not _FILE_NAME.fullmatch(given.file) or given.file == FILE:
        return "must be the name of a file in this folder, of A-Z, a-z, 0-9 and ._- alone"
    if not given.file.endswith(FORMS):
        return f"must end in {' or '.join(FORMS)}"
    if given.file not in sizes:
        return f"{given.file} does not lie in this folder"
    if sizes[given.file] != given.size:
        return f"{given.file} has {sizes[given.file]:,} bytes, but `size` says {given.size:,}"
    return None


def _faults_beside(board: Board, entry: Entry) -> Iterator[Fault]:
    """What is wrong with an entry beside the others: its name, or predictions, are theirs."""
    own = entry.submission
    where = f"{entry.folder / FILE}: $.predictions"
    for name, other in _others(board, entry.name):
        # The other comes first, so that the fault is this entry's.
        yield from same_names([name, entry.name], [other, own])
        taken = {each.sha256 for each in other.predictions.values()}
        for task, given in own.predictions.items():
            if given.sha256 in taken:
                reason = f"is the same file as one of the entry {name}"
                yield Fault(f"{where}.{task}", reason, "same predictions")


def _others(board: Board, name: str) -> Iterator[tuple[str, Submission]]:
    """All other entries that can be read: what is wrong with them, their own check says."""
    with os.scandir(board.submissions) as found:
        names = sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
    for other in names:
        path = board.submissions / other / FILE
        if other == name or path.is_symlink() or not path.is_file():
            continue
        try:
            with path.open("rb") as file:
                yield other, _parsed(file.read(MAX_SUBMISSION_BYTES + 1))
        except (OSError, InputError):
            continue


@lru_cache(maxsize=2048)
def _parsed(text: bytes) -> Submission:
    """Once for each content: every entry is held against all others."""
    return submission_of(text, FILE)


def file_of(given: PredictionsOf, entry: Entry, board: Board, *, fetch: bool) -> Path:
    """The file of predictions, with the SHA-256 that submission.yaml says, else `InputError`."""
    if given.url:
        found = fetched(given, board) if fetch else cached(given, board)
        if found is None:
            raise InputError("is not in the cache, and is not fetched", where=given.url)
        return found
    path = entry.folder / given.file
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if digest != given.sha256:
        reason = f"has the SHA-256 {digest}, but {FILE} says {given.sha256}"
        raise InputError(reason, where=str(path))
    return path


def _read(path: Path, task: Task, benchmark: Benchmark) -> list[str]:
    """What a reader should know of predictions; raises `InputError` where they cannot be scored."""
    check_unpacked(path)
    with collector_paused():
        read = load_predictions(path)
        _check_task(read, task)
        packed = pack(read, benchmark, task)
    return [*leaks(packed, benchmark, task), *doubts(packed, benchmark)]


def _check_task(read: Predictions, task: Task) -> None:
    if read.task != task:
        reason = f"holds predictions of the task {read.task}, but stands under {task} in {FILE}"
        raise InputError(reason, where=read.source)
    if not read.tubes:
        raise InputError("holds no tubes", where=read.source)
