"""All cells of a grid, several seeds at a time; what is done already is not done again."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.reproduction.cells import Cell, cell, seeded
from gytbench.reproduction.grid import Grid
from gytbench.writing import write_whole

Tell = Callable[[str], None]

_GRID = "grid.json"


class Work(NamedTuple):
    """What one process is given: a seed of the grid."""

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

    base: the folder that the grid's paths start from. jobs: seeds that are worked on at the
    same time, each in its own process with its share of the cores. tell: is told of progress,
    a line at a time. A grid that was stopped goes on where it was. Raises `InputError` for
    what does not serve, and where `out` holds another grid.
    """
    _check_same(grid, out)
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else 0
    work = Work(grid, base, out, device, threads)
    if jobs == 1:
        return [each for seed in grid.seeds for each in _cells(work, seed, tell)]
    done: list[Cell] = []
    # Torch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for found in pool.map(_in_process, [work] * len(grid.seeds), grid.seeds):
            if found.faults:
                pool.shutdown(cancel_futures=True)
                raise InputError(found.faults)
            done += found.cells
            tell(f"seed {found.seed}: done")
    return done


class _Found(NamedTuple):
    """What a process came to."""

    seed: int
    cells: list[Cell]
    faults: list[Fault]
    """What was wrong, which an exception would not carry between processes."""


def _in_process(work: Work, seed: int) -> _Found:
    import torch

    if work.threads:
        torch.set_num_threads(work.threads)
    try:
        return _Found(seed, list(_cells(work, seed, _silent)), [])
    except InputError as error:
        return _Found(seed, [], error.faults)


def _cells(work: Work, seed: int, tell: Tell) -> Iterator[Cell]:
    folder = work.out / f"seed-{seed}"
    shared = seeded(work.grid, work.base, folder, seed, work.device, tell)
    for row in work.grid.rows:
        found = cell(work.grid, row, shared, seed, work.device)
        tell(f"seed {seed}: {row.name}: {found.seconds:.0f} s")
        yield found


def _check_same(grid: Grid, out: Path) -> None:
    """Rows and seeds may be added to what is there; all else decides what the numbers are."""
    path = out / _GRID
    plain = msgspec.json.encode(msgspec.structs.replace(grid, tables=(), findings=(), seeds=(0,)))
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else plain
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", where=str(out)) from None
    if before != plain:
        raise InputError("holds the results of another grid: name another folder", where=str(out))
    write_whole(path, plain)


def _silent(_: str) -> None:
    """Lines of several processes would mix."""
