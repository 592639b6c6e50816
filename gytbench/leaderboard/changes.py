"""What a change to a board touches, as git tells it: a submission touches its own folder alone."""

import os
import subprocess
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gytbench.bounds import BOUNDS
from gytbench.errors import Fault, InputError
from gytbench.leaderboard.board import Board, name_fault

_SHOWN: Final = 10
"""Paths that faults of one kind are told for."""
_SHOWN_LENGTH = 200


class Changes(NamedTuple):
    """What commits since a base change."""

    entries: tuple[str, ...]
    """The names of entries whose folder changed, sorted; also of those that are gone."""
    faults: tuple[Fault, ...]
    """Why this is no submission of one entry; none for a change that touches no entry."""


def changed(board: Board, base: str) -> Changes:
    """The entries that commits change since they parted from `base`, a revision.

    Changes that are not committed do not count. Results and their history are never changed
    by hand, but for those of floors and ceilings, which a test holds to what they are. Raises
    InputError where there is no git, no such revision, or no common commit.
    """
    prefix = os.fsdecode(_git(board, "rev-parse", "--show-prefix")).removesuffix("\n")
    start = _commit(board, base)
    # Renames are told as removed here and added there, whatever the user's settings.
    told = _git(
        board, "diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", f"{start}..."
    )
    paths = _paths(told)
    folder = f"{prefix}{board.submissions.name}/"
    inside = [path.removeprefix(folder) for path in paths if path.startswith(folder)]
    outside = [path for path in paths if not path.startswith(folder)]
    entries, faults = _entries(inside, folder)
    if len(entries) > 1:
        reason = f"changes {len(entries)} entries, {_few(entries)}: submit one at a time"
        faults.append(Fault(folder, reason, "several entries"))
    faults += _gone(board, entries)
    results, history = (f"{prefix}{each.name}/" for each in (board.results, board.history))
    bounds = {f"{results}{name}.json" for name in BOUNDS}
    made = {each for each in outside if each.startswith((results, history))} - bounds
    faults += _outside(made, set(outside) - made if inside else set())
    return Changes(tuple(entries), tuple(faults))


def _commit(board: Board, base: str) -> str:
    """The commit of a revision."""
    if base.startswith("-") or not base or "\0" in base:
        raise InputError(f"--base takes a branch or commit, not {base[:60]!r}")
    try:
        return os.fsdecode(
            _git(board, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}")
        ).strip()
    except InputError as error:
        reason = f"no revision {base[:60]!r} ({error.faults[0].reason}): fetch it first"
        raise InputError(reason, where=str(board.root)) from None


def _git(board: Board, *arguments: str) -> bytes:
    """What git prints; raises InputError with what it says where it fails."""
    command = ["git", "-C", str(board.root), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=120
        )
    except FileNotFoundError:
        raise InputError("needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise InputError("git does not answer", where=str(board.root)) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        said = lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"
        raise InputError(f"git: {said}", where=str(board.root))
    return done.stdout


def _paths(told: bytes) -> list[str]:
    """The paths of `git diff --name-status -z`: status, NUL, path, NUL, and so on."""
    fields = told.split(b"\0")[:-1]
    return sorted(os.fsdecode(path) for path in fields[1::2])


def _entries(inside: Sequence[str], folder: str) -> tuple[list[str], list[Fault]]:
    """The names of entries with changed files, and what of them lies in no entry's folder."""
    entries: dict[str, None] = {}
    wrong: dict[str, Fault] = {}
    for path in inside:
        name, within, _ = path.partition("/")
        if not within:
            reason = "lies in no entry's folder"
            wrong[name] = Fault(_shown(folder + name), reason, "no folder")
        elif fault := name_fault(name, _shown(folder + name)):
            wrong[name] = fault
        else:
            entries[name] = None
    return list(entries), list(wrong.values())[:_SHOWN]


def _gone(board: Board, entries: Sequence[str]) -> Iterator[Fault]:
    for name in entries:
        if not os.path.lexists(board.submissions / name):
            reason = (
                "removes the entry: whether its authors ask for that, a maintainer has to find out"
            )
            yield Fault(str(Path(board.submissions.name) / name), reason, "removed entry")


def _outside(made: Collection[str], others: Collection[str]) -> Iterator[Fault]:
    """Faults for results that are changed by hand, and for what a submission may not touch."""
    for path in sorted(made)[:_SHOWN]:
        reason = "is made by `gytbench leaderboard build`: take it out of the change"
        yield Fault(_shown(path), reason, "results")
    for path in sorted(others)[:_SHOWN]:
        reason = "is outside the entry's folder: a submission changes nothing else"
        yield Fault(_shown(path), reason, "outside")
    hidden = max(0, len(made) - _SHOWN) + max(0, len(others) - _SHOWN)
    if hidden:
        yield Fault("", f"and {hidden:,} more files outside the entry's folder", "outside")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else "")


def _shown(path: str) -> str:
    """A path of a stranger on one line, whatever its bytes are."""
    plain = "".join(each if each.isprintable() else repr(each)[1:-1] for each in path)
    return plain if len(plain) <= _SHOWN_LENGTH else f"{plain[:_SHOWN_LENGTH]}…"
