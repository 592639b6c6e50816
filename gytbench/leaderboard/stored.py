"""What the board keeps: results of entries, and the tables of papers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.results import EntryResults, Reported
from gytbench.plain_yaml import read_yaml_file
from gytbench.writing import write_whole


def results_file(board: Board, name: str) -> Path:
    """Where the results of an entry lie."""
    return board.results / f"{name}.json"


def results_bytes(results: EntryResults) -> bytes:
    """The content of a file of results."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"


def read_results(path: Path) -> EntryResults | None:
    """The results in a file; None where there is none, or of another form: they are made anew.

    Raises InputError for a file that is there and cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=EntryResults)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def write_results(board: Board, results: EntryResults) -> None:
    """Write the results of an entry, whole or not at all."""
    write_whole(results_file(board, results.entry), results_bytes(results))


def results_files(board: Board) -> list[Path]:
    """All files of results, by name."""
    return sorted(board.results.glob("*.json"))


class StoredResults(Sequence[EntryResults]):
    """Results of many entries, each read when it is asked for: all at once would fill memory."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[EntryResults]:
        return (self._read(path) for path in self._paths)

    @overload
    def __getitem__(self, index: int) -> EntryResults: ...
    @overload
    def __getitem__(self, index: slice) -> "StoredResults": ...
    def __getitem__(self, index: int | slice) -> "EntryResults | StoredResults":
        if isinstance(index, slice):
            return StoredResults(self._paths[index])
        return self._read(self._paths[index])

    def _read(self, path: Path) -> EntryResults:
        found = read_results(path)
        if found is None:
            raise InputError("holds no results; build the leaderboard again", where=str(path))
        return found


def without_classes(results: EntryResults) -> EntryResults:
    """The results without the scores of classes, which are most of them."""
    scores = tuple(msgspec.structs.replace(each, per_class={}) for each in results.scores)
    return msgspec.structs.replace(results, scores=scores)


def read_reported(folder: Path) -> tuple[Reported, ...]:
    """The tables of papers, by file name; raises InputError with the faults of all files."""
    found: list[Reported] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(read_yaml_file(path, Reported))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return tuple(found)
