"""A board: the folder that holds submissions and results, and which names entries may have."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from gytbench.bounds import BOUNDS
from gytbench.errors import Fault, InputError

FOLDER = Path("leaderboard")
"""Where a board lies in a checkout."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
"""Of an entry, a floor or a ceiling."""

_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


@dataclass(frozen=True)
class Board:
    """The places of a board, below its folder."""

    root: Path

    @property
    def submissions(self) -> Path:
        """A folder for each entry."""
        return self.root / "submissions"

    @property
    def results(self) -> Path:
        """A file for each entry, floor and ceiling."""
        return self.root / "results"

    @property
    def history(self) -> Path:
        """Results under earlier protocols and data."""
        return self.root / "history"

    @property
    def reported(self) -> Path:
        """Papers' own numbers."""
        return self.root / "reported"

    @property
    def site(self) -> Path:
        """The page."""
        return self.root / "site"

    @property
    def cache(self) -> Path:
        """Fetched predictions, by their SHA-256."""
        return self.root / ".cache"


def find_board(path: Path | None = None) -> Board:
    """The board in the folder given, else in ./leaderboard; `InputError` where there is none."""
    root = FOLDER if path is None else path
    if not root.is_dir():
        hint = "give the folder with --board, or go to a clone of the repository that holds one"
        raise InputError(f"no board here: {hint}", where=str(root))
    return Board(root)


def name_fault(name: str, where: str) -> Fault | None:
    """What is wrong with the name of an entry; None where nothing is."""
    if not NAME.fullmatch(name):
        reason = (
            f"{name[:60]!r} cannot name an entry: take 1 to 48 of a-z, 0-9 and -, "
            "with no - in front"
        )
        return Fault(where, reason, "entry name")
    if name in BOUNDS:
        reason = f"{name!r} is the name of a {BOUNDS[name].kind} of the benchmark; take another"
        return Fault(where, reason, "entry name")
    if _DEVICE.fullmatch(name):
        return Fault(where, f"{name!r} can name no folder on Windows; take another", "entry name")
    return None


def entry_names(board: Board) -> tuple[str, ...]:
    """The names of all entries, sorted; none where nobody has submitted yet.

    Raises `InputError` with a fault for everything in `submissions` that is no entry: a
    name that none can have, a symbolic link, a file.
    """
    try:
        mode = board.submissions.lstat().st_mode
    except FileNotFoundError:
        return ()
    if not stat.S_ISDIR(mode):
        raise InputError("must be a folder, not a link or a file", where=str(board.submissions))
    with os.scandir(board.submissions) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    faults = [fault for entry in entries if (fault := _entry_fault(board, entry))]
    if faults:
        raise InputError(faults)
    return tuple(entry.name for entry in entries)


def _entry_fault(board: Board, entry: os.DirEntry[str]) -> Fault | None:
    where = str(board.submissions / entry.name)
    if entry.is_symlink():
        reason = "is a symbolic link: an entry is a folder, and lies here itself"
        return Fault(where, reason, "symbolic link")
    if not entry.is_dir(follow_symlinks=False):
        return Fault(where, "is no folder: an entry is a folder with submission.yaml", "no folder")
    return name_fault(entry.name, where)
