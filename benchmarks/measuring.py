"""Time and peak memory of a call, or of a whole command."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Cost(NamedTuple):
    """Seconds on the clock, and the largest resident memory of the process in MiB."""

    seconds: float
    peak_mib: float = float("nan")


def timed(call: Callable[[], T], repeat: int = 3) -> tuple[T, float]:
    """What a call returns, and the seconds of its fastest run."""
    best = float("inf")
    for _ in range(repeat):
        begin = time.perf_counter()
        value = call()
        best = min(best, time.perf_counter() - begin)
    return value, best


def command_cost(arguments: Sequence[str], repeat: int = 3) -> Cost:
    """The fastest of several runs of a command, output discarded."""
    best = Cost(float("inf"))
    for _ in range(repeat):
        begin = time.perf_counter()
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"exit code {process.returncode}: {' '.join(arguments)}")
        best = min(best, Cost(seconds, usage.ru_maxrss / 1024))
    return best


def json_load_cost(path: str, repeat: int = 3) -> Cost:
    """json.load of the standard library alone: the seconds of the call, in a fresh process."""
    code = (
        "import json, sys, time, resource\n"
        "with open(sys.argv[1]) as f:\n"
        "    begin = time.perf_counter(); json.load(f); end = time.perf_counter()\n"
        "print(end - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    runs = []
    for _ in range(repeat):
        out = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, check=True, text=True
        )
        seconds, peak = map(float, out.stdout.split())
        runs.append(Cost(seconds, peak))
    return min(runs)
