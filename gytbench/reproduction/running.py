"""All cells of a grid, several at a time; what is done already is not done again."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.models.devices import check_device
from gytbench.processes import end_with_parent
from gytbench.reproduction.cells import Cell, Seeded, cell, seeded
from gytbench.reproduction.grid import Grid, Row
from gytbench.writing import write_whole

Tell = Callable[[str], None]

_GRID = "grid.json"

_DECIDING = ("world", "test", "validation", "tau", "backbone", "training")
"""What of a grid decides the numbers of a row, apart from the row."""


class Work(NamedTuple):
    """What every process is given."""

    grid: Grid
    base: Path
    out: Path
    device: str
    threads: int
    """Of torch; 0 = as many as it takes."""


def run_grid(
    grid: Grid, base: Path, out: Path, *, device: str = "cpu", jobs: int = 1, tell: Tell
) -> list[Cell]:
    """Train, run and score every row with every seed; cells by seed, then by row.

    base: the folder that the grid's paths start from. jobs: how many rows, or backbones, are
    worked on at the same time, each in a process with its share of the cores. tell: is told of
    progress, a line at a time. A grid that was stopped goes on where it was. Raises
    `InputError` for what does not serve, and where `out` holds another grid; with several
    jobs, after those that are worked on.
    """
    check_device(device)
    _check_same(grid, out)
    jobs = min(jobs, len(grid.seeds) * len(grid.rows))
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else 0
    work = Work(grid, base, out, device, threads)
    if jobs == 1:
        return [each for seed in grid.seeds for each in _cells(work, seed, tell)]
    # Torch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), end_with_parent) as pool:
        try:
            return _in_processes(pool, work, tell)
        except BrokenProcessPool:
            reason = "a process was killed, as happens where memory runs out: try fewer jobs"
            raise InputError(reason, where=str(out)) from None


def _cells(work: Work, seed: int, tell: Tell) -> Iterator[Cell]:
    """All rows of a seed, one after the other."""
    shared = _shared(work, seed, tell)
    for row in work.grid.rows:
        found = cell(work.grid, row, shared, seed, work.device)
        tell(_line(found))
        yield found


def _in_processes(pool: Executor, work: Work, tell: Tell) -> list[Cell]:
    """The cells by seed, then by row; the first failure keeps what has not begun from beginning.

    What the rows of a seed share comes first, for all seeds: rows keep the processes busy to
    the end.
    """
    grid = work.grid
    open_ = {pool.submit(_in_process, work, seed) for seed in grid.seeds}
    cells: dict[tuple[int, str], Cell] = {}
    try:
        while open_:
            done, open_ = wait(open_, return_when=FIRST_COMPLETED)
            for found in (future.result() for future in done):
                if found.faults:
                    raise InputError(found.faults)
                if found.cell is None:
                    tell(f"seed {found.seed}: ready for its rows")
                    some = (found.seed, found.shared)
                    open_ |= {pool.submit(_in_process, work, *some, row) for row in grid.rows}
                else:
                    cells[found.seed, found.cell.row] = found.cell
                    tell(_line(found.cell))
    finally:
        for future in open_:
            future.cancel()
    return [cells[seed, row.name] for seed in grid.seeds for row in grid.rows]


class _Found(NamedTuple):
    """What a process came to: a cell, or what the rows of the seed share."""

    seed: int
    shared: Seeded | None
    cell: Cell | None
    faults: list[Fault]
    """What was wrong, which an exception would not carry between processes."""


def _in_process(
    work: Work, seed: int, shared: Seeded | None = None, row: Row | None = None
) -> _Found:
    """A row, or without one what all rows of the seed share."""
    import torch

    if work.threads:
        torch.set_num_threads(work.threads)
    try:
        if shared is None or row is None:
            return _Found(seed, _shared(work, seed, _silent), None, [])
        return _Found(seed, shared, cell(work.grid, row, shared, seed, work.device), [])
    except InputError as error:
        return _Found(seed, None, None, error.faults)


def _shared(work: Work, seed: int, tell: Tell) -> Seeded:
    return seeded(work.grid, work.base, work.out / f"seed-{seed}", seed, work.device, tell)


def _line(found: Cell) -> str:
    return f"seed {found.seed}: {found.row}: {found.seconds:.0f} s"


def _check_same(grid: Grid, out: Path) -> None:
    """Rows and seeds may be added or left out; all else decides what the numbers are."""
    path = out / _GRID
    now = _deciding(grid)
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = msgspec.json.decode(path.read_bytes()) if path.exists() else now
        # Rows that are left out may come back: their results are still there.
        rows = before["rows"] | now["rows"]
        same = {**before, "rows": rows} == {**now, "rows": now["rows"] | before["rows"]}
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", where=str(out)) from None
    except (msgspec.DecodeError, KeyError, TypeError):
        same = False
    if not same:
        raise InputError("holds the results of another grid: name another folder", where=str(out))
    write_whole(path, msgspec.json.format(msgspec.json.encode({**now, "rows": rows})))


def _deciding(grid: Grid) -> dict[str, Any]:
    """What numbers depend on, as JSON gives it back."""
    plain = msgspec.json.decode(msgspec.json.encode(grid))
    decide = {name: plain[name] for name in _DECIDING}
    rows = {row["name"]: {"set": row["set"], "settings": row["settings"]} for row in plain["rows"]}
    return {**decide, "rows": rows}


def _silent(_: str) -> None:
    """Lines of several processes would mix."""
