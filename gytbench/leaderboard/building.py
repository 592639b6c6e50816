"""Scoring what is not scored yet, or no longer rightly, and writing the page.

An entry is scored again only where its results do not say what it would be scored from
now: the same submission.yaml, the same prediction files, protocol and ground truth. Floors
and ceilings are code, so they also are where the package is another.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from gytbench import __version__
from gytbench.bounds import BOUNDS
from gytbench.errors import Fault, InputError
from gytbench.evaluation.protocol import VERSION
from gytbench.leaderboard.board import Board, entry_names
from gytbench.leaderboard.checking import check_entry
from gytbench.leaderboard.results import RELEASES, EntryResults, Reported
from gytbench.leaderboard.scoring import GroundTruth, bound_results, ground_truth, score_entry
from gytbench.leaderboard.stored import (
    StoredResults,
    read_reported,
    read_results,
    results_file,
    results_files,
    without_classes,
    write_results,
)
from gytbench.leaderboard.submission import FILE, PredictionsOf
from gytbench.processes import end_with_parent

Tell = Callable[[str], None]

_KEY = re.compile(r"protocol-\d+\.\d+-[0-9a-f]{8}")


class Built(NamedTuple):
    """What a build did, each by name."""

    scored: tuple[str, ...]
    kept: tuple[str, ...]
    """Results that were right already."""
    removed: tuple[str, ...]
    """Results of entries that are gone."""
    faults: tuple[Fault, ...]
    """Of entries that could not be scored: they are in no table."""


def _silent(_: str) -> None:
    """Nobody is told."""


def build(
    board: Board,
    *,
    data: Path | None = None,
    jobs: int = 1,
    site: Path | None = None,
    tell: Tell = _silent,
) -> Built:
    """Bring the results up to date and write the page.

    jobs: how many entries are scored at the same time, each in a process of its own. site:
    where the page goes in place of the board's folder. tell: is told of progress, a line at a
    time. Results of another protocol or ground truth go to the board's history. A build that
    was stopped goes on where it was; the same board gives the same bytes, whatever `jobs` is.

    Entries that cannot be scored are left out, and named in the faults. Raises InputError for
    what keeps all of them from being scored.
    """
    truth = ground_truth(data)
    names = (*BOUNDS, *entry_names(board))
    reported = read_reported(board.reported)
    removed = _clear(board, names)
    stale = [name for name in names if not is_fresh(board, name, truth)]
    for name in stale:
        _retire(results_file(board, name), board, truth)
    faults = _score_all(_Work(board, data), stale, truth, jobs, tell)
    kept = sorted(set(names) - set(stale))
    _write_page(board, reported, site or board.site)
    scored = sorted(name for name in stale if results_file(board, name).exists())
    return Built(tuple(scored), tuple(kept), tuple(removed), tuple(faults))


def _write_page(board: Board, reported: Sequence[Reported], out: Path) -> None:
    from gytbench.leaderboard.site import write_site

    write_site(StoredResults(results_files(board)), reported, out)


def _clear(board: Board, names: Collection[str]) -> list[str]:
    """Remove the results of entries that are gone, and what a killed build left."""
    gone = [path for path in results_files(board) if path.stem not in names]
    try:
        board.results.mkdir(parents=True, exist_ok=True)
        for path in (*gone, *board.results.glob(".*.part")):
            path.unlink()
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", where=str(board.results)) from None
    return [path.stem for path in gone]


def is_fresh(board: Board, name: str, truth: GroundTruth) -> bool:
    """Whether the stored results of an entry are those that it would be given now."""
    stored = read_results(results_file(board, name))
    if stored is None or _key(stored.protocol, stored.data) != _key(VERSION, truth.checksums):
        return False
    if name in BOUNDS:
        return stored.package == __version__
    if stored.about is None:
        return False
    folder = board.submissions / name
    return stored.submission == _sha256(folder / FILE) and all(
        stored.predictions.get(task) == _sha256_of(folder, named)
        for task, named in stored.about.predictions.items()
    )


def _sha256_of(folder: Path, named: PredictionsOf) -> str:
    """Of a prediction file that lies in the folder; what is fetched is what it says it is."""
    return _sha256(folder / named.file, named.size) if named.file else named.sha256


def _sha256(path: Path, size: int | None = None) -> str:
    """Empty for what is no plain file, or of another size: the check says what is wrong."""
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        if size is not None and path.stat().st_size != size:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


class _Origin(msgspec.Struct):
    """What results of any form were made from."""

    protocol: str
    data: dict[str, str]


def _key(protocol: str, data: object) -> str:
    """The name in history of results of a protocol and a ground truth."""
    digest = hashlib.sha256(msgspec.json.encode(data, order="sorted")).hexdigest()
    return f"protocol-{protocol}-{digest[:8]}"


def _retire(path: Path, board: Board, truth: GroundTruth) -> None:
    """Move results of another protocol or ground truth to history."""
    try:
        origin = msgspec.json.decode(path.read_bytes(), type=_Origin)
        key = _key(origin.protocol, origin.data)
        # The key becomes part of a path.
        if key == _key(VERSION, truth.checksums) or not _KEY.fullmatch(key):
            return
        (board.history / key).mkdir(parents=True, exist_ok=True)
        path.replace(board.history / key / path.name)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return
    except OSError as error:
        raise InputError(f"cannot be moved: {error.strerror}", where=str(path)) from None


class _Work(NamedTuple):
    """What every process is given."""

    board: Board
    data: Path | None


def _score_all(
    work: _Work, names: Sequence[str], truth: GroundTruth, jobs: int, tell: Tell
) -> list[Fault]:
    """Score the entries and store their results; what was wrong, by entry."""
    wrong: dict[str, list[Fault]] = {}
    for number, (name, faults) in enumerate(_outcomes(work, names, truth, jobs), start=1):
        tell(f"{number} of {len(names)}: {name}{': left out' if faults else ''}")
        wrong[name] = faults
        if faults:
            with suppress(OSError):
                results_file(work.board, name).unlink(missing_ok=True)
    return [fault for name in names for fault in wrong[name]]


def _outcomes(
    work: _Work, names: Sequence[str], truth: GroundTruth, jobs: int
) -> Iterator[tuple[str, list[Fault]]]:
    """Each entry with its faults, as they are done."""
    jobs = min(jobs, len(names))
    if jobs <= 1:
        yield from ((name, _store(work, name, truth)) for name in names)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), end_with_parent) as pool:
        waiting = iter(names)
        # No more than are worked on, so that it is known who broke a process.
        open_ = _begun(pool, work, islice(waiting, jobs))
        while open_:
            done, _ = wait(open_, return_when=FIRST_COMPLETED)
            try:
                found = [(open_[future], future.result()) for future in done]
            except BrokenProcessPool:
                reason = (
                    "a process was killed, as happens where memory runs out, while it scored "
                    f"{' or '.join(sorted(open_.values()))}: try fewer jobs"
                )
                raise InputError(reason, where=str(work.board.root)) from None
            open_ = {future: name for future, name in open_.items() if future not in done}
            open_ |= _begun(pool, work, islice(waiting, len(done)))
            yield from found


def _begun(
    pool: ProcessPoolExecutor, work: _Work, names: Iterable[str]
) -> dict["Future[list[Fault]]", str]:
    return {pool.submit(_in_process, work, name): name for name in names}


def _in_process(work: _Work, name: str) -> list[Fault]:
    try:
        truth = _loaded(work.data)
    except InputError as error:
        return error.faults
    return _store(work, name, truth)


@cache
def _loaded(data: Path | None) -> GroundTruth:
    """Once in a process of its own, which ends with the build."""
    return ground_truth(data)


def _store(work: _Work, name: str, truth: GroundTruth) -> list[Fault]:
    """Score an entry and write its results; what was wrong."""
    try:
        write_results(work.board, _score_one(work, name, truth))
    except InputError as error:
        return error.faults
    return []


def _score_one(work: _Work, name: str, truth: GroundTruth) -> EntryResults:
    """The results of an entry or bound; InputError also for a defect that its files bring up."""
    if name in BOUNDS:
        return bound_results(name, truth)
    try:
        submission = _sha256(work.board.submissions / name / FILE)
        checked = check_entry(work.board, name, benchmark=truth.benchmarks[RELEASES[0]])
        return score_entry(checked, truth, submission=submission)
    except InputError:
        raise
    except Exception as error:
        # No entry may keep the others from being scored.
        reason = f"cannot be scored, by a defect of gytbench: {type(error).__name__}: {error}"
        raise InputError(reason, where=name) from error


class Proposed(NamedTuple):
    """The results of all entries, without those of classes, before and after a change."""

    before: list[EntryResults]
    after: list[EntryResults]


def proposed(board: Board, names: Collection[str], *, data: Path | None = None) -> Proposed:
    """The stored results, and the same with the named entries scored anew or gone.

    Nothing is written. Raises InputError with the faults of all named entries.
    """
    truth = ground_truth(data)
    before = [without_classes(each) for each in StoredResults(results_files(board))]
    after = {each.entry: each for each in before if each.entry not in names}
    faults: list[Fault] = []
    for name in sorted(names):
        try:
            if name in BOUNDS or (board.submissions / name).exists():
                found = _score_one(_Work(board, data), name, truth)
                after[name] = without_classes(found)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return Proposed(before, [after[name] for name in sorted(after)])


def stale_names(board: Board, *, data: Path | None = None) -> list[str]:
    """Entries, floors and ceilings that a build would score, and entries that are gone."""
    truth = ground_truth(data)
    names = (*BOUNDS, *entry_names(board))
    stale = [name for name in names if not is_fresh(board, name, truth)]
    return stale + [path.stem for path in results_files(board) if path.stem not in names]
