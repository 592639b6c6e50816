"""`python -m benchmarks.leaderboard [ENTRIES] [JOBS]`: a board of full-size entries is scored.

Every entry has 50,910 tubes of its own quality, scored on two releases with 1,000 resamples.
The time and the memory of the whole command, its processes included, are taken as it runs
(Linux). A few entries are enough to tell what 500 take; the last quarter of them must not
take more memory than the first.
"""

import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import msgspec
import numpy as np
from tabulate import tabulate

from benchmarks.generate import many_tubes
from gytbench.benchmark import load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.submission import FILE
from gytbench.predictions import FORMAT, Predictions

ENTRIES = 8
JOBS = 2
FULL = 500
_PAUSE = 0.1
"""Seconds between two looks at the memory."""


class Build(NamedTuple):
    """One run of the command."""

    seconds: float
    done: list[float]
    """When each entry, floor or ceiling was done, in seconds from the beginning."""
    processor: list[float]
    """Seconds of all cores until then."""
    peaks: list[float]
    """MiB at most until then, from one to the next, and from the last to the end."""


def main() -> None:
    """Make the board, build it twice, print the table."""
    given = [int(each) for each in sys.argv[1:3]]
    entries, jobs = (*given, *(ENTRIES, JOBS)[len(given) :])
    with tempfile.TemporaryDirectory() as name:
        board = Board(Path(name) / "leaderboard")
        _submit(board, entries)
        first = build(board, jobs)
        again = build(board, jobs)
    # Floors and ceilings come first, and differ from entries.
    bounds = len(BOUNDS)
    each, processor = (
        (values[-1] - values[bounds - 1]) / entries for values in (first.done, first.processor)
    )
    peaks = first.peaks[bounds:-1]
    quarter = max(1, len(peaks) // 4)
    rows = [
        ("build, seconds", first.seconds),
        (f"an entry, seconds with {jobs} processes", each),
        (f"{FULL} entries, minutes at this rate", each * FULL / 60),
        ("an entry, processor seconds", processor),
        (f"{FULL} entries on two cores of their own, minutes", processor * FULL / 60 / 2),
        ("the page, seconds", first.seconds - first.done[-1]),
        ("build again, nothing to score, seconds", again.seconds),
        ("peak memory of all processes, first quarter of the entries, MiB", max(peaks[:quarter])),
        ("the same, last quarter, MiB", max(peaks[-quarter:])),
        ("the same, for the page, MiB", max(again.peaks)),
    ]
    title = f"{entries} entries of 50,910 tubes, {bounds} floors and ceilings"
    sys.stdout.write(f"{title}\n\n{tabulate(rows, floatfmt='.1f', tablefmt='plain')}\n")


def _submit(board: Board, entries: int) -> None:
    """Entries that differ in every score: the n-th has more of its labels wrong."""
    predictions = many_tubes(load_benchmark())
    labels = [tube.label for tube in predictions.tubes]
    other = np.roll(np.array(labels), len(labels) // 2)
    order = np.random.default_rng(0).random(len(labels))
    for number in range(entries):
        spoiled = order < number / (2 * max(entries, 1))
        for tube, label, wrong, bad in zip(predictions.tubes, labels, other, spoiled, strict=True):
            tube.label = str(wrong) if bad else label
        _write(board.submissions / f"system-{number:03}", predictions, number)


def _write(folder: Path, predictions: Predictions, number: int) -> None:
    folder.mkdir(parents=True)
    content = {"format": FORMAT, "task": "st", "frame_size": predictions.frame_size}
    text = msgspec.json.encode({**content, "tubes": predictions.tubes})
    data = gzip.compress(text, 1, mtime=0)
    (folder / "st.json.gz").write_bytes(data)
    said = {
        "system": f"System {number:03}",
        "authors": ["Ada Example"],
        "date": f"2026-01-{1 + number % 28:02}",
        "code": "https://example.org/code",
        "backbone": "CLIP",
        "training_data": [],
        "supervision": "none",
        "modality": "video",
        "tuned_on_test": False,
        "predictions": {
            "st": {
                "file": "st.json.gz",
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
            }
        },
    }
    (folder / FILE).write_bytes(msgspec.yaml.encode(said))


def build(board: Board, jobs: int) -> Build:
    """Run `gytbench leaderboard build` on the board, and watch it."""
    script = Path(sys.executable).with_name("gytbench")
    command = [str(script), "leaderboard", "build", "--jobs", str(jobs), "--board", str(board.root)]
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    done, processor, peaks = [], [], [0.0]

    def watch() -> None:
        while process.poll() is None:
            peaks[-1] = max(peaks[-1], sum(map(_resident, _family(process.pid))))
            time.sleep(_PAUSE)

    watcher = Thread(target=watch)
    watcher.start()
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        done.append(time.perf_counter() - begin)
        processor.append(sum(map(_used, _family(process.pid))))
        peaks.append(0.0)
    process.wait()
    watcher.join()
    if process.returncode:
        raise RuntimeError("".join(said))
    return Build(time.perf_counter() - begin, done, processor, peaks)


def _family(process: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _used(process: int) -> float:
    """Processor seconds of a process and of those that it has outlived."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _resident(process: int) -> float:
    """MiB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
